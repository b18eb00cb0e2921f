import type { Kysely } from 'kysely';
import type { Bytes32 } from '../../documents/ids.js';
import { merkleTree } from '../../documents/receipt/merkle.js';
import { changeRun } from './run-change.js';
import { runOf, toJson } from './run-row.js';
import type { Database, RunRow } from './schema.js';
import type { RunStore } from './store.js';
import type { StoreSession } from './store-session.js';

type AnchorMethods = 'pendingSettlements' | 'claimAnchor' | 'markAnchored' | 'lastAnchored' | 'reopenAnchor';

/** As many as a reorganization may take. */
const MOST_ANCHORED = 1_000;

/**
 * The way of receipts to the chain. What goes there together is written down, with its root and proofs, before it is sent: the chain takes a
 * root once, so a daemon that was killed in between sends the very same again and learns whether it had come through.
 */
export function runAnchors(session: StoreSession): Pick<RunStore, AnchorMethods> {
  /** In one order for all who lock them. */
  const pending = (db: Kysely<Database>) =>
    db.selectFrom('runs').selectAll().where('settlement', '=', 'pending').orderBy('finished_at').orderBy('seq');

  const lock = session.backend === 'postgres';

  return {
    pendingSettlements: async (limit = 100) => {
      const rows = await session.read((db) =>
        pending(db)
          .limit(Math.min(Math.max(limit, 1), 1000))
          .execute(),
      );
      return rows.map(runOf);
    },

    // A finished run has no worker, so its lease columns serve the one process that writes its receipt to the chain.
    claimAnchor: (by) =>
      session.write(async ({ trx, now }) => {
        const free = pending(trx)
          .where((e) => e.or([e('lease_expires_at', 'is', null), e('lease_expires_at', '<=', now)]))
          .$if(lock, (q) => q.forUpdate());
        const oldest = await free.limit(1).executeTakeFirst();
        if (oldest === undefined) return undefined;
        const { anchor_root: planned } = oldest;
        const rows =
          planned === null
            ? await free.where('anchor_root', 'is', null).limit(by.limit).execute()
            : await pending(trx)
                .where('anchor_root', '=', planned)
                .$if(lock, (q) => q.forUpdate())
                .execute();
        const { root, proofs } = merkleTree(rows.map((row) => row.receipt_digest as Bytes32));
        const runs: RunRow[] = [];
        for (const [index, row] of rows.entries()) {
          const held = { worker_id: by.workerId, fence: row.fence + 1, lease_expires_at: now + by.leaseMs };
          const plan = { anchor_root: root, anchor_proof: toJson(proofs[index]) };
          const update = trx.updateTable('runs').set({ ...held, ...plan });
          runs.push(await update.where('run_id', '=', row.run_id).returningAll().executeTakeFirstOrThrow());
        }
        return { root, runs: runs.map(runOf) };
      }),

    markAnchored: (root, transaction) =>
      session.write(async (write) => {
        const rows = await pending(write.trx)
          .where('anchor_root', '=', root)
          .$if(lock, (q) => q.forUpdate())
          .execute();
        const free = { worker_id: null, lease_expires_at: null };
        for (const row of rows)
          await changeRun(write, row, { ...free, settlement: 'anchored', settlement_transaction: transaction }, { anchored: transaction });
        write.wake({ kind: 'due' });
        return rows.length > 0;
      }),

    lastAnchored: async () => {
      const rows = await session.read((db) =>
        db
          .selectFrom('runs')
          .select('anchor_root')
          .where('settlement', '=', 'anchored')
          .orderBy('finished_at', 'desc')
          .orderBy('seq', 'desc')
          .limit(MOST_ANCHORED)
          .execute(),
      );
      return [...new Set(rows.flatMap(({ anchor_root: root }) => (root === null ? [] : [root])))];
    },

    reopenAnchor: (root) =>
      session.write(async (write) => {
        const rows = await write.trx
          .selectFrom('runs')
          .selectAll()
          .where('settlement', '=', 'anchored')
          .where('anchor_root', '=', root)
          .$if(lock, (q) => q.forUpdate())
          .execute();
        for (const row of rows) await changeRun(write, row, { settlement: 'pending', settlement_transaction: null }, {});
        write.wake({ kind: 'pending-settlement' });
      }),
  };
}
