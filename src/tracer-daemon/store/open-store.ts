import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { SqlAccessStore } from './access-store.js';
import { SqlDatasetStore } from './dataset-store.js';
import { SqlEventStore } from './event-store.js';
import { migrate } from './migrations.js';
import { SqlNonceStore } from './nonce-store.js';
import { PostgresWaker } from './postgres-waker.js';
import { SqlRequestStore } from './request-store.js';
import { runAnchors } from './run-anchors.js';
import { runLeases } from './run-leases.js';
import { runQueries } from './run-queries.js';
import { runQueue } from './run-queue.js';
import { runRecovery } from './run-recovery.js';
import { runWaits } from './run-waits.js';
import type { Database } from './schema.js';
import { isBusy, SqliteSyncDialect } from './sqlite-dialect.js';
import type { Store } from './store.js';
import { StoreSession } from './store-session.js';
import { parseStoreUrl } from './store-url.js';
import { LocalWaker, type Waker } from './waker.js';

export interface OpenStoreOptions {
  /** `sqlite:/absolute/path.db` or `postgres://user@host/database`. */
  readonly url: string;
  /** Of the database user, when it is not in the URL. */
  readonly password?: string;
  /**
   * SQLite: this process alone, held by a lock that dies with it. The daemon opens its store so; then `recover` at the start
   * knows that every lease is of a dead worker. No effect on PostgreSQL, which several daemons share.
   */
  readonly exclusive?: boolean;
  /** Rows that the audit of requests keeps, 100 000 when missing. */
  readonly auditRows?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** While opening; afterwards SQLite itself waits for little and the driver for the rest, see sqlite-dialect.ts. */
const OPEN_TIMEOUT_MS = 10_000;
const BUSY_TIMEOUT_MS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const POSTGRES_CONNECTIONS = 8;
const AUDIT_ROWS = 100_000;
const INT8 = 20;

/** @throws DT_STORE_URL, DT_STORE_UNREACHABLE, DT_STORE_IN_USE, DT_STORE_VERSION */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const url = parseStoreUrl(options.url);
  try {
    return url.backend === 'sqlite' ? await openSqlite(url.path, options) : await openPostgres(url.url, options);
  } catch (error) {
    if (error instanceof ToolkitError && error.code === 'DT_STORE_VERSION') throw error;
    if (error instanceof StoreInUse) throw new ToolkitError('DT_STORE_IN_USE', { url: url.shown });
    throw new ToolkitError(
      'DT_STORE_UNREACHABLE',
      { url: url.shown, reason: error instanceof Error ? error.message : String(error) },
      error,
    );
  }
}

class StoreInUse extends Error {}

async function openSqlite(path: string, options: OpenStoreOptions): Promise<Store> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite would create it by the umask; its -wal and -shm files take the mode of the main file.
  closeSync(openSync(path, 'a', 0o600));
  const lock = options.exclusive === true ? lockFile(`${path}-lock`) : undefined;
  const opened: DatabaseSyncInstance[] = lock === undefined ? [] : [lock];
  try {
    const database = new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS, enableForeignKeyConstraints: true, defensive: true });
    opened.push(database);
    const mode: { journal_mode?: unknown } = database.prepare('pragma journal_mode = wal').get();
    if (mode.journal_mode !== 'wal') throw new Error('the file system does not support the write-ahead log of SQLite');
    // FULL: a commit is on the disk when it returns. NORMAL would lose the last ones in a power cut.
    database.exec(`pragma synchronous = full; pragma trusted_schema = off; pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    const db = new Kysely<Database>({ dialect: new SqliteSyncDialect(database) });
    const now = options.now ?? Date.now;
    await migrate(db, 'sqlite', now());
    const waker = new LocalWaker();
    const session = new StoreSession({ db, backend: 'sqlite', now, signals: waker });
    return assemble(session, waker, options, async () => {
      await db.destroy();
      lock?.close();
    });
  } catch (error) {
    for (const database of opened) if (database.isOpen) database.close();
    throw error;
  }
}

/** An open exclusive transaction on a file of its own: the kernel frees it when the process dies, however it dies. */
function lockFile(path: string): DatabaseSyncInstance {
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    if (isBusy(error)) throw new StoreInUse();
    throw error;
  }
}

async function openPostgres(url: string, options: OpenStoreOptions): Promise<Store> {
  const config: pg.ClientConfig = {
    connectionString: url,
    ...(options.password === undefined ? {} : { password: options.password }),
    application_name: 'dt-daemon',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: { getTypeParser: (oid, format) => (oid === INT8 ? toSafeInteger : pg.types.getTypeParser(oid, format)) },
  };
  const pool = new pg.Pool({ ...config, max: POSTGRES_CONNECTIONS });
  // An idle connection that is lost is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => undefined);
  const dialect = new PostgresDialect({
    pool,
    // A server may be set to answer before the disk has it; a nonce or an accepted run must not be lost that way.
    onCreateConnection: async (connection) => {
      await connection.executeQuery(sql`set synchronous_commit to on`.compile(db));
    },
  });
  const db: Kysely<Database> = new Kysely<Database>({ dialect });
  const now = options.now ?? Date.now;
  try {
    await migrate(db, 'postgres', now());
    const { rows } = await sql<{ schema: string }>`select current_schema() as schema`.execute(db);
    const channel = `dt_store_${rows[0]?.schema}`;
    const waker = await PostgresWaker.open(config, channel);
    const session = new StoreSession({ db, backend: 'postgres', now, signals: { channel } });
    return assemble(session, waker, options, async () => {
      await waker.close();
      await db.destroy();
    });
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

function assemble(session: StoreSession, waker: Waker, options: OpenStoreOptions, close: () => Promise<void>): Store {
  const exclusive = session.backend === 'sqlite' && options.exclusive === true;
  return {
    backend: session.backend,
    nonces: new SqlNonceStore(session),
    datasets: new SqlDatasetStore(session),
    runs: {
      ...runQueue(session),
      ...runLeases(session),
      ...runRecovery(session, { exclusive }),
      ...runQueries(session),
      ...runAnchors(session),
      ...runWaits(session),
    },
    events: new SqlEventStore(session, waker),
    requests: new SqlRequestStore(session, options.auditRows ?? AUDIT_ROWS),
    access: new SqlAccessStore(session),
    waker,
    ping: async () => {
      await session.read((db) => sql`select 1`.execute(db));
    },
    close,
  };
}

function toSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`The number ${text} of the database is beyond 2^53.`);
  return value;
}
