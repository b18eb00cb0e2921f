import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobRerun extends BaseCommand<typeof JobRerun> {
  static override description =
    'Run the shares of a job again that failed, were refused or canceled, and ask daemons that never got the request.\nWaits like `dt job exec`. Shares that succeeded stay as they are.';
  static override examples = ['<%= config.bin %> job rerun 1', '<%= config.bin %> job rerun 1 --dt @bank-b --detach'];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      dt: Flags.string({ description: 'only the share on this data token: its id, or @name' }),
      wait: Flags.boolean({ description: 'wait for the end of every share (the default)' }),
      detach: Flags.boolean({ description: 'return as soon as every daemon has answered', exclusive: ['wait', 'outputs'] }),
      outputs: Flags.directory({ description: 'download what is released into this folder' }),
    }),
  };

  override async run() {
    const { refuseOtherJobs } = await import('../../actions/job/download-outputs.js');
    const { rerunJob } = await import('../../actions/job/rerun-job.js');
    const { selectJob } = await import('../../cli/select-job.js');
    const { finishJob } = await import('../../cli/finish-job.js');
    const { partyListener, untilInterrupted } = await import('../../cli/watch-job.js');
    const { dt, detach, outputs } = this.flags;
    const selection = await selectJob(this.home, await this.ask(this.args.job, 'Number of the job', 'job'), dt);
    if (outputs !== undefined) await refuseOtherJobs(outputs, selection.job);
    const context = await this.signing(this.flags);
    const { signal, release } = untilInterrupted();
    const listener = partyListener((line) => this.logToStderr(line), { states: true });
    const rerun = await rerunJob(context, { ...selection, wait: !detach, listener, signal });
    release();
    await this.drawn();
    return finishJob(this, context, { ...rerun, outputs, interrupted: signal.aborted });
  }
}
