import type { JointRecord } from '../../documents/receipt/receipt.js';
import type { AuthorizedJob, ExecutedJob, JointPlace } from '../pipeline/stages.js';
import type { Lease, Run } from '../store/run.js';

/** One run of this organization in a joint computation. */
export interface JointRun {
  readonly runId: string;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly authorized: AuthorizedJob & { readonly joint: JointPlace };
  /** Called when all parties have agreed and the computation starts. */
  readonly onStart: () => Promise<void>;
}

export interface JointOutcome {
  readonly executed: ExecutedJob;
  readonly record: JointRecord;
}

/** Joint jobs at one daemon. */
export interface JointRuns {
  /**
   * This run's part of the joint computation, from its authorization to the moment from which all parties may release. A run that only
   * brings its data gets the outcome of the one that leads its seat.
   * @throws JointFailure, DT_JOINT_*, DT_LINK_*, DT_DATASET_*, RunAborted (of any run of the seat)
   */
  run(run: JointRun): Promise<JointOutcome>;
  /**
   * A run has ended, or was refused at the door. Runs that wait for it here end as well, and peers that still wait for it are told: of a
   * refusal, an end, or, if its part is released, of that.
   */
  over(run: Run): Promise<void>;
  /** A run waits for its owner's approval: peers that wait for it are told until when. */
  waits(run: Run): Promise<void>;
  stop(): void;
}
