import { Args, Flags } from '@oclif/core';
import { BaseCommand, signingFlags } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobOutputs extends BaseCommand<typeof JobOutputs> {
  static override description =
    'List what a job released, or download it: one folder a share, every file checked against its receipt.\nA download that broke goes on where it stopped.';
  static override examples = ['<%= config.bin %> job outputs 1', '<%= config.bin %> job outputs 1 --out ./results'];
  static override args = { job: Args.string({ description: 'number of the job', ignoreStdin: true }) };
  static override flags = {
    ...signingFlags,
    ...namedFlags({
      out: Flags.directory({ description: 'folder to download into; left out: only list' }),
      dt: Flags.string({ description: 'only the share on this data token: its id, or @name' }),
    }),
  };

  override async run() {
    const { downloadOutputs } = await import('../../actions/job/download-outputs.js');
    const { jobStatus } = await import('../../actions/job/job-status.js');
    const { selectJob } = await import('../../cli/select-job.js');
    const { renderDone } = await import('../../cli/render-text.js');
    const { renderOutputs, renderShares } = await import('../../cli/render-shares.js');
    const { endWith, outputsFailure } = await import('../../cli/watch-job.js');
    const { out, dt } = this.flags;
    const selection = await selectJob(this.home, await this.ask(this.args.job, 'Number of the job', 'job'), dt);
    const context = await this.signing(this.flags);
    const found = out === undefined ? await jobStatus(context, selection) : await downloadOutputs(context, { ...selection, folder: out });
    await this.drawn();
    const shares = found.shares.map((share) => ({ ...share, files: 'files' in share ? (share.files as readonly string[]) : [] }));
    const failure = outputsFailure(found.job, shares);
    for (const share of shares) {
      this.log(renderShares([share], failure?.share));
      if (share.outputs.length > 0) this.log(renderOutputs(share, share.files));
    }
    const count = shares.reduce((sum, { files }) => sum + files.length, 0);
    const released = shares.some(({ outputs }) => outputs.length > 0);
    if (out === undefined && released) await this.next(`dt job outputs ${found.job} --out <folder>`);
    if (out !== undefined && (count > 0 || failure === undefined))
      this.log(renderDone(`${count} ${count === 1 ? 'file' : 'files'} in ${out}`));
    return { job: found.job, shares, ...endWith(failure, this.jsonEnabled()) };
  }
}
