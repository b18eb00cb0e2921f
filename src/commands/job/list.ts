import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobList extends BaseCommand<typeof JobList> {
  static override description = 'List the jobs of the chain with what their owners have reported so far.';
  static override examples = ['<%= config.bin %> job list', '<%= config.bin %> job list --task-id 1', '<%= config.bin %> job list --mine'];
  static override flags = {
    key: signingFlags.key,
    ...namedFlags({
      'task-id': Flags.string({ description: 'only those of this task' }),
      mine: Flags.boolean({ description: 'only those that the key asked for (--key, or the default)' }),
    }),
  };

  override async run() {
    const { listJobs } = await import('../../actions/job/list-jobs.js');
    const { parseCounter } = await import('../../documents/ids.js');
    const { ownerOf } = await import('../../cli/own-address.js');
    const { renderJobs } = await import('../../cli/render-jobs.js');
    const { renderNone } = await import('../../cli/render-text.js');
    const { flags } = this;
    const task = flags['task-id'] === undefined ? undefined : parseCounter(flags['task-id'], '--task-id');
    const demander = await ownerOf(this.home, flags);
    const jobs = await listJobs(await this.reader(), { ...(task !== undefined && { task }), ...(demander && { demander }) });
    this.log(jobs.length === 0 ? renderNone('No jobs.', 'dt job exec --task-id … --cdt …') : renderJobs(jobs));
    return { jobs };
  }
}
