import { resolveTree } from '../../catalog/resolve-facts.js';
import { checkLinked } from '../../constraints/check-facts.js';
import { requireAll } from '../../documents/decision/decision.js';
import type { TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { RunView } from '../../peers/daemon-client.js';
import { type ActionContext, step } from '../action-context.js';
import { type AskedShare, endAbandoned } from './end-abandoned.js';
import { followRun, type RunListener } from './follow-run.js';
import { type Party, partiesOf } from './job-parties.js';

export interface ExecJobParameters {
  readonly task: bigint;
  readonly algorithm: TokenId;
  /** Wait for the end of every share. */
  readonly wait: boolean;
  /** Told of every state and log line while waiting. */
  readonly listener?: RunListener;
  readonly signal?: AbortSignal;
}

export interface ExecJobResult {
  readonly job: bigint;
  readonly shares: readonly AskedShare[];
}

/**
 * Checks that a joint job can be linked, adds it on chain, resolves its spec, and sends a signed request to every owner's daemon at once. One owner's refusal is reported
 * with the answers of the others; nothing is hidden behind the first failure. Where they can only compute together, none waits for one that
 * has not taken its share.
 * @throws DT_ASSET_UNKNOWN, DT_POLICY_DENIED with nothing written, DT_CHAIN_REVERTED (closed task, missing grants, wrong owner), DT_DOCUMENT_*, DT_PEER_NO_ENDPOINT
 */
export async function execJob(context: ActionContext, parameters: ExecJobParameters): Promise<ExecJobResult> {
  const { algorithm, task } = parameters;
  // A job that cannot start stays on chain for ever.
  requireAll(algorithm, checkLinked(await resolveTree(context.ledger, context.content, algorithm)));
  const job = await step(context, 'Add the job', () => context.ledger.addJob(task, algorithm), String);
  const { parties, spec, specDigest } = await step(
    context,
    'Resolve its parties',
    () => partiesOf(context, job),
    ({ parties: all }) => `${all.length}`,
  );
  const ask = (party: Party) =>
    step(
      context,
      `${party.ownerName}: ${party.assetName}`,
      () => party.client.compute({ job, algorithm, dataToken: party.token, spec: specDigest }),
      ({ state }) => state,
    );
  const asked = parties.map((party) => answered(party, () => ask(party)));
  const ended = endAbandoned(spec, asked);
  const shares = await Promise.all(
    asked.map(async (answer): Promise<AskedShare> => {
      const { party, run } = await answer;
      if (run === undefined || !parameters.wait) return answer;
      return answered(party, () => followRun(party, run, parameters.listener, parameters.signal));
    }),
  );
  await ended;
  return { job, shares };
}

async function answered(party: Party, work: () => Promise<RunView>): Promise<AskedShare> {
  try {
    return { party, run: await work(), problem: undefined };
  } catch (error) {
    if (error instanceof ToolkitError) return { party, run: undefined, problem: error };
    throw error;
  }
}
