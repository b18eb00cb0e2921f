import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class TracerJob extends BaseCommand<typeof TracerJob> {
  static override description =
    'Show one job as the chain tells it: who asked for what, on whose data, and what each owner reported, with the digest of its receipt. Without --verify no key is needed.';
  static override examples = [
    '<%= config.bin %> tracer job 1',
    '<%= config.bin %> tracer job 1 --verify',
    '<%= config.bin %> tracer job 1 --json',
  ];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };

  static override flags = {
    ...signingFlags,
    ...namedFlags({
      verify: Flags.boolean({
        description: 'verify its receipts too, asked for at the daemons with your key: as demander, owner or auditor',
      }),
    }),
  };

  override async run() {
    const { traceJob } = await import('../../actions/tracer/trace-job.js');
    const { parseCounter } = await import('../../documents/ids.js');
    const { renderTracedJob } = await import('../../cli/render-trace.js');
    const id = parseCounter(await this.ask(this.args.job, 'Number of the job', 'job'), 'The number of the job');
    if (!this.flags.verify) {
      const traced = await traceJob(await this.reader(), id);
      this.log(renderTracedJob(traced));
      return traced;
    }
    const { verifyJob } = await import('../../actions/tracer/verify-job.js');
    const { renderVerification, verificationError } = await import('../../cli/render-verification.js');
    const { endWithError } = await import('../../cli/watch-job.js');
    const context = await this.signing(this.flags);
    const [traced, verification] = await this.wait('Verifying', Promise.all([traceJob(context, id), verifyJob(context, id)]));
    this.log(`${renderTracedJob(traced)}\n${renderVerification(verification, false)}`);
    return { ...traced, verification, ...endWithError(verificationError(verification), this.jsonEnabled()) };
  }
}
