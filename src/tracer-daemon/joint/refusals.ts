import type { Bytes32 } from '../../documents/ids.js';
import type { JointSeat } from '../../documents/job/joint-group.js';
import type { ErrorDetails } from '../../errors/toolkit-error.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Run } from '../store/run.js';
import { parseRefusal, type Refusal } from './joint-wire.js';
import { signDecision } from './sign-decision.js';

const LONGEST_REASON = 1_500;

/** This organization's refusal of a run, signed. */
export async function ownRefusal(deps: Parameters<typeof signDecision>[0], run: Run, { seat }: JointSeat): Promise<Refusal> {
  const decision = (run.failure?.details['decision'] ?? run.decisionDigest) as Bytes32;
  const about = { job: run.jobId, spec: run.specDigest as Bytes32 };
  const signed = await signDecision(deps, about, { token: run.token, decision, allowed: false });
  return { seat, decisions: [signed], reason: (run.failure?.message ?? 'it was refused').slice(0, LONGEST_REASON) };
}

/** What ends a joint job for everyone who learns of a refusal. The refusal goes with it, so that whoever is told of this end learns the same. */
export const refusedBy = (name: string, refusal: Refusal): ToolkitError =>
  new ToolkitError('DT_JOINT_REFUSED', { peer: name, reason: refusal.reason, refusal });

/** The refusal that an end followed from. */
export function refusalIn(details: ErrorDetails): Refusal | undefined {
  const refusal = details['refusal'];
  return refusal === undefined ? undefined : parseRefusal(refusal, (reason) => new ToolkitError('DT_BUG_UNEXPECTED', { reason }));
}
