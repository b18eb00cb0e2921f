import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class TracerIndex extends BaseCommand<typeof TracerIndex> {
  static override description =
    'Show the index of the chain that this machine keeps, after reading all of it: what is damaged is built again from the chain.';
  static override examples = ['<%= config.bin %> tracer index', '<%= config.bin %> tracer index --rebuild'];
  static override flags = namedFlags({ rebuild: Flags.boolean({ description: 'build it again from the first block of the contracts' }) });

  override async run() {
    const { inspectIndex } = await import('../../actions/tracer/inspect-index.js');
    const { renderFields } = await import('../../cli/render-table.js');
    const inspecting = inspectIndex(await this.reader(), { rebuild: this.flags.rebuild });
    const found = await this.wait('Reading the index', inspecting);
    const { path, sizeBytes, block, state, rows } = found;
    this.log(
      renderFields([
        ['file', path ?? 'none, in memory'],
        ['state', `${state}, ${(sizeBytes / 2 ** 20).toFixed(1)} MiB`],
        ['up to block', String(block)],
        ['tokens', String(rows.tokens)],
        ['jobs', `${rows.jobs} of ${rows.tasks} tasks`],
        ['organizations', `${rows.organizations}, with ${rows.operators} operators`],
      ]),
    );
    return found;
  }
}
