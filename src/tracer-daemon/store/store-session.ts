import { type Kysely, sql, type Transaction } from 'kysely';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Backend } from './migrations.js';
import type { Database } from './schema.js';
import { encodeSignal, type WakeSignal } from './waker.js';

/** One write transaction. `wake` signals are sent when, and only when, it commits. */
export interface Write {
  readonly trx: Transaction<Database>;
  readonly now: number;
  wake(signal: WakeSignal): void;
}

export interface SessionOptions {
  readonly db: Kysely<Database>;
  readonly backend: Backend;
  readonly now: () => number;
  /** How committed signals leave: into this process, or into a NOTIFY channel. */
  readonly signals: { readonly emit: (signal: WakeSignal) => void } | { readonly channel: string };
}

/** The one way into the database: transactions, the signals of a commit, and errors of the driver turned into ours. */
export class StoreSession {
  readonly backend: Backend;
  readonly now: () => number;
  readonly #db: Kysely<Database>;
  readonly #signals: SessionOptions['signals'];

  constructor(options: SessionOptions) {
    this.#db = options.db;
    this.backend = options.backend;
    this.now = options.now;
    this.#signals = options.signals;
  }

  /** Single statements, each committed by itself. @throws DT_STORE_FAILED */
  async read<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
    return translated(() => work(this.#db));
  }

  /**
   * Everything or nothing. `work` awaits nothing but its statements: the only connection of SQLite is held meanwhile.
   * @throws DT_STORE_FAILED
   */
  async write<T>(work: (write: Write) => Promise<T>): Promise<T> {
    const raised = new Map<string, WakeSignal>();
    const result = await translated(() =>
      this.#db.transaction().execute(async (trx) => {
        const value = await work({ trx, now: this.now(), wake: (signal) => raised.set(encodeSignal(signal), signal) });
        if ('channel' in this.#signals) {
          for (const payload of raised.keys()) await sql`select pg_notify(${this.#signals.channel}, ${payload})`.execute(trx);
        }
        return value;
      }),
    );
    if ('emit' in this.#signals) for (const signal of raised.values()) this.#signals.emit(signal);
    return result;
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ToolkitError) throw error;
    throw new ToolkitError('DT_STORE_FAILED', { reason: error instanceof Error ? error.message : String(error) }, error);
  }
}
