import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class TracerUnion extends BaseCommand<typeof TracerUnion> {
  static override description = 'Show what a composite is made of, down to the leaves, with the state of each grant.';
  static override examples = ['<%= config.bin %> tracer union --cdt @risk-model'];
  static override flags = namedFlags({
    cdt: Flags.string({ description: 'the composite: its id, or @name' }),
    detailed: Flags.boolean({ char: 'd', description: 'full ids, times and receipts' }),
  });

  override async run() {
    const { traceUnion } = await import('../../actions/tracer/trace-lifecycle.js');
    const { isComposed, tokenChoices } = await import('../../cli/choices.js');
    const { renderTrace } = await import('../../cli/render-trace.js');
    const context = await this.reader();
    const load = () => tokenChoices(context, isComposed);
    const cdt = await this.tokenId(await this.askChoice(this.flags.cdt, 'Which composite?', 'cdt', load), '--cdt');
    const trace = await traceUnion(context, cdt);
    this.log(renderTrace(trace, this.flags.detailed));
    return trace;
  }
}
