import { Args } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';

export default class JobExplain extends BaseCommand<typeof JobExplain> {
  static override description =
    'Say why a job is as it is: one cause, what shows it, and what to do next, from the chain and from every daemon that answers.';
  static override examples = ['<%= config.bin %> job explain 1', '<%= config.bin %> job explain 1 --json'];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };
  static override flags = signingFlags;

  override async run() {
    const { jobExplanation } = await import('../../actions/job/job-explanation.js');
    const { selectJob } = await import('../../cli/select-job.js');
    const { renderExplanation } = await import('../../cli/render-explanation.js');
    const { job } = await selectJob(this.home, await this.ask(this.args.job, 'Number of the job', 'job'), undefined);
    const explanation = await jobExplanation(await this.signing(this.flags), job);
    await this.drawn();
    this.log(renderExplanation(explanation, (command) => this.again(command)));
    return explanation;
  }
}
