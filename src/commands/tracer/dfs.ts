import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class TracerDfs extends BaseCommand<typeof TracerDfs> {
  static override description =
    'Follow a token through its life, depth first: every composite that it went into, with the state of each grant, and at the algorithms the jobs with what each owner reported.';
  static override examples = [
    '<%= config.bin %> tracer dfs --prefix-path @bank-a',
    '<%= config.bin %> tracer dfs --prefix-path @bank-a,@union --detailed',
  ];
  // The original's --detailed took a value; here the word after it ends up as an argument.
  static override args = { detail: Args.string({ hidden: true, ignoreStdin: true }) };
  static override flags = namedFlags({
    'prefix-path': Flags.string({ description: 'the token to start at: its id, or @name; several, with commas, follow one branch' }),
    detailed: Flags.boolean({ char: 'd', description: 'full ids, times and receipts' }),
  });

  override async run() {
    const { traceLifecycle } = await import('../../actions/tracer/trace-lifecycle.js');
    const { tokenChoices } = await import('../../cli/choices.js');
    const { renderTrace } = await import('../../cli/render-trace.js');
    const { parsePath } = await import('../../cli/parse-path.js');
    const { flags, args, home } = this;
    const context = await this.reader();
    const text = await this.askChoice(flags['prefix-path'], 'Which token?', 'prefix-path', () => tokenChoices(context));
    const { start, below } = await parsePath(home, text);
    const trace = await traceLifecycle(context, start, below);
    const detailed = flags.detailed && !['false', 'no', '0'].includes(args.detail ?? '');
    this.log(renderTrace(trace, detailed));
    return trace;
  }
}
