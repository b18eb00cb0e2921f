import { Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobExec extends BaseCommand<typeof JobExec> {
  static override description =
    "Run an algorithm for a task: the job is added on chain, and every owner's daemon is asked for its share.\nWaits for the end and shows states and logs as they come. Exits with the error of the first share that did not succeed. Ctrl-c stops watching, not the job.";
  static override examples = [
    '<%= config.bin %> job exec --task-id 1 --cdt @risk-model --outputs ./results',
    '<%= config.bin %> job exec --task-id 1 --cdt @risk-model --detach --json',
  ];
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      'task-id': Flags.string({ description: 'number of your task' }),
      cdt: Flags.string({ description: 'your algorithm: its id, or @name' }),
      wait: Flags.boolean({ description: 'wait for the end of every share (the default)' }),
      detach: Flags.boolean({ description: 'return as soon as every daemon has answered', exclusive: ['wait', 'outputs'] }),
      outputs: Flags.directory({ description: 'download what is released into this folder' }),
    }),
  };

  override async run() {
    const { execJob } = await import('../../actions/job/exec-job.js');
    const { viewShare } = await import('../../actions/job/share-view.js');
    const { parseCounter } = await import('../../documents/ids.js');
    const { isRunnableBy, taskChoices, tokenChoices } = await import('../../cli/choices.js');
    const { ownAddress } = await import('../../cli/own-address.js');
    const { finishJob } = await import('../../cli/finish-job.js');
    const { partyListener, untilInterrupted } = await import('../../cli/watch-job.js');
    const { flags, home } = this;
    if (flags.outputs !== undefined) {
      const { refuseOtherJobs } = await import('../../actions/job/download-outputs.js');
      await refuseOtherJobs(flags.outputs, undefined);
    }
    const tasks = async () => taskChoices(await this.reader(), await ownAddress(home, flags));
    const task = parseCounter(await this.askChoice(flags['task-id'], 'For which task?', 'task-id', tasks), '--task-id');
    const algorithms = async () => tokenChoices(await this.reader(), isRunnableBy(await ownAddress(home, flags)));
    const algorithm = await this.tokenId(await this.askChoice(flags.cdt, 'Which algorithm?', 'cdt', algorithms), '--cdt');
    const context = await this.signing(flags);
    const { signal, release } = untilInterrupted();
    const listener = partyListener((line) => this.logToStderr(line), { states: true });
    const executed = await execJob(context, { task, algorithm, wait: !flags.detach, listener, signal });
    release();
    await this.drawn();
    const shares = executed.shares.map(({ party, run, problem }) => viewShare(party, run, problem));
    return {
      task,
      algorithm,
      ...(await finishJob(this, context, { job: executed.job, shares, outputs: flags.outputs, interrupted: signal.aborted })),
    };
  }
}
