import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import type { OwnerAnswer } from '../../documents/receipt/receipt.js';
import type { ErrorCode } from '../../errors/codes.js';
import type { SandboxReport } from '../../sandbox/sandbox.js';
import type { RunOutcome, RunState } from './run-state.js';

/** Why a run did not succeed, in the shape of the HTTP problem. bigints in details are stored as decimal text. */
export interface RunProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** `pending`: finished with a receipt whose digest is not on the chain yet. `none`: there is nothing to anchor. */
export const settlements = ['none', 'pending', 'anchored'] as const;
export type Settlement = (typeof settlements)[number];

/** One owner's share of one job. Times are milliseconds since 1970. */
export interface Run {
  /** UUID; also the name of its job folder. */
  readonly runId: string;
  /** Order of creation in this store, from 1. Cursor of `list`. */
  readonly seq: number;
  readonly jobId: bigint;
  readonly taskId: bigint;
  readonly algorithm: TokenId;
  readonly token: TokenId;
  readonly consumer: Address;
  readonly operator: TokenId;
  readonly requestDigest: Bytes32 | undefined;
  readonly specDigest: Bytes32 | undefined;
  readonly decisionDigest: Bytes32 | undefined;
  readonly receiptDigest: Bytes32 | undefined;
  readonly state: RunState;
  /** Known from `settling` on. */
  readonly outcome: RunOutcome | undefined;
  /** Times that a worker took it from the queue, 0 while it waits for the first. */
  readonly attempt: number;
  /** Its consumer has it run again, after its operator was started so many times: each start is one more use of the data. */
  readonly again?: number;
  readonly maxAttempts: number;
  readonly failure: RunProblem | undefined;
  readonly sandbox: SandboxReport | undefined;
  readonly cancelRequestedBy: Address | undefined;
  readonly cancelReason: string | undefined;
  /** The owner's word on the request, and on the outputs. */
  readonly approval: OwnerAnswer | undefined;
  readonly hold: OwnerAnswer | undefined;
  /** When waiting for the owner ends. */
  readonly deadlineAt: number | undefined;
  /** When the first grant that it needs ends, for a run that waits. */
  readonly grantsEndAt: number | undefined;
  /** How long the owners of its data let its folder lie. */
  readonly retentionMs: number | undefined;
  readonly settlement: Settlement;
  /** Of the Merkle tree that its receipt goes to the chain with; it is there once the settlement is `anchored`. */
  readonly anchor: { readonly root: Bytes32; readonly proof: readonly Bytes32[] } | undefined;
  readonly settlementTransaction: Bytes32 | undefined;
  readonly createdAt: number;
  readonly queuedAt: number | undefined;
  /** Start of the current attempt; undefined: it never left the queue, or was refused at the door. */
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Its folder and events were removed when the retention time was over. */
  readonly expiredAt: number | undefined;
  readonly workerId: string | undefined;
  readonly leaseExpiresAt: number | undefined;
  /** Sequence number of its newest event, 0 when there is none. */
  readonly lastEventSeq: number;
}

export interface NewRun {
  /** Chosen by the store when missing. */
  readonly runId?: string;
  readonly jobId: bigint;
  readonly taskId: bigint;
  readonly algorithm: TokenId;
  readonly token: TokenId;
  readonly consumer: Address;
  readonly operator: TokenId;
  readonly maxAttempts: number;
  readonly requestDigest?: Bytes32;
  readonly specDigest?: Bytes32;
  readonly decisionDigest?: Bytes32;
  /** The owner has to approve it until then, before it is queued. */
  readonly awaitsUntil?: number;
  readonly grantsEndAt?: number;
  readonly retentionMs?: number;
}

/**
 * The right of one worker to change one run. `fence` grows with every change of hands and is never reset, so a worker that was
 * taken for dead cannot write any more, whatever its clock says.
 */
export interface Lease {
  readonly runId: string;
  readonly workerId: string;
  readonly fence: number;
}

export interface ClaimedRun {
  readonly run: Run;
  readonly lease: Lease;
}

/** What may be learned on the way; a key that is missing stays as it was. */
export interface RunPatch {
  readonly specDigest?: Bytes32;
  readonly decisionDigest?: Bytes32;
  readonly sandbox?: SandboxReport;
}
