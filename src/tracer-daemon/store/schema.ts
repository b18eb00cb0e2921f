import type { Generated } from 'kysely';
import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import type { Role } from '../web/role.js';
import type { AccessTokenKind } from './access.js';
import type { Settlement } from './run.js';
import type { RunOutcome, RunState } from './run-state.js';

/** Columns as they lie in both databases: ids and JSON as text, times in ms, job ids as decimal text because they may pass 2^63. */
export interface Database {
  readonly schema_migrations: MigrationRow;
  readonly counters: { name: string; value: number };
  readonly nonces: { signer: Address; nonce: string; expires_at: number };
  readonly datasets: { token: TokenId; path: string; size_bytes: number; sha256: Bytes32; added_at: number };
  readonly runs: RunRow;
  readonly events: EventRow;
  readonly requests: RequestRow;
  readonly access_tokens: AccessTokenRow;
  readonly sessions: SessionRow;
}

export interface MigrationRow {
  number: number;
  name: string;
  applied_at: number;
}

export interface RunRow {
  run_id: string;
  seq: number;
  job_id: string;
  task_id: string;
  algorithm: TokenId;
  token: TokenId;
  consumer: Address;
  operator: TokenId;
  request_digest: Bytes32 | null;
  spec_digest: Bytes32 | null;
  decision_digest: Bytes32 | null;
  receipt_digest: Bytes32 | null;
  state: RunState;
  outcome: RunOutcome | null;
  attempt: number;
  /** How often its operator was started at the word of its consumer; and 1 while it waits to be so once more. */
  uses: number;
  again: number;
  max_attempts: number;
  failure: string | null;
  sandbox: string | null;
  cancel_requested_by: Address | null;
  cancel_reason: string | null;
  approval: string | null;
  hold: string | null;
  deadline_at: number | null;
  grants_end_at: number | null;
  retention_ms: number | null;
  settlement: Settlement;
  settlement_transaction: Bytes32 | null;
  /** Of the plan that it goes to the chain with, once there is one. */
  anchor_root: Bytes32 | null;
  anchor_proof: string | null;
  created_at: number;
  queued_at: number | null;
  queue_position: number | null;
  started_at: number | null;
  finished_at: number | null;
  expired_at: number | null;
  worker_id: string | null;
  fence: number;
  lease_expires_at: number | null;
  last_event_seq: number;
}

export interface EventRow {
  run_id: string;
  seq: number;
  time: number;
  kind: 'state' | 'log' | 'progress';
  payload: string;
}

export interface RequestRow {
  seq: Generated<number>;
  time: number;
  requester: Address | null;
  action: string;
  job_id: string | null;
  token: TokenId | null;
  status: number;
  code: string | null;
  via: string | null;
}

/** Of secrets only the digest is here: who reads the database cannot sign in. */
export interface AccessTokenRow {
  id: string;
  secret_digest: Bytes32;
  kind: AccessTokenKind;
  role: Role;
  label: string;
  scope: TokenId | null;
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

export interface SessionRow {
  id: string;
  secret_digest: Bytes32;
  access_token: string | null;
  role: Role;
  subject: string;
  scope: TokenId | null;
  created_at: number;
  seen_at: number;
  expires_at: number;
  ends_at: number;
}
