import { randomUUID } from 'node:crypto';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { NewRun, Run } from './run.js';
import { addStateEvent, changeState, lockRun, nextNumber, patchColumns } from './run-change.js';
import { countTowards } from './run-quota.js';
import { runOf, toJson } from './run-row.js';
import { isFinal } from './run-state.js';
import type { RunRow } from './schema.js';
import type { RunStore } from './store.js';
import type { StoreSession, Write } from './store-session.js';

/** How runs come into the store and into the queue. Each takes the counter first, so they follow one another in every process. */
export function runQueue(session: StoreSession): Pick<RunStore, 'enqueue' | 'recordRefusal' | 'rerun'> {
  return {
    enqueue: (run, { queueLimit, quota }) =>
      session.write(async (write) => {
        const seq = await nextNumber(write);
        const existing = await findRun(write, run);
        if (existing !== undefined) return { outcome: 'exists', run: existing };
        const state = run.awaitsUntil === undefined ? 'queued' : 'awaiting-approval';
        if ((await countIn(write, state)) >= queueLimit) return { outcome: 'full' };
        if (quota !== undefined && (await countTowards(write.trx, quota)) >= quota.limit) return { outcome: 'spent' };
        const row = await insertRun(write, {
          ...firstRow(run, seq, write.now),
          state,
          deadline_at: run.awaitsUntil ?? null,
          ...(state === 'queued' && { queued_at: write.now, queue_position: seq }),
        });
        write.wake({ kind: 'due' });
        if (state === 'queued') write.wake({ kind: 'queued' });
        return { outcome: 'accepted', run: row };
      }),

    recordRefusal: (run, { failure, receiptDigest }) =>
      session.write(async (write) => {
        const seq = await nextNumber(write);
        const existing = await findRun(write, run);
        if (existing !== undefined) return { outcome: 'exists', run: existing };
        const stored = await insertRun(write, {
          ...firstRow(run, seq, write.now),
          state: 'refused',
          outcome: 'refused',
          failure: toJson(failure),
          finished_at: write.now,
          receipt_digest: receiptDigest ?? null,
          settlement: receiptDigest === undefined ? 'none' : 'pending',
        });
        if (receiptDigest !== undefined) write.wake({ kind: 'pending-settlement' });
        return { outcome: 'stored', run: stored };
      }),

    rerun: (runId, { queueLimit, requestDigest, byOwner = false, ...patch }) =>
      session.write(async (write) => {
        const position = await nextNumber(write);
        const row = await lockRun(write, session.backend, { runId });
        if (row === undefined) throw new ToolkitError('DT_JOB_UNKNOWN', { id: runId });
        requireRerunnable(row);
        if ((await countIn(write, 'queued')) >= queueLimit) throw new ToolkitError('DT_JOB_QUEUE_FULL', { limit: queueLimit });
        const run = await changeState(write, row, 'queued', {
          ...patchColumns(patch),
          ...(requestDigest === undefined ? {} : { request_digest: requestDigest }),
          receipt_digest: null,
          outcome: null,
          attempt: 0,
          again: !byOwner && row.uses > 0 && !wasInterrupted(row) ? 1 : 0,
          failure: null,
          sandbox: null,
          cancel_requested_by: null,
          cancel_reason: null,
          hold: null,
          settlement: 'none',
          settlement_transaction: null,
          anchor_root: null,
          anchor_proof: null,
          queued_at: write.now,
          queue_position: position,
          started_at: null,
          finished_at: null,
          expired_at: null,
        });
        write.wake({ kind: 'queued' });
        return run;
      }),
  };
}

/** It ended by the fault of its daemon alone. */
const wasInterrupted = ({ failure }: RunRow): boolean => failure !== null && JSON.parse(failure).code === 'DT_JOB_INTERRUPTED';

function requireRerunnable(row: RunRow): void {
  const refuse = (needed: string): ToolkitError => new ToolkitError('DT_JOB_STATE', { id: row.job_id, state: row.state, needed });
  if (!isFinal(row.state) || row.state === 'succeeded') throw refuse('failed, canceled or refused while it ran');
  if (row.state === 'refused' && row.started_at === null) throw refuse('a run that was refused while it ran, not at the door');
  // The receipt of the earlier run would otherwise never reach the chain.
  if (row.settlement === 'pending') throw refuse('the receipt of its earlier run on the chain first');
}

async function findRun(write: Write, { jobId, token }: NewRun): Promise<Run | undefined> {
  const row = await write.trx
    .selectFrom('runs')
    .selectAll()
    .where('job_id', '=', jobId.toString())
    .where('token', '=', token)
    .executeTakeFirst();
  return row && runOf(row);
}

async function countIn(write: Write, state: 'queued' | 'awaiting-approval'): Promise<number> {
  const { length } = await write.trx
    .selectFrom('runs')
    .select((e) => e.fn.countAll<number>().as('length'))
    .where('state', '=', state)
    .executeTakeFirstOrThrow();
  return length;
}

async function insertRun(write: Write, row: RunRow): Promise<Run> {
  await write.trx.insertInto('runs').values(row).execute();
  await addStateEvent(write, row);
  return runOf(row);
}

const firstRow = (run: NewRun, seq: number, now: number): Omit<RunRow, 'state'> => ({
  run_id: run.runId ?? randomUUID(),
  seq,
  job_id: run.jobId.toString(),
  task_id: run.taskId.toString(),
  algorithm: run.algorithm,
  token: run.token,
  consumer: run.consumer,
  operator: run.operator,
  request_digest: run.requestDigest ?? null,
  spec_digest: run.specDigest ?? null,
  decision_digest: run.decisionDigest ?? null,
  receipt_digest: null,
  outcome: null,
  attempt: 0,
  uses: 0,
  again: 0,
  max_attempts: run.maxAttempts,
  failure: null,
  sandbox: null,
  cancel_requested_by: null,
  cancel_reason: null,
  approval: null,
  hold: null,
  deadline_at: null,
  grants_end_at: run.grantsEndAt ?? null,
  retention_ms: run.retentionMs ?? null,
  settlement: 'none',
  settlement_transaction: null,
  anchor_root: null,
  anchor_proof: null,
  created_at: now,
  queued_at: null,
  queue_position: null,
  started_at: null,
  finished_at: null,
  expired_at: null,
  worker_id: null,
  fence: 0,
  lease_expires_at: null,
  last_event_seq: 1,
});
