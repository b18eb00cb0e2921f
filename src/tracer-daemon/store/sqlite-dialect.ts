import { setTimeout } from 'node:timers/promises';
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

const STATEMENT_CACHE = 200;
const LONGEST_WAIT_MS = 10_000;
const SQLITE_BUSY = 5;

/** Extended codes keep the primary one in the low byte. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY;

/**
 * kysely over one `DatabaseSync` (the surface of `node:sqlite`). Transactions begin IMMEDIATE: a transaction that first reads
 * and then writes would otherwise fail with SQLITE_BUSY, whatever the busy timeout, when another process wrote in between.
 */
export class SqliteSyncDialect implements Dialect {
  readonly #database: DatabaseSyncInstance;

  constructor(database: DatabaseSyncInstance) {
    this.#database = database;
  }

  createDriver(): Driver {
    return new SqliteSyncDriver(this.#database);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter();
  }

  // biome-ignore lint/suspicious/noExplicitAny: the parameter type that kysely's Dialect prescribes
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }
}

class SqliteSyncDriver implements Driver {
  readonly #database: DatabaseSyncInstance;
  readonly #connection: SqliteSyncConnection;
  #tail: Promise<void> = Promise.resolve();
  #release: (() => void) | undefined;

  constructor(database: DatabaseSyncInstance) {
    this.#database = database;
    this.#connection = new SqliteSyncConnection(database);
  }

  async init(): Promise<void> {}

  /** One connection, handed out in the order of asking: a statement of another caller never lands inside a transaction. */
  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#tail;
    let release = (): void => {};
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    this.#release = release;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release?.();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk or an I/O error has rolled back already; a second ROLLBACK would hide that error behind its own.
    if (this.#database.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async destroy(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }
}

class SqliteSyncConnection implements DatabaseConnection {
  readonly #database: DatabaseSyncInstance;
  readonly #statements = new Map<string, StatementSyncInstance>();

  constructor(database: DatabaseSyncInstance) {
    this.#database = database;
  }

  /**
   * Another process may be writing. SQLite would wait for it with this whole process standing still, so its own busy timeout is
   * set to a few milliseconds and the rest of the waiting is done here. A statement that was refused as busy has done nothing;
   * inside a transaction, which holds the write lock, there is nobody to wait for.
   */
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const deadline = performance.now() + LONGEST_WAIT_MS;
    for (;;) {
      try {
        return this.#execute<R>(query);
      } catch (error) {
        if (!isBusy(error) || this.#database.isTransaction || performance.now() > deadline) throw error;
      }
      await setTimeout(1 + Math.random() * 10);
    }
  }

  #execute<R>(query: CompiledQuery): QueryResult<R> {
    const statement = this.#prepare(query.sql);
    if (statement.columns().length > 0) {
      const rows: R[] = statement.all(...query.parameters);
      return { rows, numAffectedRows: BigInt(rows.length) };
    }
    const { changes } = statement.run(...query.parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  #prepare(sql: string): StatementSyncInstance {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (this.#statements.size >= STATEMENT_CACHE) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }
}
