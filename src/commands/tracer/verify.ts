import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class TracerVerify extends BaseCommand<typeof TracerVerify> {
  static override description =
    'Verify what happened to a job, party by party: signatures, request, job spec, every clause of the decisions, code, arguments, outputs, what crossed the wire, and that the chain holds these very receipts. The first thing that does not match is named first.\nA job is asked for at the daemons of all its parties, with the key of its demander, an owner or an auditor. Files need no key.';
  static override examples = [
    '<%= config.bin %> tracer verify 1',
    '<%= config.bin %> tracer verify ./results --json',
    '<%= config.bin %> tracer verify receipt.json --offline',
    '<%= config.bin %> tracer verify 1 --format in-toto',
    '<%= config.bin %> tracer verify 1 --data customers.csv --save-opening opening.json --key bank-a',
    '<%= config.bin %> tracer verify 1 --data customers.csv --opening opening.json --key regulator',
  ];
  static override args = {
    what: Args.string({
      description: 'number of a job, a receipt or evidence file, a job folder, or a folder of downloads',
      ignoreStdin: true,
    }),
  };
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      offline: Flags.boolean({
        description: 'without the chain: only what the documents say of each other is checked, and what needs the chain is said',
      }),
      data: Flags.string({
        description:
          'a file: is it the data that an owner computed on? An owner asks its own daemon for what opens the commitment; others give --opening',
        helpValue: 'FILE',
      }),
      opening: Flags.string({ description: 'what opens the commitment, as its owner saved it', helpValue: 'FILE', dependsOn: ['data'] }),
      'save-opening': Flags.string({
        description: 'where an owner saves what opens the commitment to --data, of this run alone, to give it to whom it wants',
        helpValue: 'FILE',
        dependsOn: ['data'],
      }),
      detailed: Flags.boolean({ char: 'd', description: 'every check, also those that passed' }),
      format: Flags.string({
        description: 'tree, or in-toto: one statement a line for each receipt that was verified (in-toto Statement v1, SLSA Provenance v1)',
        options: ['tree', 'in-toto'],
        default: 'tree',
      }),
    }),
  };

  override async run() {
    const { verifyFiles, verifyJob } = await import('../../actions/tracer/verify-job.js');
    const { parseCounter } = await import('../../documents/ids.js');
    const { renderStatements, renderVerification, verificationError } = await import('../../cli/render-verification.js');
    const { saveOpening } = await import('../../cli/save-opening.js');
    const { endWithError } = await import('../../cli/watch-job.js');
    const { offline, detailed, format, data, opening, 'save-opening': target } = this.flags;
    const claimed = { ...(data !== undefined && { data }), ...(opening !== undefined && { opening }) };
    const what = await this.ask(this.args.what, 'Number of a job, or a file or folder', 'what');
    const work = /^[0-9]+$/.test(what)
      ? verifyJob(await this.signing(this.flags), parseCounter(what, 'The number of the job'), claimed)
      : verifyFiles(offline ? { content: await this.localContent() } : await this.reader(), what, claimed);
    const verification = await this.wait('Verifying', work);
    if (target !== undefined && verification.opened !== undefined) await saveOpening(target, verification.opened.opening);
    this.log(format === 'in-toto' ? renderStatements(verification) : renderVerification(verification, detailed));
    return { ...verification, ...endWithError(verificationError(verification), this.jsonEnabled()) };
  }
}
