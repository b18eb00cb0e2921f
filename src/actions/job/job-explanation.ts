import { explainJob, explainUnresolved } from '../../catalog/explain-job.js';
import type { Explanation, ShareFacts } from '../../catalog/explanation.js';
import { parseAddress } from '../../documents/ids.js';
import { parseSignedReceipt } from '../../documents/receipt/receipt.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ActionContext } from '../action-context.js';
import { type JobParties, type PartyRun, partiesOf, runsIn } from './job-parties.js';
import { isFinalState, viewShare } from './share-view.js';

const LINES = 20;

/**
 * Why a job is as it is: asks the chain and every party's daemon at once, and joins what they say. A daemon that does not answer is part of
 * the answer.
 * @throws DT_JOB_UNKNOWN, DT_JOB_NOT_YOURS, DT_CHAIN_*
 */
export async function jobExplanation(context: ActionContext, job: bigint): Promise<Explanation & { readonly job: bigint }> {
  const resolved = await partiesOf(context, job).catch((error: unknown) => {
    if (!(error instanceof ToolkitError) || error.code === 'DT_JOB_UNKNOWN' || error.code.startsWith('DT_CHAIN_')) throw error;
    return error;
  });
  if (resolved instanceof ToolkitError) return { job, ...explainUnresolved(job, resolved) };
  return { job, ...(await explainResolved(context, job, resolved)) };
}

async function explainResolved(context: ActionContext, job: bigint, resolved: JobParties): Promise<Explanation> {
  const { facts, spec } = resolved;
  const asker = parseAddress(context.signer.address);
  const [runs, reports] = await Promise.all([runsIn(context, resolved), context.index.read((index) => index.job(job)?.reports)]);
  return explainJob({
    job,
    task: facts.job.task.id,
    algorithm: facts.root,
    isDemander: facts.job.demander === asker,
    asker,
    isJoint: spec.joint !== undefined,
    names: new Map([...facts.organizations].map(([address, { name }]) => [address, name])),
    shares: await Promise.all(runs.map((run) => shareFacts(run, reports?.get(run.token)?.state))),
  });
}

/** What only the explanation of a failure needs, or of one that does not go on. */
async function shareFacts(party: PartyRun, reported: string | undefined): Promise<ShareFacts> {
  const { run, client, problem } = party;
  const { receipt: digest, ...view } = viewShare(party, run, problem);
  const share = { ...view, ...(reported !== undefined && { reported }) };
  if (run === undefined) return share;
  if (!isFinalState(run.state)) {
    const health = await known(client.health());
    return { ...share, ...(health?.chain === 'failed' && { isChainDown: true }) };
  }
  if (run.state === 'succeeded') return share;
  const [log, signed] = await Promise.all([
    run.startedAt === undefined ? undefined : known(client.logs(run.id)),
    digest === undefined ? undefined : known(client.receipt(run.id).then(parseSignedReceipt)),
  ]);
  const lines = log?.split('\n').filter((line) => line !== '');
  return { ...share, ...(lines && { log: lines.slice(-LINES) }), ...(signed && { receipt: signed.receipt }) };
}

/** Undefined where it cannot be learnt: the rest is said without it. */
async function known<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ToolkitError) return undefined;
    throw error;
  }
}
