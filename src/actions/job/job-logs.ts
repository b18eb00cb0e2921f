import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ActionContext } from '../action-context.js';
import { followRun, type RunListener } from './follow-run.js';
import { type PartyRun, runsOf } from './job-parties.js';
import type { JobSelection } from './job-status.js';
import { type ShareView, viewShare } from './share-view.js';

export interface JobLogs {
  readonly job: bigint;
  readonly shares: readonly (ShareView & { readonly log: string })[];
}

/** What the operators have written so far. @throws as `runsOf` */
export async function readJobLogs(context: ActionContext, { job, only }: JobSelection): Promise<JobLogs> {
  const runs = await runsOf(context, job, only);
  const shares = await Promise.all(
    runs.map(async (party) => {
      const [log, problem] = await settle(party, (run) => party.client.logs(run.id));
      return { ...viewShare(party, party.run, problem), log: log ?? '' };
    }),
  );
  return { job, shares };
}

/** The same live, from the beginning until every share has ended or `signal` says so. Lines go to the listener as they come. */
export async function followJobLogs(
  context: ActionContext,
  { job, only }: JobSelection,
  listener: RunListener,
  signal?: AbortSignal,
): Promise<JobLogs> {
  const runs = await runsOf(context, job, only);
  const shares = await Promise.all(
    runs.map(async (party) => {
      const lines: string[] = [];
      const collect: RunListener = {
        ...listener,
        onLog: (from, stream, text) => {
          lines.push(text);
          listener.onLog?.(from, stream, text);
        },
      };
      const [run, problem] = await settle(party, (started) => followRun(party, started, collect, signal));
      return { ...viewShare(party, run ?? party.run, problem), log: lines.join('\n') };
    }),
  );
  return { job, shares };
}

/** One daemon that fails does not end the others. */
async function settle<T>(
  party: PartyRun,
  work: (run: NonNullable<PartyRun['run']>) => Promise<T>,
): Promise<readonly [T | undefined, ToolkitError | undefined]> {
  if (party.run === undefined) return [undefined, party.problem];
  try {
    return [await work(party.run), undefined];
  } catch (error) {
    if (error instanceof ToolkitError) return [undefined, error];
    throw error;
  }
}
