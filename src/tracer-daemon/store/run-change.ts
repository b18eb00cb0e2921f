import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Backend } from './migrations.js';
import type { Lease, Run, RunPatch, RunProblem } from './run.js';
import { runOf, toJson } from './run-row.js';
import { isLegal, type RunState } from './run-state.js';
import type { RunRow } from './schema.js';
import type { StatePayload } from './store.js';
import type { Write } from './store-session.js';

/** The row, locked until the end of the transaction; under a lease only while the lease holds. */
export async function lockRun(write: Write, backend: Backend, which: Lease | { readonly runId: string }): Promise<RunRow | undefined> {
  const row = await write.trx
    .selectFrom('runs')
    .selectAll()
    .where('run_id', '=', which.runId)
    .$if(backend === 'postgres', (q) => q.forUpdate())
    .executeTakeFirst();
  if (row === undefined || !('fence' in which)) return row;
  return row.fence === which.fence && row.worker_id === which.workerId ? row : undefined;
}

/**
 * The only place that changes a state. The row must be locked by this transaction (or be unreachable for others).
 * @throws DT_JOB_STATE for a step that the state machine does not know
 */
export async function changeState(
  write: Write,
  row: RunRow,
  state: RunState,
  columns: Partial<RunRow> = {},
  extra: Partial<StatePayload> = {},
): Promise<Run> {
  if (!isLegal(row.state, state))
    throw new ToolkitError('DT_JOB_STATE', { id: row.job_id, state: row.state, needed: `a state that leads to ${state}` });
  return changeRun(write, row, { ...columns, state }, extra);
}

/** Writes the columns and the 'state' event about them in one go. */
export async function changeRun(write: Write, row: RunRow, columns: Partial<RunRow>, extra: Partial<StatePayload>): Promise<Run> {
  const after = await write.trx
    .updateTable('runs')
    .set({ ...columns, last_event_seq: row.last_event_seq + 1 })
    .where('run_id', '=', row.run_id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await addStateEvent(write, after, extra);
  return runOf(after);
}

/** The event at `last_event_seq` of a row that has just been written. */
export async function addStateEvent(write: Write, row: RunRow, extra: Partial<StatePayload> = {}): Promise<void> {
  const payload: StatePayload = {
    state: row.state,
    attempt: row.attempt,
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.failure === null ? {} : { failure: JSON.parse(row.failure) }),
    ...(row.deadline_at === null ? {} : { deadlineAt: row.deadline_at }),
    ...extra,
  };
  await write.trx
    .insertInto('events')
    .values({ run_id: row.run_id, seq: row.last_event_seq, time: write.now, kind: 'state', payload: toJson(payload) })
    .execute();
  write.wake({ kind: 'events', runId: row.run_id });
}

/** The number under which the next run is created or queued. Holding the counter's row makes all enqueueing one after the other. */
export async function nextNumber(write: Write): Promise<number> {
  const { value } = await write.trx
    .updateTable('counters')
    .set((e) => ({ value: e('value', '+', 1) }))
    .where('name', '=', 'runs')
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

export const patchColumns = (patch: RunPatch): Partial<RunRow> => ({
  ...(patch.specDigest === undefined ? {} : { spec_digest: patch.specDigest }),
  ...(patch.decisionDigest === undefined ? {} : { decision_digest: patch.decisionDigest }),
  ...(patch.sandbox === undefined ? {} : { sandbox: toJson(patch.sandbox) }),
});

/** No one holds it; every earlier lease is void. */
export const unheld = (row: RunRow): Partial<RunRow> => ({ worker_id: null, lease_expires_at: null, fence: row.fence + 1 });

export const problemOf = ({ code, message, hint, details }: ToolkitError): RunProblem => ({ code, message, hint, details });

/** @param by who asked for it, which the row says */
export const canceledFailure = (row: Pick<RunRow, 'job_id' | 'cancel_reason'>, by: string): string =>
  toJson(problemOf(canceledBy(row.job_id, by, row.cancel_reason ?? undefined)));

export const canceledBy = (id: bigint | string, by: string, reason = 'it gave no reason'): ToolkitError =>
  new ToolkitError('DT_JOB_CANCELED', { id, by, reason });
