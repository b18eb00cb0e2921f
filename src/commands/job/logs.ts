import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobLogs extends BaseCommand<typeof JobLogs> {
  static override description =
    'Show what the operators of a job have written, each line after the name of its party.\nWith --follow it stays until every share has ended.';
  static override examples = [
    '<%= config.bin %> job logs 1',
    '<%= config.bin %> job logs 1 --follow',
    '<%= config.bin %> job logs 1 --dt @bank-a',
  ];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      follow: Flags.boolean({ char: 'f', description: 'show states and lines as they come, until the end' }),
      dt: Flags.string({ description: 'only the share on this data token: its id, or @name' }),
    }),
  };

  override async run() {
    const { followJobLogs, readJobLogs } = await import('../../actions/job/job-logs.js');
    const { selectJob } = await import('../../cli/select-job.js');
    const { renderLogs } = await import('../../cli/render-shares.js');
    const { endWith, goesOn, partyListener, queryFailure, untilInterrupted } = await import('../../cli/watch-job.js');
    const { flags } = this;
    const selection = await selectJob(this.home, await this.ask(this.args.job, 'Number of the job', 'job'), flags.dt);
    const context = await this.signing(flags);
    const { signal, release } = untilInterrupted();
    const listener = partyListener((line) => this.log(line), { states: true });
    const logs = flags.follow ? await followJobLogs(context, selection, listener, signal) : await readJobLogs(context, selection);
    release();
    if (signal.aborted) for (const line of goesOn(logs.job, logs.shares, (command) => this.again(command))) this.log(line);
    if (!flags.follow) for (const line of renderLogs(logs.shares)) this.log(line);
    const end = endWith(queryFailure(logs.shares), this.jsonEnabled());
    if (signal.aborted) process.exitCode = 130;
    return { ...logs, ...end };
  }
}
