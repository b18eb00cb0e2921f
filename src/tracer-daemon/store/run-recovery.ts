import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Run } from './run.js';
import { canceledFailure, changeRun, changeState, lockRun, problemOf, unheld } from './run-change.js';
import { runOf, toJson } from './run-row.js';
import { isFinal, leasedStates, type RunState, waitingStates } from './run-state.js';
import type { RunRow } from './schema.js';
import type { RunStore } from './store.js';
import type { StoreSession, Write } from './store-session.js';

/** Runs whose worker died, and runs that someone wants to end. */
export function runRecovery(
  session: StoreSession,
  options: { readonly exclusive: boolean },
): Pick<RunStore, 'recover' | 'nextLeaseExpiry' | 'requestCancel'> {
  return {
    recover: ({ workerId, atStart, now }) =>
      session.write(async (write) => {
        const time = now ?? write.now;
        const dead = await write.trx
          .selectFrom('runs')
          .selectAll()
          .where('state', 'in', leasedStates)
          .where('worker_id', 'is not', null)
          .where((e) => {
            const expired = e.and([e('lease_expires_at', '<=', time), e('worker_id', '<>', workerId)]);
            if (!atStart) return expired;
            return options.exclusive ? e.lit(true) : e.or([expired, e('worker_id', '=', workerId)]);
          })
          .orderBy('seq')
          .$if(session.backend === 'postgres', (q) => q.forUpdate().skipLocked())
          .execute();
        const result = { requeued: [] as Run[], ended: [] as Run[], settling: [] as Run[] };
        for (const row of dead) await takeBack(write, row, result);
        return result;
      }),

    nextLeaseExpiry: async (workerId) => {
      const row = await session.read((db) =>
        db
          .selectFrom('runs')
          .select((e) => e.fn.min('lease_expires_at').as('at'))
          .where('state', 'in', leasedStates)
          .where('worker_id', '<>', workerId)
          .executeTakeFirst(),
      );
      return row?.at ?? undefined;
    },

    requestCancel: (runId, by, reason) =>
      session.write(async (write) => {
        const row = await lockRun(write, session.backend, { runId });
        if (row === undefined) return 'unknown';
        if (isFinal(row.state) || row.state === 'settling') return 'too-late';
        const asked = { cancel_requested_by: by, cancel_reason: reason ?? null };
        if ((waitingStates as readonly RunState[]).includes(row.state)) {
          const failure = canceledFailure({ ...row, ...asked }, by);
          await changeState(write, row, 'settling', { ...asked, deadline_at: null, outcome: 'canceled', failure });
          write.wake({ kind: 'settling' });
          return 'canceled';
        }
        if (row.cancel_requested_by === null) await changeRun(write, row, asked, { cancelRequestedBy: by });
        write.wake({ kind: 'cancel', runId });
        return 'requested';
      }),
  };
}

async function takeBack(write: Write, row: RunRow, result: { requeued: Run[]; ended: Run[]; settling: Run[] }): Promise<void> {
  if (row.state === 'settling') {
    const after = await write.trx
      .updateTable('runs')
      .set(unheld(row))
      .where('run_id', '=', row.run_id)
      .returningAll()
      .executeTakeFirstOrThrow();
    result.settling.push(runOf(after));
    write.wake({ kind: 'settling' });
  } else if (row.cancel_requested_by !== null) {
    const failure = canceledFailure(row, row.cancel_requested_by);
    result.ended.push(await changeState(write, row, 'settling', { ...unheld(row), outcome: 'canceled', failure }));
    write.wake({ kind: 'settling' });
  } else if (row.attempt < row.max_attempts) {
    result.requeued.push(await changeState(write, row, 'queued', unheld(row)));
    write.wake({ kind: 'queued' });
  } else {
    const failure = toJson(problemOf(new ToolkitError('DT_JOB_INTERRUPTED', { id: row.job_id, limit: row.max_attempts })));
    result.ended.push(await changeState(write, row, 'settling', { ...unheld(row), outcome: 'failed', failure }));
    write.wake({ kind: 'settling' });
  }
}
