import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';
import { traceFlags } from '../../cli/trace-flags.js';

export default class TracerUnion extends BaseCommand<typeof TracerUnion> {
  static override description = 'Show what a composite is made of, down to the leaves, with the state of each grant.';
  static override examples = [
    '<%= config.bin %> tracer union --cdt @risk-model',
    '<%= config.bin %> tracer union --cdt @risk-model --verify',
    '<%= config.bin %> tracer union --cdt @risk-model --format prov',
  ];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      ...traceFlags,
      cdt: Flags.string({ description: 'the composite: its id, or @name' }),
    }),
  };

  override async run() {
    const { traceUnion } = await import('../../actions/tracer/trace-lifecycle.js');
    const { renderTraceAs, traceError } = await import('../../cli/render-trace-as.js');
    const { verifiedTrace } = await import('../../cli/verified-trace.js');
    const { endWithError } = await import('../../cli/watch-job.js');
    const signing = this.flags.verify ? await this.signing(this.flags) : undefined;
    const context = signing ?? (await this.reader());
    const load = async () => {
      const { isComposed, tokenChoices } = await import('../../cli/choices.js');
      return tokenChoices(context, isComposed);
    };
    const cdt = await this.tokenId(await this.askChoice(this.flags.cdt, 'Which composite?', 'cdt', load), '--cdt');
    const found = await traceUnion(context, cdt);
    const trace = signing === undefined ? found : await this.wait('Verifying', verifiedTrace(signing, found));
    const { format, detailed } = this.flags;
    this.log(renderTraceAs(trace, { format, detailed, towards: 'leaves' }));
    return { ...trace, ...endWithError(traceError(trace), this.jsonEnabled()) };
  }
}
