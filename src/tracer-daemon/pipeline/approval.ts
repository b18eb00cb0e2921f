import { digestOf } from '../../documents/canonical.js';
import type { Bytes32 } from '../../documents/ids.js';
import type { JobStep } from '../../documents/job/job-spec.js';
import type { Run } from '../store/run.js';
import type { Ending } from './settle.js';
import type { ReleasedOutput } from './stages.js';

/** What the owner's approval of a request is about: code, arguments, data and all else that decides. One changed byte makes another. */
export const approvalSubject = (spec: Bytes32, { token, operator, arguments: given }: JobStep, data: Bytes32): Bytes32 =>
  digestOf({ kind: 'approval', spec, token, operator: operator.digest, arguments: given, data });

/** What the owner's approval of held outputs is about: these files of this run. */
export const holdSubject = (run: Pick<Run, 'runId' | 'specDigest'>, outputs: readonly ReleasedOutput[]): Bytes32 =>
  digestOf({ kind: 'hold', run: run.runId, spec: run.specDigest ?? null, outputs });

export const isApproved = ({ approval }: Pick<Run, 'approval'>, subject: Bytes32): boolean =>
  approval?.outcome === 'approved' && approval.subject === subject;

/** What was held leaves by the owner's yes to these very files, and by no other. What was not held needs none. */
export const isLetOut = (run: Pick<Run, 'runId' | 'specDigest' | 'hold'>, { end, held, outputs }: Ending): boolean =>
  end.outcome !== 'succeeded' || held === undefined || (run.hold?.outcome === 'approved' && run.hold.subject === holdSubject(run, outputs));
