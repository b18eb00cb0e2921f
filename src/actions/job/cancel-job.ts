import { ToolkitError } from '../../errors/toolkit-error.js';
import { type ActionContext, step } from '../action-context.js';
import { runsOf } from './job-parties.js';
import type { JobSelection } from './job-status.js';
import { isFinalState, type ShareView, viewShare } from './share-view.js';

/**
 * Asks every daemon to end its share; those that have ended stay as they are.
 * @throws DT_JOB_STATE when no share is left to cancel, and as `runsOf`
 */
export async function cancelJob(
  context: ActionContext,
  { job, only }: JobSelection,
  reason?: string,
): Promise<{ readonly job: bigint; readonly shares: readonly ShareView[] }> {
  const runs = await runsOf(context, job, only);
  if (runs.every(({ run, problem }) => problem === undefined && (run === undefined || isFinalState(run.state)))) {
    const states = [...new Set(runs.map(({ run }) => run?.state ?? 'absent'))].join(', ');
    throw new ToolkitError('DT_JOB_STATE', { id: job, state: states, needed: 'a job that has not ended' });
  }
  const shares = await Promise.all(
    runs.map(async (party) => {
      const { run } = party;
      if (run === undefined || isFinalState(run.state)) return viewShare(party, run, party.problem);
      try {
        const work = () => party.client.cancel(run.id, reason);
        return viewShare(party, await step(context, `Cancel at ${party.ownerName}: ${party.assetName}`, work), undefined);
      } catch (error) {
        if (error instanceof ToolkitError) return viewShare(party, run, error);
        throw error;
      }
    }),
  );
  return { job, shares };
}
