import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';
import { traceFlags } from '../../cli/trace-flags.js';

export default class TracerDfs extends BaseCommand<typeof TracerDfs> {
  static override description =
    'Follow a token through its life, depth first: every composite that it went into, with the state of each grant, and at the algorithms the jobs with what each owner reported.';
  static override examples = [
    '<%= config.bin %> tracer dfs --prefix-path @bank-a',
    '<%= config.bin %> tracer dfs --prefix-path @bank-a,@union --detailed',
    '<%= config.bin %> tracer dfs --prefix-path @bank-a --verify',
    '<%= config.bin %> tracer dfs --prefix-path @bank-a --format mermaid',
  ];
  // The original's --detailed took a value; here the word after it ends up as an argument.
  static override args = { detail: Args.string({ hidden: true, ignoreStdin: true }) };
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      ...traceFlags,
      'prefix-path': Flags.string({ description: 'the token to start at: its id, or @name; several, with commas, follow one branch' }),
    }),
  };

  override async run() {
    const { traceLifecycle } = await import('../../actions/tracer/trace-lifecycle.js');
    const { renderTraceAs, traceError } = await import('../../cli/render-trace-as.js');
    const { verifiedTrace } = await import('../../cli/verified-trace.js');
    const { endWithError } = await import('../../cli/watch-job.js');
    const { parsePath } = await import('../../cli/parse-path.js');
    const { flags, args, home } = this;
    const signing = this.flags.verify ? await this.signing(this.flags) : undefined;
    const context = signing ?? (await this.reader());
    const text = await this.askChoice(flags['prefix-path'], 'Which token?', 'prefix-path', async () => {
      const { tokenChoices } = await import('../../cli/choices.js');
      return tokenChoices(context);
    });
    const { start, below } = await parsePath(home, text);
    const found = await traceLifecycle(context, start, below);
    const trace = signing === undefined ? found : await this.wait('Verifying', verifiedTrace(signing, found));
    const detailed = flags.detailed && !['false', 'no', '0'].includes(args.detail ?? '');
    this.log(renderTraceAs(trace, { format: flags.format, detailed, towards: 'composites' }));
    return { ...trace, ...endWithError(traceError(trace), this.jsonEnabled()) };
  }
}
