import { ToolkitError } from '../../errors/toolkit-error.js';
import { canceledFailure, changeRun, changeState, lockRun, nextNumber, patchColumns, unheld } from './run-change.js';
import { expiryOf } from './run-queries.js';
import { runOf, toJson } from './run-row.js';
import { finalStates, waitingStates } from './run-state.js';
import type { RunStore } from './store.js';
import type { StoreSession } from './store-session.js';

type WaitMethods = 'park' | 'answer' | 'endWaiting' | 'setGrantsEnd' | 'nextDue' | 'lastApproved';

/** Runs that nobody works on: they wait for their owner, or for a worker, and something may end them meanwhile. */
export function runWaits(session: StoreSession): Pick<RunStore, WaitMethods> {
  const { backend } = session;
  return {
    park: (lease, to, { deadlineAt, grantsEndAt, ...patch }) =>
      session.write(async (write) => {
        const row = await lockRun(write, backend, lease);
        if (row === undefined) return false;
        if (row.cancel_requested_by !== null) {
          const failure = canceledFailure(row, row.cancel_requested_by);
          await changeState(write, row, 'settling', { ...unheld(row), outcome: 'canceled', failure });
          write.wake({ kind: 'settling' });
          return true;
        }
        // A request that is to be approved has not begun.
        const before = to === 'awaiting-approval' ? { attempt: row.attempt - 1, started_at: null } : {};
        const until = { deadline_at: deadlineAt, grants_end_at: grantsEndAt ?? null };
        await changeState(write, row, to, { ...patchColumns(patch), ...unheld(row), ...before, ...until });
        write.wake({ kind: 'due' });
        return true;
      }),

    answer: (runId, answer, refusal) =>
      session.write(async (write) => {
        const position = await nextNumber(write);
        const row = await lockRun(write, backend, { runId });
        if (row === undefined) throw new ToolkitError('DT_JOB_UNKNOWN', { id: runId });
        // The owner withdraws its no. This run has ended by it, and stays so.
        if (row.state === 'refused' && answer.outcome === 'approved' && runOf(row).approval?.outcome === 'refused')
          return changeRun(write, row, { approval: toJson(answer) }, { answer });
        if (row.state !== 'awaiting-approval' && row.state !== 'held')
          throw new ToolkitError('DT_JOB_STATE', { id: row.job_id, state: row.state, needed: 'one that waits for its owner' });
        // Not in time is no, also where nobody has come to say so yet.
        if (answer.outcome === 'approved' && row.deadline_at !== null && row.deadline_at <= write.now)
          throw new ToolkitError('DT_JOB_STATE', {
            id: row.job_id,
            state: 'past its deadline',
            needed: 'one that still waits for its owner',
          });
        const said = { [row.state === 'held' ? 'hold' : 'approval']: toJson(answer), deadline_at: null };
        write.wake({ kind: 'due' });
        if (answer.outcome === 'approved' && row.state === 'awaiting-approval') {
          write.wake({ kind: 'queued' });
          return changeState(write, row, 'queued', { ...said, queued_at: write.now, queue_position: position }, { answer });
        }
        write.wake({ kind: 'settling' });
        if (answer.outcome === 'approved') return changeState(write, row, 'settling', { ...said, outcome: 'succeeded' }, { answer });
        const { failure, decisionDigest } = refusal ?? {};
        const end = { outcome: 'refused', failure: toJson(failure), ...(decisionDigest && { decision_digest: decisionDigest }) } as const;
        return changeState(write, row, 'settling', { ...said, ...end }, { answer });
      }),

    endWaiting: (runId, failure) =>
      session.write(async (write) => {
        const row = await lockRun(write, backend, { runId });
        if (row === undefined || !(waitingStates as readonly string[]).includes(row.state)) return false;
        await changeState(write, row, 'settling', { outcome: 'failed', failure: toJson(failure), deadline_at: null });
        write.wake({ kind: 'settling' });
        return true;
      }),

    setGrantsEnd: (runId, at) =>
      session.write(async ({ trx }) => {
        await trx
          .updateTable('runs')
          .set({ grants_end_at: at ?? null })
          .where('run_id', '=', runId)
          .execute();
      }),

    nextDue: (retentionMs) =>
      session.read(async (db) => {
        const waiting = await db
          .selectFrom('runs')
          .select((e) => [e.fn.min('deadline_at').as('deadline'), e.fn.min('grants_end_at').as('grants')])
          .where('state', 'in', waitingStates)
          .executeTakeFirstOrThrow();
        const over = await db
          .selectFrom('runs')
          .select((e) => e.fn.min(expiryOf(retentionMs)).as('expiry'))
          .where('state', 'in', finalStates)
          .where('settlement', '<>', 'pending')
          .where('expired_at', 'is', null)
          .executeTakeFirstOrThrow();
        const times = [waiting.deadline, waiting.grants, over.expiry].filter((time) => time !== null);
        return times.length === 0 ? undefined : Math.min(...times);
      }),

    lastApproved: async (token) => {
      const rows = await session.read((db) =>
        db
          .selectFrom('runs')
          .selectAll()
          .where('token', '=', token)
          .where('approval', 'like', '%"approved"%')
          .orderBy('seq', 'desc')
          .limit(10)
          .execute(),
      );
      return rows.map(runOf).find(({ approval }) => approval?.outcome === 'approved');
    },
  };
}
