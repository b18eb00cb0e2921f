import type { Run } from './run.js';
import type { RunRow } from './schema.js';

/** bigints in problem details become decimal text: they are shown, never calculated with. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? inner.toString() : inner));

export const runOf = (row: RunRow): Run => ({
  runId: row.run_id,
  seq: row.seq,
  jobId: BigInt(row.job_id),
  taskId: BigInt(row.task_id),
  algorithm: row.algorithm,
  token: row.token,
  consumer: row.consumer,
  operator: row.operator,
  requestDigest: row.request_digest ?? undefined,
  specDigest: row.spec_digest ?? undefined,
  decisionDigest: row.decision_digest ?? undefined,
  receiptDigest: row.receipt_digest ?? undefined,
  state: row.state,
  outcome: row.outcome ?? undefined,
  attempt: row.attempt,
  ...(row.again === 1 && { again: row.uses }),
  maxAttempts: row.max_attempts,
  failure: row.failure === null ? undefined : JSON.parse(row.failure),
  sandbox: row.sandbox === null ? undefined : JSON.parse(row.sandbox),
  cancelRequestedBy: row.cancel_requested_by ?? undefined,
  cancelReason: row.cancel_reason ?? undefined,
  approval: row.approval === null ? undefined : JSON.parse(row.approval),
  hold: row.hold === null ? undefined : JSON.parse(row.hold),
  deadlineAt: row.deadline_at ?? undefined,
  grantsEndAt: row.grants_end_at ?? undefined,
  retentionMs: row.retention_ms ?? undefined,
  settlement: row.settlement,
  anchor:
    row.anchor_root === null || row.anchor_proof === null ? undefined : { root: row.anchor_root, proof: JSON.parse(row.anchor_proof) },
  settlementTransaction: row.settlement_transaction ?? undefined,
  createdAt: row.created_at,
  queuedAt: row.queued_at ?? undefined,
  startedAt: row.started_at ?? undefined,
  finishedAt: row.finished_at ?? undefined,
  expiredAt: row.expired_at ?? undefined,
  workerId: row.worker_id ?? undefined,
  leaseExpiresAt: row.lease_expires_at ?? undefined,
  lastEventSeq: row.last_event_seq,
});
