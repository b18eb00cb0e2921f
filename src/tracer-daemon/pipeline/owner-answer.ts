import { canonicalBytes } from '../../documents/canonical.js';
import { type Decision, digestOfDecision } from '../../documents/decision/decision.js';
import type { Address, Bytes32 } from '../../documents/ids.js';
import type { JobSpec, JobStep } from '../../documents/job/job-spec.js';
import { stepOf } from '../../documents/job/step-of.js';
import { approvalSubject } from '../../documents/receipt/owner-subject.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import type { Run } from '../store/run.js';
import { heldSubject } from './approval.js';
import { readEnding } from './ending-file.js';
import { problemOf } from './run-job.js';
import { inputOf, NO_DIGEST } from './settle.js';
import type { ReleasedOutput } from './stages.js';

type AnswerDeps = Pick<DaemonDeps, 'config' | 'records' | 'store' | 'organization' | 'commitmentKey' | 'now'>;

export type Word =
  | {
      readonly outcome: 'approved' | 'refused';
      readonly by: Address;
      readonly reason: string;
      readonly subject?: Bytes32;
      /** A no that was said before, of another job, and holds for this one. */
      readonly standing?: { readonly at: string; readonly job: bigint };
    }
  | { readonly outcome: 'expired' };

/** What the owner of a waiting run has to decide on, as it is now. */
export interface Subject {
  readonly step: JobStep;
  readonly subject: Bytes32;
  /** Digest of the data; of a request. */
  readonly data?: Bytes32;
  readonly outputs: readonly ReleasedOutput[];
}

/** @throws DT_JOB_STATE when nothing waits there, DT_DATASET_UNKNOWN when its data is gone */
export async function subjectOf(deps: AnswerDeps, run: Run): Promise<Subject> {
  const spec = await readRecord<JobSpec>(deps, run.specDigest);
  const step = spec && stepOf(spec, deps.organization, run.token);
  if (run.specDigest === undefined || step === undefined)
    throw new ToolkitError('DT_JOB_STATE', { id: run.jobId, state: 'without its job spec', needed: 'one' });
  if (run.state === 'held') {
    const ending = await readEnding(deps, run.runId);
    if (ending === undefined) throw new ToolkitError('DT_JOB_STATE', { id: run.jobId, state: 'without its outputs', needed: 'them' });
    return { step, outputs: ending.outputs, subject: heldSubject(run, ending) };
  }
  // To withdraw a no.
  if (run.state === 'refused' && run.approval?.outcome === 'refused') return { step, outputs: [], subject: run.approval.subject };
  if (run.state !== 'awaiting-approval')
    throw new ToolkitError('DT_JOB_STATE', { id: run.jobId, state: run.state, needed: 'one that waits for its owner' });
  const data = (await deps.store.datasets.get(run.token))?.sha256;
  if (data === undefined) throw new ToolkitError('DT_DATASET_UNKNOWN', { id: run.token });
  return { step, data, outputs: [], subject: approvalSubject(run.specDigest, step, inputOf(deps, run, data)) };
}

/**
 * The owner's word on a request or on outputs that wait for it, or that there was none in time, which is a no.
 * @throws DT_POLICY_CHANGED when it is about something else than what waits there now; DT_JOB_STATE
 */
export async function answerHold(deps: AnswerDeps, run: Run, word: Word): Promise<Run> {
  const standing = word.outcome === 'expired' ? undefined : word.standing;
  const at = standing?.at ?? new Date(deps.now()).toISOString();
  // A no needs nothing to look at: what it would have been about may be damaged or gone.
  const found = await subjectOf(deps, run).catch((error: unknown) => {
    if (word.outcome === 'approved') throw error;
    return undefined;
  });
  const subject = found?.subject ?? NO_DIGEST;
  if (word.outcome !== 'expired' && word.subject !== undefined && word.subject !== subject)
    throw new ToolkitError('DT_POLICY_CHANGED', { id: run.runId, subject: word.subject, actual: subject });
  if (word.outcome === 'approved')
    return deps.store.runs.answer(run.runId, { outcome: 'approved', by: word.by, reason: word.reason, at, subject });
  const what = run.state === 'held' ? 'the outputs' : 'the request';
  const deadline = new Date(run.deadlineAt ?? deps.now()).toISOString();
  const problem =
    word.outcome === 'expired'
      ? new ToolkitError('DT_POLICY_NO_ANSWER', { id: run.jobId, what, deadline })
      : new ToolkitError('DT_POLICY_REFUSED', { id: run.jobId, what, reason: reasonOf(word) });
  const answer = { outcome: word.outcome, at, subject, ...(word.outcome === 'refused' && { by: word.by, reason: word.reason }) };
  const decisionDigest = run.state === 'held' ? undefined : await refusal(deps, run, problem);
  return deps.store.runs.answer(run.runId, answer, { failure: problemOf(problem), ...(decisionDigest && { decisionDigest }) });
}

const reasonOf = ({ reason, by, standing }: Exclude<Word, { outcome: 'expired' }>): string =>
  standing === undefined ? reason : `${reason} (${by} said so of job ${standing.job} at ${standing.at}, and this asks for the same)`;

/** The decision with the owner's no in it, which is what peers of a joint job are shown. Its other clauses are as old as they were. */
async function refusal(deps: AnswerDeps, run: Run, { message }: ToolkitError): Promise<Bytes32 | undefined> {
  const before = await readRecord<Decision>(deps, run.decisionDigest);
  if (before === undefined) return undefined;
  const clause = { of: run.token, by: run.algorithm, pointer: '/services', rule: 'approval', passed: false } as const;
  const decision: Decision = {
    ...before,
    allowed: false,
    clauses: [...before.clauses, { ...clause, wouldPass: `the owner's approval. ${message}` }],
  };
  await deps.records.put(canonicalBytes(decision));
  return digestOfDecision(decision);
}

/** These bytes are our own and are verified against their digest when they are read. */
export async function readRecord<T>({ records }: Pick<DaemonDeps, 'records'>, digest: Bytes32 | undefined): Promise<T | undefined> {
  const bytes = digest && (await records.get(digest));
  return bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as T);
}
