import type { Bytes32 } from '../../documents/ids.js';
import { holdSubject } from '../../documents/receipt/owner-subject.js';
import type { Run } from '../store/run.js';
import { type Ending, NO_DIGEST } from './settle.js';
import type { ReleasedOutput } from './stages.js';

/** Of the outputs of a run that wait for its owner. */
export const heldSubject = (
  { requestDigest, specDigest, token }: Pick<Run, 'requestDigest' | 'specDigest' | 'token'>,
  { spec = specDigest, outputs }: Pick<Ending, 'spec'> & { readonly outputs: readonly ReleasedOutput[] },
): Bytes32 => holdSubject({ request: requestDigest ?? NO_DIGEST, spec: spec ?? NO_DIGEST, token, outputs });

export const isApproved = ({ approval }: Pick<Run, 'approval'>, subject: Bytes32): boolean =>
  approval?.outcome === 'approved' && approval.subject === subject;

/** What was held leaves by the owner's yes to these very files, and by no other. What was not held needs none. */
export const isLetOut = (run: Pick<Run, 'requestDigest' | 'specDigest' | 'token' | 'hold'>, ending: Ending): boolean =>
  ending.end.outcome !== 'succeeded' ||
  ending.held === undefined ||
  (run.hold?.outcome === 'approved' && run.hold.subject === heldSubject(run, ending));
