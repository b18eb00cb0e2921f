import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import type { OwnerAnswer } from '../../documents/receipt/receipt.js';
import type { AccessStore } from './access.js';
import type { ClaimedRun, Lease, NewRun, Run, RunPatch, RunProblem } from './run.js';
import type { RunOutcome, RunState } from './run-state.js';
import type { Waker } from './waker.js';

/** The daemon's memory. Whatever a method has returned survives a kill and a power cut. @throws DT_STORE_FAILED from any method */
export interface Store {
  readonly backend: 'sqlite' | 'postgres';
  readonly nonces: NonceStore;
  readonly datasets: DatasetStore;
  readonly runs: RunStore;
  readonly events: EventStore;
  readonly requests: RequestStore;
  /** Sessions of the page, and the tokens that open them. */
  readonly access: AccessStore;
  readonly waker: Waker;
  /** One round trip to the database, for the health check. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface NonceStore {
  /**
   * True once ever for a signer and its nonce. A nonce is forgotten only some time after its request's expiry, when the expiry
   * check refuses the request; so an expired request must not come here, and gets false.
   */
  useNonce(use: { signer: Address; nonce: string; expiresAt: number }): Promise<boolean>;
}

export interface Dataset {
  readonly token: TokenId;
  /** Absolute path of the owner's file. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Bytes32;
  readonly addedAt: number;
}

export interface DatasetStore {
  /** Replaces what was held for the token. */
  hold(dataset: Dataset): Promise<void>;
  get(token: TokenId): Promise<Dataset | undefined>;
  list(): Promise<readonly Dataset[]>;
  /** False when there was none. */
  drop(token: TokenId): Promise<boolean>;
}

export type EnqueueResult =
  | { readonly outcome: 'accepted'; readonly run: Run }
  | { readonly outcome: 'exists'; readonly run: Run }
  /** As many wait already, for a worker or, where it has to be approved, for the owner. */
  | { readonly outcome: 'full' }
  /** The quota is used up. */
  | { readonly outcome: 'spent' };

/** How many jobs may use a token with an operator. A job counts once it was accepted, whatever its end and however often it is run again. */
export interface RunQuota {
  readonly token: TokenId;
  readonly operator: TokenId;
  /** Of this consumer alone. */
  readonly consumer?: Address;
  /** Accepted at this time or later, ms. */
  readonly since: number;
  readonly limit: number;
}

export interface RunFilter {
  readonly consumer?: Address;
  /** Any of them. */
  readonly states?: readonly RunState[];
  readonly jobId?: bigint;
  readonly token?: TokenId;
  /** Waiting, and with a deadline or the end of a grant at or before this. */
  readonly dueAt?: number;
  /** 1 to 1000, 100 when missing. */
  readonly limit?: number;
  /** `seq` of the last run of the page before. */
  readonly before?: number;
}

/** Receipts that go to the chain together. */
export interface AnchorPlan {
  readonly root: Bytes32;
  readonly runs: readonly Run[];
}

export interface Recovered {
  /** Back in the queue, in their old places. */
  readonly requeued: readonly Run[];
  /** Out of attempts (DT_JOB_INTERRUPTED) or asked to stop (DT_JOB_CANCELED): they wait in settling for their receipt. */
  readonly ended: readonly Run[];
  /** Were settling when their worker died; `claimSettling` hands them out again. */
  readonly settling: readonly Run[];
}

/**
 * The queue and the record of all runs. The holder's methods take a lease and return false (undefined) when the run has been
 * taken over: the holder must then stop working on it and write nothing more. A step that the state machine does not know
 * throws DT_JOB_STATE: that is a mistake of the caller. Each change of state appends its 'state' event in the same commit.
 */
export interface RunStore {
  /**
   * Never two runs for one (jobId, token), never more than `queueLimit` queued, never more than the quota has.
   * The caller has checked that the consumer is the demander of the job: otherwise a stranger could occupy its place.
   */
  enqueue(run: NewRun, options: { queueLimit: number; quota?: RunQuota | undefined }): Promise<EnqueueResult>;
  /** Jobs that a quota counts; with `beforeSeq` those that came before that run. */
  countTowards(quota: RunQuota, beforeSeq?: number): Promise<number>;
  /** Stores a refusal at the door as a finished run; a receipt digest makes its settlement pending. The same caution as `enqueue`. */
  recordRefusal(
    run: NewRun,
    refusal: { failure: RunProblem; receiptDigest?: Bytes32 },
  ): Promise<{ readonly outcome: 'stored' | 'exists'; readonly run: Run }>;
  /** The oldest queued run goes to staging, with this worker. undefined: the queue is empty. */
  claim(by: { workerId: string; leaseMs: number }): Promise<ClaimedRun | undefined>;
  /** The oldest run that waits in settling without a worker: canceled in the queue, interrupted, or left by a dead worker. */
  claimSettling(by: { workerId: string; leaseMs: number }): Promise<ClaimedRun | undefined>;
  renewLease(lease: Lease, leaseMs: number): Promise<boolean>;
  /** staging to running, running to releasing. */
  advance(lease: Lease, to: 'running' | 'releasing', patch?: RunPatch): Promise<boolean>;
  /** Decides the end: to settling, still under the lease. 'succeeded' only from releasing; every other outcome with its failure. */
  settle(lease: Lease, end: RunEnd & RunPatch): Promise<boolean>;
  /** Settling to its outcome; gives the lease up. With a receipt digest its settlement is pending from then on. */
  finish(lease: Lease, receiptDigest: Bytes32 | undefined): Promise<boolean>;
  /**
   * For an orderly stop of the daemon: back to its place in the queue, and the attempt is not counted. A run that was asked to
   * stop, or is settling already, waits in settling instead.
   */
  giveBack(lease: Lease): Promise<boolean>;
  /**
   * Takes the runs of dead workers: those whose lease ran out; at the start of a daemon also those of its own earlier life (same
   * workerId), and, where the store is opened exclusively, of anyone.
   */
  recover(options: { workerId: string; atStart: boolean; now?: number }): Promise<Recovered>;
  /** When the next lease of another worker runs out, for one timer. undefined: none is held. */
  nextLeaseExpiry(workerId: string): Promise<number | undefined>;
  /**
   * 'canceled': it was queued and now settles as canceled. 'requested': its worker is told through the waker.
   * 'too-late': its end is decided. 'unknown': no such run.
   */
  requestCancel(runId: string, by: Address, reason?: string): Promise<'canceled' | 'requested' | 'too-late' | 'unknown'>;
  /**
   * A failed, canceled or, after it had started, refused run goes to the end of the queue with fresh attempts.
   * @throws DT_JOB_UNKNOWN, DT_JOB_STATE (also while its receipt is not anchored), DT_JOB_QUEUE_FULL
   */
  rerun(
    runId: string,
    options: {
      queueLimit: number;
      requestDigest?: Bytes32;
      /** It is no use by its consumer, and counts towards no quota. */
      byOwner?: boolean;
    } & RunPatch,
  ): Promise<Run>;
  /**
   * The worker hands a run to its owner: a request that needs its approval (again), from staging, or outputs that it has to look at, from
   * releasing. One that was asked to stop settles as canceled instead.
   */
  park(
    lease: Lease,
    to: 'awaiting-approval' | 'held',
    until: { deadlineAt: number; grantsEndAt: number | undefined } & RunPatch,
  ): Promise<boolean>;
  /**
   * The owner's word, or that there was none in time: a request goes on into the queue, outputs to settling as succeeded, and anything that
   * is not approved to settling as refused. A yes after a no to a request withdraws that: the run stays refused. @throws DT_JOB_UNKNOWN, DT_JOB_STATE when nothing waits there (any more)
   */
  answer(runId: string, answer: OwnerAnswer, refusal?: { failure: RunProblem; decisionDigest?: Bytes32 }): Promise<Run>;
  /** Ends a run that nobody works on. False when it does not wait (any more). */
  endWaiting(runId: string, failure: RunProblem): Promise<boolean>;
  /** What was learned of a run that waits: when its first grant ends now. */
  setGrantsEnd(runId: string, at: number | undefined): Promise<void>;
  /** The earliest deadline, end of a grant of a run that waits, or end of a retention time. undefined: none. */
  nextDue(retentionMs: number): Promise<number | undefined>;
  /** The newest run for the token whose request its owner has approved. */
  lastApproved(token: TokenId): Promise<Run | undefined>;
  get(runId: string): Promise<Run | undefined>;
  find(jobId: bigint, token: TokenId): Promise<Run | undefined>;
  /** Newest first. */
  list(filter?: RunFilter): Promise<readonly Run[]>;
  counts(): Promise<Readonly<Record<RunState, number>>>;
  /** Finished runs whose receipt is not on the chain yet, oldest first. */
  pendingSettlements(limit?: number): Promise<readonly Run[]>;
  /**
   * The oldest of them that no process is anchoring, and with it those of its plan: the plan that was made for it before, else a new one of
   * up to `limit` receipts. After `leaseMs` without `markAnchored` it may be claimed again, which is how the write is repeated when the chain
   * was down.
   */
  claimAnchor(by: { workerId: string; leaseMs: number; limit: number }): Promise<AnchorPlan | undefined>;
  /** All runs of the plan. False when there was nothing pending. */
  markAnchored(root: Bytes32, transaction: Bytes32): Promise<boolean>;
  /** Roots of the plans that are on the chain, of the latest receipts, the newest first. */
  lastAnchored(): Promise<readonly Bytes32[]>;
  /** The chain has lost it: all runs of the plan wait again, for the same plan. */
  reopenAnchor(root: Bytes32): Promise<void>;
  /**
   * Their retention time is over (the shorter of theirs and this one), they are anchored or have nothing to anchor, and their folders are
   * still there. Oldest first.
   */
  expirable(at: { now: number; retentionMs: number }, limit?: number): Promise<readonly Run[]>;
  /** After the folder is gone: deletes the events. The row stays, so the job cannot be run twice unnoticed. */
  markExpired(runId: string): Promise<boolean>;
}

export type RunEnd =
  | { readonly outcome: 'succeeded'; readonly failure?: undefined }
  | { readonly outcome: Exclude<RunOutcome, 'succeeded'>; readonly failure: RunProblem };

export interface StatePayload {
  readonly state: RunState;
  readonly attempt: number;
  readonly outcome?: RunOutcome;
  readonly failure?: RunProblem;
  /** On the event of a cancel request, whose state is unchanged. */
  readonly cancelRequestedBy?: Address;
  /** Of a run that waits for its owner: until when. */
  readonly deadlineAt?: number;
  /** On the event of the owner's word. */
  readonly answer?: OwnerAnswer;
  /** On the event of the chain write, whose state is unchanged. */
  readonly anchored?: Bytes32;
}

export interface LogPayload {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export type ProgressPayload = Readonly<Record<string, unknown>>;

/** `state` events are written by the run store alone, so they cannot lie. */
export type NewRunEvent =
  | { readonly kind: 'log'; readonly time: number; readonly payload: LogPayload }
  | { readonly kind: 'progress'; readonly time: number; readonly payload: ProgressPayload };

export type RunEvent = { readonly runId: string; readonly seq: number } & (
  | NewRunEvent
  | { readonly kind: 'state'; readonly time: number; readonly payload: StatePayload }
);

export interface EventStore {
  /** In one commit, in this order. Under a lease it returns false when the run was taken over. False also for an unknown run. */
  append(to: Lease | { readonly runId: string }, events: readonly NewRunEvent[]): Promise<boolean>;
  /** In order, those with a higher seq. Sequence numbers of one run have no gaps and become visible in order. */
  read(runId: string, afterSeq: number, limit: number): Promise<readonly RunEvent[]>;
  /**
   * Batches of events as they come, until the run is finished and all has been read, or the signal aborts (no error then).
   * To resume give the last seq seen.
   */
  follow(
    runId: string,
    options: { afterSeq: number; signal: AbortSignal; batch?: number },
  ): AsyncGenerator<readonly RunEvent[], void, undefined>;
}

/** One HTTP request, for the owner's audit. */
export interface RequestRecord {
  readonly time: number;
  /** Proven identity; undefined when there was no valid proof. */
  readonly requester: Address | undefined;
  /** Method and route pattern: `POST /v1/jobs`. */
  readonly action: string;
  readonly jobId: bigint | undefined;
  readonly token: TokenId | undefined;
  readonly status: number;
  /** Error code of the answer. */
  readonly code: string | undefined;
  /** Role and name behind a session or token, which acts for the organization; undefined for a signed request. */
  readonly via?: string | undefined;
}

export interface RequestStore {
  /** Keeps the newest rows up to the limit given to `openStore`. */
  record(request: RequestRecord): Promise<void>;
  /** Newest first; `before` is the `seq` of the last row of the page before. */
  list(filter?: { requester?: Address; limit?: number; before?: number }): Promise<readonly (RequestRecord & { readonly seq: number })[]>;
  /** Number of rows deleted. */
  prune(before: number): Promise<number>;
}
