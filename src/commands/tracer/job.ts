import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';

export default class TracerJob extends BaseCommand<typeof TracerJob> {
  static override description =
    'Show one job as the chain tells it: who asked for what, on whose data, and what each owner reported, with the digest of its receipt. No key is needed.';
  static override examples = ['<%= config.bin %> tracer job 1', '<%= config.bin %> tracer job 1 --json'];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };

  override async run() {
    const { traceJob } = await import('../../actions/tracer/trace-job.js');
    const { parseCounter } = await import('../../documents/ids.js');
    const { renderTracedJob } = await import('../../cli/render-trace.js');
    const id = parseCounter(await this.ask(this.args.job, 'Number of the job', 'job'), 'The number of the job');
    const traced = await traceJob(await this.reader(), id);
    this.log(renderTracedJob(traced));
    return traced;
  }
}
