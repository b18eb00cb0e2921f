import type { ActionContext } from '../actions/action-context.js';
import { type DownloadedShare, downloadOutputs } from '../actions/job/download-outputs.js';
import { isFinalState, type ShareView } from '../actions/job/share-view.js';
import { renderOutputs, renderShares } from './render-shares.js';
import { endWith, goesOn, jobFailure } from './watch-job.js';

export interface FinishedJob {
  readonly job: bigint;
  readonly shares: readonly (ShareView | DownloadedShare)[];
  /** The first share's that did not succeed. */
  readonly error?: Readonly<Record<string, unknown>>;
}

interface Terminal {
  log(message: string): void;
  next(command: string): Promise<void>;
  again(command: string): string;
  jsonEnabled(): boolean;
}

/** How a job is shown when a command is done with it: every share, its outputs where they were asked for, what to do next, and the exit code. */
export async function finishJob(
  terminal: Terminal,
  context: ActionContext,
  ended: {
    readonly job: bigint;
    readonly shares: readonly ShareView[];
    readonly outputs?: string | undefined;
    /** Ctrl-c: nobody waits any more. */
    readonly interrupted: boolean;
  },
): Promise<FinishedJob> {
  const { job, outputs, interrupted } = ended;
  const fetched = outputs !== undefined && !interrupted && ended.shares.some((share) => share.outputs.length > 0);
  const shares: readonly (ShareView | DownloadedShare)[] = fetched
    ? withOwnFailures(ended.shares, (await downloadOutputs(silent(context), { job, folder: outputs })).shares)
    : ended.shares;
  const failure = jobFailure(job, shares);
  terminal.log(`Job ${job}`);
  for (const share of shares) {
    terminal.log(renderShares([share], failure?.share));
    if (share.outputs.length > 0) terminal.log(renderOutputs(share, 'files' in share ? share.files : undefined));
  }
  const open = interrupted ? goesOn(job, shares, (command) => terminal.again(command)) : [];
  for (const line of open) terminal.log(line);
  if (failure === undefined && open.length === 0) await terminal.next(nextOf(job, shares, fetched));
  const end = endWith(failure, terminal.jsonEnabled());
  if (failure !== undefined && !interrupted) await terminal.next(`dt job explain ${job}`);
  if (interrupted) process.exitCode = 130;
  return { job, shares, ...end };
}

/** A share that never got to a run has nothing at its daemon, which would hide why. */
function withOwnFailures(ended: readonly ShareView[], fetched: readonly DownloadedShare[]): readonly DownloadedShare[] {
  return ended.map((share) => {
    const downloaded = fetched.find(({ token }) => token === share.token);
    return downloaded === undefined || share.failure !== undefined ? { ...share, files: downloaded?.files ?? [] } : downloaded;
  });
}

const silent = (context: ActionContext): ActionContext => ({ ...context, onProgress: () => undefined });

function nextOf(job: bigint, shares: readonly ShareView[], fetched: boolean): string {
  if (!shares.every(({ state }) => isFinalState(state))) return `dt job logs ${job} --follow`;
  if (!fetched && shares.some((share) => share.outputs.length > 0)) return `dt job outputs ${job} --out <folder>`;
  return `dt tracer job ${job}`;
}
