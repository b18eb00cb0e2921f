import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobInit extends BaseCommand<typeof JobInit> {
  static override description = 'Open a task: what you want solved. Jobs are then run for it.';
  static override examples = ["<%= config.bin %> job init --name risk --desc 'who will default'"];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      name: Flags.string({ description: 'name of the task' }),
      desc: Flags.string({ description: 'what it is about' }),
    }),
  };

  override async run() {
    const { openTask } = await import('../../actions/job/open-task.js');
    const { printable, renderDone } = await import('../../cli/render-text.js');
    const { flags } = this;
    const name = await this.ask(flags.name, 'Name of the task', 'name');
    const description = flags.desc ?? (this.interactive ? await this.ask(flags.desc, 'What is it about?', 'desc') : '');
    const task = await openTask(await this.signing(flags), { name, description });
    await this.drawn();
    this.log(renderDone(`Task ${task} opened: ${printable(name)}`));
    await this.next(`dt job exec --task-id ${task} --cdt <algorithm>`);
    return { task, name, description };
  }
}
