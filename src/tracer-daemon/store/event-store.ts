import { lockRun } from './run-change.js';
import { toJson } from './run-row.js';
import { isFinal } from './run-state.js';
import type { EventRow } from './schema.js';
import type { EventStore, NewRunEvent, RunEvent } from './store.js';
import type { StoreSession } from './store-session.js';
import type { Waker } from './waker.js';

/** Rows of one INSERT: 5 parameters each, far below the limits of both databases. */
const INSERT_ROWS = 500;
const LONGEST_READ = 5000;

export class SqlEventStore implements EventStore {
  readonly #session: StoreSession;
  readonly #waker: Waker;

  constructor(session: StoreSession, waker: Waker) {
    this.#session = session;
    this.#waker = waker;
  }

  async append(to: Parameters<EventStore['append']>[0], events: readonly NewRunEvent[]): Promise<boolean> {
    return this.#session.write(async (write) => {
      // The lock on the run's row makes numbers visible in their order: a reader never passes by one that commits later.
      const row = await lockRun(write, this.#session.backend, to);
      if (row === undefined) return false;
      if (events.length === 0) return true;
      const rows = events.map(({ kind, time, payload }, index): EventRow => {
        return { run_id: row.run_id, seq: row.last_event_seq + 1 + index, time, kind, payload: toJson(payload) };
      });
      for (let start = 0; start < rows.length; start += INSERT_ROWS) {
        await write.trx
          .insertInto('events')
          .values(rows.slice(start, start + INSERT_ROWS))
          .execute();
      }
      await write.trx
        .updateTable('runs')
        .set({ last_event_seq: row.last_event_seq + rows.length })
        .where('run_id', '=', row.run_id)
        .execute();
      write.wake({ kind: 'events', runId: row.run_id });
      return true;
    });
  }

  async read(runId: string, afterSeq: number, limit: number): Promise<readonly RunEvent[]> {
    const rows = await this.#session.read((db) =>
      db
        .selectFrom('events')
        .selectAll()
        .where('run_id', '=', runId)
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(Math.min(Math.max(limit, 1), LONGEST_READ))
        .execute(),
    );
    return rows.map(eventOf);
  }

  async *follow(runId: string, options: Parameters<EventStore['follow']>[1]): AsyncGenerator<readonly RunEvent[], void, undefined> {
    const { signal, batch = 500 } = options;
    let afterSeq = options.afterSeq;
    let woken = false;
    let wake = (): void => undefined;
    const ring = (): void => {
      woken = true;
      wake();
    };
    // Subscribed before the first read: what is appended in between rings, and is read in the next round.
    const unsubscribe = this.#waker.subscribe((what) => {
      if (what.kind === 'resync' || (what.kind === 'events' && what.runId === runId)) ring();
    });
    signal.addEventListener('abort', ring, { once: true });
    try {
      while (!signal.aborted) {
        woken = false;
        // The end is looked at before the events, so that none that came with the end is missed.
        const ended = await this.#hasEnded(runId);
        const events = await this.read(runId, afterSeq, batch);
        const last = events.at(-1);
        if (last !== undefined) {
          afterSeq = last.seq;
          yield events;
        } else if (ended) {
          return;
        } else if (!woken) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', ring);
    }
  }

  async #hasEnded(runId: string): Promise<boolean> {
    const row = await this.#session.read((db) => db.selectFrom('runs').select('state').where('run_id', '=', runId).executeTakeFirst());
    return row === undefined || isFinal(row.state);
  }
}

// What lies in the payload column was written by this file and run-change.ts, by kind.
const eventOf = (row: EventRow): RunEvent => ({
  runId: row.run_id,
  seq: row.seq,
  time: row.time,
  kind: row.kind,
  payload: JSON.parse(row.payload),
});
