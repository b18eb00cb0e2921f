import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class AssetApprove extends BaseCommand<typeof AssetApprove> {
  static override description =
    'Let a request run that waits for your approval, or held outputs leave. It is about exactly what `dt asset holds` shows now. Of a request that you have refused: withdraw that, so that a new job for the same asks you again.';
  static override examples = ["<%= config.bin %> asset approve 3 --reason 'seen by the data protection officer' --key bank-a"];
  static override args = { what: Args.string({ description: 'number of a job, or id of one run of it', ignoreStdin: true }) };
  static override flags = {
    ...signingFlags,
    ...namedFlags({ reason: Flags.string({ description: 'why; it stands in the events and in the receipt' }) }),
  };

  override async run() {
    const { answerHolds } = await import('../../actions/asset/answer-holds.js');
    const { renderAnswered } = await import('../../cli/render-holds.js');
    const id = await this.ask(this.args.what, 'Number of the job, or id of the run', 'id');
    const reason = await this.ask(this.flags.reason, 'Why', '--reason');
    const runs = await answerHolds(await this.signing(this.flags), { id, outcome: 'approve', reason });
    await this.drawn();
    this.log(renderAnswered(runs));
    return { runs };
  }
}
