import { BaseCommand } from '../../cli/base-command.js';

export default class TracerStats extends BaseCommand<typeof TracerStats> {
  static override description = 'What happened on the chain, in numbers.';
  static override examples = ['<%= config.bin %> tracer stats', '<%= config.bin %> tracer stats --json'];

  override async run() {
    const { traceStats } = await import('../../actions/tracer/trace-stats.js');
    const { renderStats } = await import('../../cli/render-stats.js');
    const stats = await traceStats(await this.reader());
    this.log(renderStats(stats));
    return stats;
  }
}
