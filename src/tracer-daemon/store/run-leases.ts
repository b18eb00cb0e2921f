import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ClaimedRun } from './run.js';
import { canceledFailure, changeState, lockRun, patchColumns, unheld } from './run-change.js';
import { runOf, toJson } from './run-row.js';
import { isLegalOutcome } from './run-state.js';
import type { RunRow } from './schema.js';
import type { RunStore } from './store.js';
import type { StoreSession, Write } from './store-session.js';

type LeaseMethods = 'claim' | 'claimSettling' | 'renewLease' | 'advance' | 'settle' | 'finish' | 'giveBack';
type Claimant = Parameters<RunStore['claim']>[0];

/** What the one worker that holds a run does with it. */
export function runLeases(session: StoreSession): Pick<RunStore, LeaseMethods> {
  const { backend } = session;

  const nextRow = (write: Write, state: 'queued' | 'settling'): Promise<RunRow | undefined> =>
    write.trx
      .selectFrom('runs')
      .selectAll()
      .where('state', '=', state)
      .where('worker_id', 'is', null)
      .orderBy(state === 'queued' ? 'queue_position' : 'seq')
      .limit(1)
      .$if(backend === 'postgres', (q) => q.forUpdate().skipLocked())
      .executeTakeFirst();

  return {
    claim: (by) =>
      session.write(async (write) => {
        const row = await nextRow(write, 'queued');
        if (row === undefined) return undefined;
        const held = heldBy(row, by, write.now);
        const run = await changeState(write, row, 'staging', { ...held, attempt: row.attempt + 1, started_at: write.now });
        return { run, lease: { runId: run.runId, workerId: by.workerId, fence: held.fence } };
      }),

    claimSettling: (by) =>
      session.write(async (write): Promise<ClaimedRun | undefined> => {
        const row = await nextRow(write, 'settling');
        if (row === undefined) return undefined;
        const held = heldBy(row, by, write.now);
        const after = await write.trx
          .updateTable('runs')
          .set(held)
          .where('run_id', '=', row.run_id)
          .returningAll()
          .executeTakeFirstOrThrow();
        return { run: runOf(after), lease: { runId: row.run_id, workerId: by.workerId, fence: held.fence } };
      }),

    renewLease: (lease, leaseMs) =>
      session.write(async ({ trx, now }) => {
        const { numUpdatedRows } = await trx
          .updateTable('runs')
          .set({ lease_expires_at: now + leaseMs })
          .where('run_id', '=', lease.runId)
          .where('fence', '=', lease.fence)
          .where('worker_id', '=', lease.workerId)
          .executeTakeFirst();
        return numUpdatedRows === 1n;
      }),

    advance: (lease, to, patch = {}) =>
      session.write(async (write) => {
        const row = await lockRun(write, backend, lease);
        if (row === undefined) return false;
        await changeState(write, row, to, {
          ...patchColumns(patch),
          ...(to === 'running' && (row.uses === 0 || row.again === 1) && { uses: row.uses + 1, again: 0 }),
        });
        return true;
      }),

    settle: (lease, { outcome, failure, ...patch }) =>
      session.write(async (write) => {
        const row = await lockRun(write, backend, lease);
        if (row === undefined) return false;
        if (!isLegalOutcome(row.state, outcome)) {
          throw new ToolkitError('DT_JOB_STATE', { id: row.job_id, state: row.state, needed: `a state that can end as ${outcome}` });
        }
        await changeState(write, row, 'settling', {
          ...patchColumns(patch),
          outcome,
          failure: failure === undefined ? null : toJson(failure),
        });
        return true;
      }),

    finish: (lease, receiptDigest) =>
      session.write(async (write) => {
        const row = await lockRun(write, backend, lease);
        if (row === undefined) return false;
        if (row.state !== 'settling' || row.outcome === null) {
          throw new ToolkitError('DT_JOB_STATE', { id: row.job_id, state: row.state, needed: 'settling' });
        }
        await changeState(write, row, row.outcome, {
          ...unheld(row),
          finished_at: write.now,
          receipt_digest: receiptDigest ?? null,
          settlement: receiptDigest === undefined ? 'none' : 'pending',
        });
        write.wake({ kind: receiptDigest === undefined ? 'due' : 'pending-settlement' });
        return true;
      }),

    giveBack: (lease) =>
      session.write(async (write) => {
        const row = await lockRun(write, backend, lease);
        if (row === undefined) return false;
        if (row.state === 'settling') {
          await write.trx.updateTable('runs').set(unheld(row)).where('run_id', '=', row.run_id).execute();
          write.wake({ kind: 'settling' });
        } else if (row.cancel_requested_by !== null) {
          const failure = canceledFailure(row, row.cancel_requested_by);
          await changeState(write, row, 'settling', { ...unheld(row), outcome: 'canceled', failure });
          write.wake({ kind: 'settling' });
        } else {
          await changeState(write, row, 'queued', { ...unheld(row), attempt: row.attempt - 1, started_at: null });
          write.wake({ kind: 'queued' });
        }
        return true;
      }),
  };
}

const heldBy = (row: RunRow, by: Claimant, now: number) => ({
  worker_id: by.workerId,
  fence: row.fence + 1,
  lease_expires_at: now + by.leaseMs,
});
