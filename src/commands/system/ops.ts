import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class SystemOps extends BaseCommand<typeof SystemOps> {
  static override description = 'List the published operators.';
  static override examples = ['<%= config.bin %> system ops', '<%= config.bin %> system ops --retired'];
  static override flags = namedFlags({ retired: Flags.boolean({ description: 'show the retired ones too' }) });

  override async run() {
    const { listOperators } = await import('../../actions/system/list-operators.js');
    const { printable, renderNone } = await import('../../cli/render-text.js');
    const { renderTable } = await import('../../cli/render-table.js');
    const all = await listOperators(await this.reader());
    const names = new Map(Object.entries(await this.home.names()).map(([name, id]) => [id, `@${name}`]));
    const operators = all.filter(({ retired }) => this.flags.retired || !retired);
    if (operators.length === 0) this.log(renderNone('No operators on this chain.', 'dt system op --attr-file …'));
    else
      this.log(
        renderTable(operators, [
          { title: 'NAME', cell: ({ document }) => printable(document?.metadata.main.name ?? '(document not readable)') },
          { title: '@', cell: ({ id }) => names.get(id) ?? '' },
          { title: 'VERSION', cell: ({ version }) => String(version), align: 'right' },
          { title: 'RUNTIME', cell: ({ document }) => document?.runtime ?? '' },
          { title: 'STATE', cell: ({ retired }) => (retired ? 'retired' : '') },
          { title: 'ID', cell: ({ id }) => id },
        ]),
      );
    return { operators };
  }
}
