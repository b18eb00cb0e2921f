import { ToolkitError } from '../../errors/toolkit-error.js';
import type { RunView } from '../../peers/daemon-client.js';
import { type ActionContext, step } from '../action-context.js';
import { type AskedShare, endAbandoned } from './end-abandoned.js';
import { followRun, lastEventOf, type RunListener } from './follow-run.js';
import { type PartyRun, partiesOf, runsIn } from './job-parties.js';
import type { JobSelection } from './job-status.js';
import { isFinalState, type ShareView, viewShare } from './share-view.js';

export interface RerunJobParameters extends JobSelection {
  readonly wait: boolean;
  readonly listener?: RunListener;
  readonly signal?: AbortSignal;
}

/**
 * Runs every share again that has not succeeded, and asks daemons that never got the request. Shares that succeeded or still run stay.
 * @throws DT_JOB_STATE when there is none, and as `runsOf`
 */
export async function rerunJob(
  context: ActionContext,
  parameters: RerunJobParameters,
): Promise<{ readonly job: bigint; readonly shares: readonly ShareView[] }> {
  const { job, only } = parameters;
  const resolved = await partiesOf(context, job);
  const runs = await runsIn(context, resolved, only);
  const { facts, spec, specDigest } = resolved;
  const again = (party: PartyRun): boolean =>
    party.problem === undefined && (party.run === undefined || (isFinalState(party.run.state) && party.run.state !== 'succeeded'));
  if (!runs.some(again) && runs.every(({ problem }) => problem === undefined)) {
    const states = [...new Set(runs.map(({ run }) => run?.state ?? 'absent'))].join(', ');
    throw new ToolkitError('DT_JOB_STATE', { id: job, state: states, needed: 'a share that failed, was refused or canceled' });
  }
  const start = ({ client, run, token }: PartyRun): Promise<RunView> =>
    run === undefined ? client.compute({ job, algorithm: facts.root, dataToken: token, spec: specDigest }) : client.rerun(run.id);
  const restart = async (party: PartyRun): Promise<AskedShare & { readonly before?: string | undefined }> => {
    if (!again(party)) return { party, run: undefined, problem: party.problem };
    try {
      const isWatched = parameters.wait && parameters.listener !== undefined && party.run !== undefined;
      const before = isWatched ? await lastEventOf(party, party.run, parameters.signal) : undefined;
      const title = `${party.ownerName}: ${party.assetName}`;
      const run = await step(
        context,
        title,
        () => start(party),
        ({ state }) => state,
      );
      return { party, run, problem: undefined, before };
    } catch (error) {
      if (error instanceof ToolkitError) return { party, run: undefined, problem: error };
      throw error;
    }
  };
  const restarted = runs.map((party) => ({ party, started: restart(party) }));
  const ended =
    only === undefined
      ? endAbandoned(
          spec,
          restarted.map(({ started }) => started),
        )
      : undefined;
  const shares = await Promise.all(
    restarted.map(async ({ party, started }): Promise<ShareView> => {
      const { run, problem, before } = await started;
      if (run === undefined) return viewShare(party, party.run, problem);
      if (!parameters.wait) return viewShare(party, run, undefined);
      try {
        return viewShare(party, await followRun(party, run, parameters.listener, parameters.signal, before), undefined);
      } catch (error) {
        if (error instanceof ToolkitError) return viewShare(party, party.run, error);
        throw error;
      }
    }),
  );
  await ended;
  return { job, shares };
}
