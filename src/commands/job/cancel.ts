import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobCancel extends BaseCommand<typeof JobCancel> {
  static override description = 'End the shares of a job that still run or wait. Those that have ended stay as they are.';
  static override examples = ['<%= config.bin %> job cancel 1', "<%= config.bin %> job cancel 1 --dt @bank-a --reason 'wrong data'"];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      dt: Flags.string({ description: 'only the share on this data token: its id, or @name' }),
      reason: Flags.string({ description: 'why; its owner and you are told, and in a joint job the other parties' }),
    }),
  };

  override async run() {
    const { cancelJob } = await import('../../actions/job/cancel-job.js');
    const { selectJob } = await import('../../cli/select-job.js');
    const { renderShares } = await import('../../cli/render-shares.js');
    const { endWith, queryFailure } = await import('../../cli/watch-job.js');
    const { dt, reason } = this.flags;
    const selection = await selectJob(this.home, await this.ask(this.args.job, 'Number of the job', 'job'), dt);
    const canceled = await cancelJob(await this.signing(this.flags), selection, reason);
    await this.drawn();
    const failure = queryFailure(canceled.shares);
    this.log(renderShares(canceled.shares, failure?.share));
    await this.next(`dt job status ${canceled.job}`);
    return { ...canceled, ...endWith(failure, this.jsonEnabled()) };
  }
}
