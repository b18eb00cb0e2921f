import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobTasks extends BaseCommand<typeof JobTasks> {
  static override description = 'List the tasks of the chain.';
  static override examples = ['<%= config.bin %> job tasks', '<%= config.bin %> job tasks --mine --key fintech'];
  static override flags = {
    key: signingFlags.key,
    ...namedFlags({ mine: Flags.boolean({ description: 'only those that the key opened (--key, or the default)' }) }),
  };

  override async run() {
    const { listTasks } = await import('../../actions/job/list-tasks.js');
    const { ownerOf } = await import('../../cli/own-address.js');
    const { renderTasks } = await import('../../cli/render-jobs.js');
    const { renderNone } = await import('../../cli/render-text.js');
    const demander = await ownerOf(this.home, this.flags);
    const tasks = await listTasks(await this.reader(), demander);
    this.log(tasks.length === 0 ? renderNone('No tasks.', 'dt job init --name …') : renderTasks(tasks));
    return { tasks };
  }
}
