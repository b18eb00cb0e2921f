import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobClose extends BaseCommand<typeof JobClose> {
  static override description = 'Close a task: no job can be added to it any more, and none of it starts.';
  static override examples = ['<%= config.bin %> job close --task-id 1'];
  static override flags = {
    ...signingFlags,
    ...namedFlags({ 'task-id': Flags.string({ description: 'number of the task' }) }),
  };

  override async run() {
    const { closeTask } = await import('../../actions/job/close-task.js');
    const { parseCounter } = await import('../../documents/ids.js');
    const { taskChoices } = await import('../../cli/choices.js');
    const { ownAddress } = await import('../../cli/own-address.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const { flags, home } = this;
    const load = async () => taskChoices(await this.reader(), await ownAddress(home, flags));
    const task = parseCounter(await this.askChoice(flags['task-id'], 'Which task?', 'task-id', load), '--task-id');
    await closeTask(await this.signing(flags), task);
    await this.drawn();
    this.log(renderDone(`Task ${task} closed`));
    return { task, open: false };
  }
}
