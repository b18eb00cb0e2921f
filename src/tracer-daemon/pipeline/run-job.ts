import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveSteps } from '../../constraints/resolve-steps.js';
import { deadlineMs } from '../../documents/ddo/release-terms.js';
import { type Bytes32, parseBytes32 } from '../../documents/ids.js';
import { approvalSubject } from '../../documents/receipt/owner-subject.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { forgetFinished, readFinished } from '../joint/finished-state.js';
import { JointFailure } from '../joint/joint-ending.js';
import { PeerEnded } from '../joint/joint-peer.js';
import type { ClaimedRun, Run, RunProblem } from '../store/run.js';
import { canceledBy } from '../store/run-change.js';
import type { RunEnd } from '../store/store.js';
import { isApproved, isLetOut } from './approval.js';
import { authorize } from './authorize.js';
import { endingFile, readEnding, writeEnding } from './ending-file.js';
import { writeEvidence } from './evidence-folder.js';
import { ExecutionError, executeJob } from './execute.js';
import { leafTerms } from './leaf-terms.js';
import { RELEASED, recallOutputs, releaseOutputs } from './release.js';
import { resolveRequest } from './resolve.js';
import { type AbortCause, RunAborted } from './run-aborted.js';
import { runQuota } from './run-limit.js';
import { type Ending, exitOf, inputOf, pathOnChain, writeReceipt } from './settle.js';
import { stageJob } from './stage.js';
import { type AdmittedJob, type AuthorizedJob, brand, type ExecutedJob, type JointPlace, type ResolvedRequest } from './stages.js';
import { tidyFolder } from './tidy-folder.js';

export interface RunContext {
  readonly claimed: ClaimedRun;
  readonly signal: AbortSignal;
  /** Called once the job is authorized, so that the worker can watch its grants. */
  readonly onAuthorized: (job: AuthorizedJob) => void;
}

/** One claimed run through stages 2 to 7. It never throws for what happens to a job: that becomes its outcome and receipt. */
export async function runJob(deps: DaemonDeps, context: RunContext): Promise<'ended' | 'lost' | 'parked' | 'given-back' | 'chain-down'> {
  const { lease, run } = context.claimed;
  const ending = await work(deps, context);
  if (ending === 'lost' || ending === 'parked') return ending;
  if (ending === 'given-back' || ending === 'chain-down') {
    if ((await finishedIn(deps, run.runId)) === undefined) await wipe(deps, run.runId, true);
    await deps.store.runs.giveBack(lease);
    return ending;
  }
  if (ending.end.outcome === 'succeeded') await wipe(deps, run.runId, false);
  else await withhold(deps, run.runId);
  const wiped = hasWiped(ending) && { wipedAt: new Date(deps.now()).toISOString() };
  const told = { ...ending, ...wiped, ...(await tidyFolder(join(deps.config.jobs.folder, run.runId))) };
  await writeEnding(deps, run.runId, told);
  const { end, sandbox, decision: decisionDigest, held } = told;
  if (end.outcome === 'succeeded' && held !== undefined) {
    const until = { deadlineAt: deps.now() + held.forMs, grantsEndAt: held.grantsEndAt };
    return (await deps.store.runs.park(lease, 'held', { ...until, ...(sandbox && { sandbox }) })) ? 'parked' : 'lost';
  }
  const settled = await deps.store.runs.settle(lease, { ...end, ...(sandbox && { sandbox }), ...(decisionDigest && { decisionDigest }) });
  if (settled) await finishRun(deps, context.claimed, told);
  return 'ended';
}

/** What was staged is gone by now. The data of a run that a joint job gave to the one that leads its seat goes with that one's. */
const hasWiped = ({ dataset, brings }: Ending): boolean => dataset !== undefined && brings !== true;

const finishedIn = (deps: DaemonDeps, runId: string) => readFinished(join(deps.config.jobs.folder, runId));

/** From settling to the final state: the receipt is written, its anchoring is pending. */
async function finishRun(deps: DaemonDeps, claimed: ClaimedRun, ending: Ending): Promise<void> {
  const run = (await deps.store.runs.get(claimed.run.runId)) ?? claimed.run;
  const receipt = ending.path.length === 0 ? undefined : await writeReceipt(deps, run, ending);
  if (receipt !== undefined) await writeEvidence(deps, run.runId, receipt);
  await deps.store.runs.finish(claimed.lease, receipt);
  // The receipt tells all of it now.
  await rm(endingFile(deps, run.runId), { force: true });
  if (receipt !== undefined && ending.end.outcome === 'succeeded') await forgetFinished(join(deps.config.jobs.folder, run.runId));
  const over = await deps.store.runs.get(claimed.run.runId);
  // For peers that still wait. Nobody here waits for it, and their own bounds end it otherwise.
  if (over !== undefined) deps.joint.over(over).catch((error) => deps.log.warn({ err: error, run: run.runId }, 'peers could not be told'));
}

/** A run whose end was decided but that has no receipt: canceled in the queue, interrupted once too often, or killed in between. */
export async function settleRun(deps: DaemonDeps, claimed: ClaimedRun): Promise<void> {
  const { run } = claimed;
  const left = run.startedAt === undefined ? undefined : await readEnding(deps, run.runId);
  if (left !== undefined && left.end.outcome === run.outcome && isLetOut(run, left)) return finishRun(deps, claimed, left);
  if (run.startedAt !== undefined) await withhold(deps, run.runId);
  const failure = run.failure ?? problemOf(new ToolkitError('DT_JOB_INTERRUPTED', { id: run.jobId, limit: run.maxAttempts }));
  const outcome = run.outcome === undefined || run.outcome === 'succeeded' ? 'failed' : run.outcome;
  const sandbox = run.sandbox && { sandbox: run.sandbox };
  const files = run.startedAt === undefined ? {} : await tidyFolder(join(deps.config.jobs.folder, run.runId));
  // Of outputs that were held and do not leave, the rest of the story stands.
  const known = left?.held === undefined ? { path: await pathOf(deps, run), ...sandbox } : left;
  await finishRun(deps, claimed, { ...known, end: { outcome, failure }, outputs: [], ...files });
}

async function work(deps: DaemonDeps, context: RunContext): Promise<Ending | 'given-back' | 'lost' | 'parked' | 'chain-down'> {
  const { claimed, signal } = context;
  const { run, lease } = claimed;
  let known: Omit<Ending, 'end'> | undefined;
  let spec: Bytes32 | undefined;
  try {
    signal.throwIfAborted();
    const resolved = await resolveAgain(deps, run);
    spec = resolved.specDigest;
    const quota = runQuota(resolved, run.createdAt);
    const earlier = quota === undefined ? 0 : (run.again ?? 0) + (await deps.store.runs.countTowards(quota, run.seq));
    const authorized = await authorize(deps, resolved, earlier);
    const { id, version, digest } = authorized.step.operator;
    known = { path: authorized.path, ddo: authorized.step.ddo, operator: { id, version, digest }, outputs: [] };
    context.onAuthorized(authorized);
    const { joint, grantsEndAt, data } = authorized;
    if (await awaitsApproval(deps, context.claimed, authorized)) return 'parked';
    const begin = async (): Promise<void> => {
      known = { ...(known as Omit<Ending, 'end'>), ...(data && { dataset: data }), ...(joint?.leads === false && { brings: true }) };
      signal.throwIfAborted();
      const held = await deps.store.runs.advance(lease, 'running', { decisionDigest: authorized.decisionDigest });
      if (!held) throw new RunAborted({ kind: 'lost' });
    };
    const executed = joint === undefined ? await runAlone(deps, context, authorized, begin) : await runJointly();
    known = { ...known, ...exitOf(executed.exit) };
    if (!(await deps.store.runs.advance(lease, 'releasing', { sandbox: executed.exit.report }))) return 'lost';
    // What a run that only brought its data computed is released by the one that leads.
    const released = joint?.leads === false ? { outputs: [] } : await releaseOutputs(executed);
    const { outputs, withheld, holdMs } = 'executed' in released ? released : { ...released, withheld: undefined, holdMs: undefined };
    // All parties of a joint job release, once they have confirmed it to each other.
    if (joint === undefined) signal.throwIfAborted();
    const held = holdMs !== undefined && { held: { forMs: holdMs, ...(grantsEndAt !== undefined && { grantsEndAt }) } };
    return { ...known, outputs, ...(withheld !== undefined && { withheld }), ...held, end: { outcome: 'succeeded' } };

    async function runJointly(): Promise<ExecutedJob> {
      let begun = false;
      const onStart = async (): Promise<void> => {
        if (!begun) await begin();
        begun = true;
      };
      const place = authorized as typeof authorized & { joint: JointPlace };
      const outcome = await deps.joint.run({ runId: run.runId, lease, signal, authorized: place, onStart });
      known = { ...(known as Omit<Ending, 'end'>), joint: outcome.record };
      return outcome.executed;
    }
  } catch (error) {
    if (error instanceof ExecutionError && known !== undefined) known = { ...known, ...exitOf(error.exit) };
    if (error instanceof JointFailure && known !== undefined)
      known = { ...known, joint: error.record, ...(error.exit && exitOf(error.exit)) };
    const reason = signal.aborted ? signal.reason : error;
    if (reason instanceof RunAborted && reason.abort.kind === 'stop') return 'given-back';
    if (reason instanceof RunAborted && reason.abort.kind === 'lost') return 'lost';
    const problem =
      error instanceof ExecutionError || error instanceof JointFailure || error instanceof PeerEnded
        ? error.problem
        : shown(toToolkitError(error), run.runId);
    // Nothing is wrong with the job: it waits in its place until the chain answers again.
    if (!signal.aborted && problem.retryable && problem.code.startsWith('DT_CHAIN_')) return 'chain-down';
    const end = reason instanceof RunAborted ? abortedEnd(run, reason.abort) : failedEnd(problem);
    if (problem.code === 'DT_BUG_UNEXPECTED' && !signal.aborted) deps.log.error({ err: error, run: run.runId }, 'run failed unexpectedly');
    // The decision that refused it, where the first one had allowed it: it is on disk, and may be about another spec by now.
    const { decision } = problem.details;
    const refusal = problem.code === 'DT_POLICY_DENIED' && decision !== undefined && { spec, decision: parseBytes32(decision) };
    return {
      ...(known ?? { path: await pathOf(deps, run), outputs: [] }),
      ...(spec !== undefined && refusal && { ...refusal, spec }),
      end,
    };
  }
}

/**
 * Whether the owner has to look at the request (again): at another one than it has approved, be it a byte of the data. Peers of a joint job
 * are told to wait.
 */
async function awaitsApproval(deps: DaemonDeps, { run, lease }: ClaimedRun, authorized: AuthorizedJob): Promise<boolean> {
  const { step, request, data, grantsEndAt, decisionDigest } = authorized;
  const asked = leafTerms(request, step.token)?.approval;
  if (asked === undefined || data === undefined) return false;
  if (isApproved(run, approvalSubject(request.specDigest, step, inputOf(deps, run, data)))) return false;
  await deps.store.runs.park(lease, 'awaiting-approval', { deadlineAt: deps.now() + deadlineMs(asked), grantsEndAt, decisionDigest });
  deps.joint.waits(run).catch((error) => deps.log.warn({ err: error, run: run.runId }, 'peers could not be told'));
  return true;
}

async function runAlone(
  deps: DaemonDeps,
  { claimed, signal }: RunContext,
  authorized: AuthorizedJob,
  begin: () => Promise<void>,
): Promise<ExecutedJob> {
  const staged = await stageJob(deps, authorized, claimed.run.runId, signal);
  await begin();
  return executeJob(deps, staged, claimed.lease, signal);
}

/** What failed inside is for the owner's log: its words may name folders of this machine. */
const shown = (problem: ToolkitError, runId: string): ToolkitError =>
  problem.code === 'DT_BUG_UNEXPECTED'
    ? new ToolkitError('DT_BUG_UNEXPECTED', { reason: `the daemon's owner finds it in the log by the run ${runId}` }, problem)
    : problem;

const failedEnd = (problem: ToolkitError): RunEnd => ({
  outcome: problem.code.startsWith('DT_POLICY_') ? 'refused' : 'failed',
  failure: problemOf(problem),
});

/** The same request once more, now: what was signed is in the run; chain and documents are read afresh. */
export async function resolveAgain(deps: DaemonDeps, run: Run): Promise<ResolvedRequest> {
  const { jobId, algorithm, token, consumer, specDigest } = run;
  if (specDigest === undefined) throw new ToolkitError('DT_JOB_STATE', { id: run.runId, state: 'without a job spec', needed: 'one' });
  return resolveRequest(deps, brand<AdmittedJob>({ job: jobId, algorithm, token, signer: consumer, signedSpec: specDigest }));
}

function abortedEnd(run: Run, abort: AbortCause): RunEnd {
  if (abort.kind === 'revoked') return { outcome: 'failed', failure: revoked(run, abort.reason) };
  const by = abort.by ?? run.cancelRequestedBy ?? 'its owner';
  return { outcome: 'canceled', failure: problemOf(canceledBy(run.jobId, by, abort.reason ?? run.cancelReason)) };
}

export const revoked = ({ jobId }: Pick<Run, 'jobId'>, reason = 'a grant was revoked'): RunProblem =>
  problemOf(new ToolkitError('DT_JOB_REVOKED', { id: jobId, reason }));

export function problemOf(error: ToolkitError): RunProblem {
  return { code: error.code, message: error.message, hint: error.hint, details: error.details };
}

/** Algorithm to leaf, for a run that ended before it was authorized again; empty when it cannot be told, and then nothing is anchored. */
async function pathOf(deps: DaemonDeps, run: Run): Promise<readonly Run['token'][]> {
  try {
    const { facts } = await resolveAgain(deps, run);
    if (run.token === facts.root) return [facts.root];
    const algorithm = facts.ddos.get(facts.root);
    const steps = algorithm === undefined ? [] : resolveSteps(algorithm, facts.ddos).steps;
    return pathOnChain(facts, steps.find((step) => step.token === run.token)?.path ?? []);
  } catch (error) {
    deps.log.warn({ err: error, run: run.runId }, 'the path of an ended run cannot be read');
    return [];
  }
}

/**
 * Nothing of a run that did not succeed leaves. But once the operators of a joint job have all ended well, a peer may have released its
 * part without this side's knowing, so that a rerun must find this one: the results stay where they are, in no receipt and at no address.
 */
async function withhold(deps: DaemonDeps, runId: string): Promise<void> {
  if ((await finishedIn(deps, runId)) === undefined) return wipe(deps, runId, true);
  const folder = join(deps.config.jobs.folder, runId);
  await recallOutputs(folder);
  for (const part of ['inputs', RELEASED]) await rm(join(folder, part), { recursive: true, force: true });
}

/** Staged data does not outlive the run, and what a failed one wrote does not leave; logs stay for the retention time. */
async function wipe(deps: DaemonDeps, runId: string, released: boolean): Promise<void> {
  const folder = join(deps.config.jobs.folder, runId);
  if (released) await forgetFinished(folder);
  for (const part of ['inputs', 'outputs', ...(released ? [RELEASED] : [])]) await rm(join(folder, part), { recursive: true, force: true });
}
