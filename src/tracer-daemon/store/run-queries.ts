import { sql } from 'kysely';
import { lockRun } from './run-change.js';
import { countTowards } from './run-quota.js';
import { runOf } from './run-row.js';
import { finalStates, type RunState, runStates, waitingStates } from './run-state.js';
import type { RunFilter, RunStore } from './store.js';
import type { StoreSession } from './store-session.js';

const LONGEST_PAGE = 1000;
const page = (limit: number | undefined): number => Math.min(Math.max(limit ?? 100, 1), LONGEST_PAGE);

type QueryMethods = 'get' | 'find' | 'list' | 'counts' | 'countTowards' | 'expirable' | 'markExpired';

/** When the folder of a finished run is to go: the shorter of what its owners and the daemon allow. */
export const expiryOf = (retentionMs: number) =>
  sql<number>`finished_at + case when retention_ms < ${retentionMs} then retention_ms else ${retentionMs} end`;

/** Reading runs, and the end of their retention. */
export function runQueries(session: StoreSession): Pick<RunStore, QueryMethods> {
  return {
    get: async (runId) => {
      const row = await session.read((db) => db.selectFrom('runs').selectAll().where('run_id', '=', runId).executeTakeFirst());
      return row && runOf(row);
    },

    find: async (jobId, token) => {
      const row = await session.read((db) =>
        db.selectFrom('runs').selectAll().where('job_id', '=', jobId.toString()).where('token', '=', token).executeTakeFirst(),
      );
      return row && runOf(row);
    },

    list: async (filter: RunFilter = {}) => {
      const { consumer, states, jobId, token, dueAt, before } = filter;
      const rows = await session.read((db) =>
        db
          .selectFrom('runs')
          .selectAll()
          .where((e) =>
            e.and([
              ...(consumer === undefined ? [] : [e('consumer', '=', consumer)]),
              // An empty list fits nothing; PostgreSQL has no `in ()`.
              ...(states === undefined ? [] : [states.length === 0 ? e.lit(false) : e('state', 'in', states)]),
              ...(jobId === undefined ? [] : [e('job_id', '=', jobId.toString())]),
              ...(token === undefined ? [] : [e('token', '=', token)]),
              ...(dueAt === undefined
                ? []
                : [e('state', 'in', waitingStates), e.or([e('deadline_at', '<=', dueAt), e('grants_end_at', '<=', dueAt)])]),
              ...(before === undefined ? [] : [e('seq', '<', before)]),
            ]),
          )
          .orderBy('seq', 'desc')
          .limit(page(filter.limit))
          .execute(),
      );
      return rows.map(runOf);
    },

    countTowards: (quota, beforeSeq) => session.read((db) => countTowards(db, quota, beforeSeq)),

    counts: async () => {
      const rows = await session.read((db) =>
        db
          .selectFrom('runs')
          .select((e) => ['state', e.fn.countAll<number>().as('count')] as const)
          .groupBy('state')
          .execute(),
      );
      const counts: Record<RunState, number> = {
        'awaiting-approval': 0,
        queued: 0,
        staging: 0,
        running: 0,
        releasing: 0,
        held: 0,
        settling: 0,
        succeeded: 0,
        failed: 0,
        canceled: 0,
        refused: 0,
      };
      for (const { state, count } of rows) if (runStates.includes(state)) counts[state] = count;
      return counts;
    },

    expirable: async ({ now, retentionMs }, limit) => {
      const rows = await session.read((db) =>
        db
          .selectFrom('runs')
          .selectAll()
          .where('state', 'in', finalStates)
          .where(expiryOf(retentionMs), '<=', now)
          .where('settlement', '<>', 'pending')
          .where('expired_at', 'is', null)
          .orderBy('finished_at')
          .orderBy('seq')
          .limit(page(limit))
          .execute(),
      );
      return rows.map(runOf);
    },

    markExpired: (runId) =>
      session.write(async (write) => {
        const row = await lockRun(write, session.backend, { runId });
        // It may have been queued again since its folder was found to be old.
        if (row === undefined || row.expired_at !== null || row.finished_at === null || row.settlement === 'pending') return false;
        await write.trx.deleteFrom('events').where('run_id', '=', runId).execute();
        await write.trx.updateTable('runs').set({ expired_at: write.now }).where('run_id', '=', runId).execute();
        return true;
      }),
  };
}
