import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class SystemRetire extends BaseCommand<typeof SystemRetire> {
  static override description = 'Retire an operator: nothing new may use it, and jobs on it no longer start. It cannot be undone.';
  static override examples = ['<%= config.bin %> system retire --op @scorecard'];
  static override flags = {
    ...signingFlags,
    ...namedFlags({ op: Flags.string({ description: 'id of the operator, or @name' }) }),
  };

  override async run() {
    const { retireOperator } = await import('../../actions/system/retire-operator.js');
    const { operatorChoices } = await import('../../cli/choices.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const { flags } = this;
    const load = async () => operatorChoices(await this.reader());
    const tid = await this.tokenId(await this.askChoice(flags.op, 'Which operator?', 'op', load), '--op');
    await retireOperator(await this.signing(flags), tid);
    await this.drawn();
    this.log(renderDone(`Operator retired\n  ${tid}`));
    return { tid, retired: true };
  }
}
