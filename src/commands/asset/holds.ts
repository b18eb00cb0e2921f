import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetHolds extends BaseCommand<typeof AssetHolds> {
  static override description =
    'List what waits for your word at your daemon: requests that you have to approve, and outputs to look at before they leave.';
  static override examples = ['<%= config.bin %> asset holds --key bank-a', '<%= config.bin %> asset holds --key bank-a --json'];
  static override flags = { ...signingFlags, ...namedFlags({}) };

  override async run() {
    const { listHolds } = await import('../../actions/asset/answer-holds.js');
    const { renderHolds } = await import('../../cli/render-holds.js');
    const holds = await listHolds(await this.signing(this.flags));
    await this.drawn();
    this.log(renderHolds(holds));
    const [first] = holds;
    if (first !== undefined) await this.next(`dt asset approve ${first.run.id} --reason …`, ', or `dt asset refuse`');
    return { holds };
  }
}
