import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobStatus extends BaseCommand<typeof JobStatus> {
  static override description = 'Ask every owner for the state of its share of a job.';
  static override examples = ['<%= config.bin %> job status 1', '<%= config.bin %> job status 1 --dt @bank-a --json'];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };
  static override flags = {
    ...signingFlags,
    ...namedFlags({ dt: Flags.string({ description: 'only the share on this data token: its id, or @name' }) }),
  };

  override async run() {
    const { jobStatus } = await import('../../actions/job/job-status.js');
    const { selectJob } = await import('../../cli/select-job.js');
    const { printable, shortId } = await import('../../cli/render-text.js');
    const { renderShares } = await import('../../cli/render-shares.js');
    const { endWith, queryFailure } = await import('../../cli/watch-job.js');
    const selection = await selectJob(this.home, await this.ask(this.args.job, 'Number of the job', 'job'), this.flags.dt);
    const status = await jobStatus(await this.signing(this.flags), selection);
    const { job, task, taskOpen, algorithm, algorithmName, shares } = status;
    this.log(`Job ${job} of task ${task}${taskOpen ? '' : ' (closed)'} runs ${printable(algorithmName ?? '?')}  ${shortId(algorithm)}`);
    const failure = queryFailure(shares);
    this.log(renderShares(shares, failure?.share));
    if (shares.some((share) => share.outputs.length > 0)) await this.next(`dt job outputs ${job} --out <folder>`);
    return { ...status, ...endWith(failure, this.jsonEnabled()) };
  }
}
