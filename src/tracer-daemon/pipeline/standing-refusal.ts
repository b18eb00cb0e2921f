import { digestOf } from '../../documents/canonical.js';
import type { Bytes32 } from '../../documents/ids.js';
import type { JobSpec, JobStep } from '../../documents/job/job-spec.js';
import { stepOf } from '../../documents/job/step-of.js';
import { approvalSubject } from '../../documents/receipt/owner-subject.js';
import type { Run } from '../store/run.js';
import { answerHold, readRecord, subjectOf } from './owner-answer.js';
import { inputOf } from './settle.js';

/** Of one consumer for one leaf. Who pushes a refusal out of them has its owner asked again, no more. */
const MOST_RUNS = 100;

type RefusalDeps = Parameters<typeof answerHold>[0];

/**
 * A request for code, arguments and data that the owner has refused to the same consumer before is refused by the same word, without asking
 * for another: until it withdraws it, and that is its last word. @returns the run as it stands then
 */
export async function repeatRefusal(deps: RefusalDeps, run: Run): Promise<Run> {
  // What cannot be looked at waits for its owner.
  const found = await subjectOf(deps, run).catch(() => undefined);
  const refused = found?.data && (await lastWord(deps, run, found.step, found.data));
  if (refused?.approval?.outcome !== 'refused' || refused.approval.by === undefined) return run;
  const { by, at, reason = '' } = refused.approval;
  return answerHold(deps, run, { outcome: 'refused', by, reason, standing: { at, job: refused.jobId } });
}

/** The run that the owner's last word on the same was about; the first of them where that was repeated. */
async function lastWord(deps: RefusalDeps, { token, consumer, runId }: Run, step: JobStep, data: Bytes32): Promise<Run | undefined> {
  const whatRuns = (of: JobStep): Bytes32 => digestOf({ operator: of.operator.digest, arguments: of.arguments });
  let last: Run | undefined;
  for (const run of await deps.store.runs.list({ token, consumer, limit: MOST_RUNS })) {
    const { approval, specDigest } = run;
    if (run.runId === runId || specDigest === undefined || approval === undefined || approval.outcome === 'expired') continue;
    if (last?.approval !== undefined && approval.at < last.approval.at) continue;
    const spec = await readRecord<JobSpec>(deps, specDigest);
    const before = spec && stepOf(spec, deps.organization, token);
    if (before === undefined || whatRuns(before) !== whatRuns(step)) continue;
    if (approvalSubject(specDigest, before, inputOf(deps, run, data)) === approval.subject) last = run;
  }
  return last;
}
