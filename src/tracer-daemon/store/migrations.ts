import { type Kysely, sql, type Transaction } from 'kysely';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Database } from './schema.js';

export type Backend = 'sqlite' | 'postgres';

interface Migration {
  readonly name: string;
  up(trx: Transaction<Database>, backend: Backend): Promise<void>;
}

/** Migration n is at index n - 1. A migration that was released is never edited: a change is a new one at the end. */
const migrations: readonly Migration[] = [
  { name: 'first tables', up: firstTables },
  { name: 'sessions and access tokens', up: accessTables },
  { name: 'why a run is canceled', up: (trx) => trx.schema.alterTable('runs').addColumn('cancel_reason', 'text').execute() },
  { name: 'anchors of many receipts', up: anchorColumns },
  { name: 'runs by token', up: runsByToken },
  { name: 'answers of the owner', up: ownersAnswers },
  { name: 'uses of data by a run', up: useColumns },
];

/** Any fixed number: it names the lock under which several starting daemons migrate one after the other. */
const POSTGRES_LOCK = 4_711_202_601;

/** Brings the tables to this version, in one transaction. @throws DT_STORE_VERSION when they are newer than this program */
export async function migrate(db: Kysely<Database>, backend: Backend, now: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (backend === 'postgres') await sql`select pg_advisory_xact_lock(${POSTGRES_LOCK}::bigint)`.execute(trx);
    await trx.schema
      .createTable('schema_migrations')
      .ifNotExists()
      .addColumn('number', 'bigint', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('applied_at', 'bigint', (c) => c.notNull())
      .execute();
    const { applied } = await trx
      .selectFrom('schema_migrations')
      .select((e) => e.fn.coalesce(e.fn.max('number'), sql<number>`0`).as('applied'))
      .executeTakeFirstOrThrow();
    if (applied > migrations.length) throw new ToolkitError('DT_STORE_VERSION', { found: applied, known: migrations.length });
    for (const [index, migration] of migrations.entries()) {
      if (index < applied) continue;
      await migration.up(trx, backend);
      await trx
        .insertInto('schema_migrations')
        .values({ number: index + 1, name: migration.name, applied_at: now })
        .execute();
    }
  });
}

async function firstTables(trx: Transaction<Database>, backend: Backend): Promise<void> {
  const firstStates = ['queued', 'staging', 'running', 'releasing', 'settling', 'succeeded', 'failed', 'canceled', 'refused'];
  const states = sql.join(firstStates.map((state) => sql.lit(state)));
  await trx.schema
    .createTable('counters')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .execute();
  await trx.insertInto('counters').values({ name: 'runs', value: 0 }).execute();

  await trx.schema
    .createTable('nonces')
    .addColumn('signer', 'text', (c) => c.notNull())
    .addColumn('nonce', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('nonces_key', ['signer', 'nonce'])
    .execute();
  await trx.schema.createIndex('nonces_expiry').on('nonces').column('expires_at').execute();

  await trx.schema
    .createTable('datasets')
    .addColumn('token', 'text', (c) => c.primaryKey())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addColumn('added_at', 'bigint', (c) => c.notNull())
    .execute();

  await trx.schema
    .createTable('runs')
    .addColumn('run_id', 'text', (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.notNull().unique())
    .addColumn('job_id', 'text', (c) => c.notNull())
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('algorithm', 'text', (c) => c.notNull())
    .addColumn('token', 'text', (c) => c.notNull())
    .addColumn('consumer', 'text', (c) => c.notNull())
    .addColumn('operator', 'text', (c) => c.notNull())
    .addColumn('request_digest', 'text')
    .addColumn('spec_digest', 'text')
    .addColumn('decision_digest', 'text')
    .addColumn('receipt_digest', 'text')
    .addColumn('state', 'text', (c) => c.notNull().check(sql`state in (${states})`))
    .addColumn('outcome', 'text')
    .addColumn('attempt', 'bigint', (c) => c.notNull())
    .addColumn('max_attempts', 'bigint', (c) => c.notNull())
    .addColumn('failure', 'text')
    .addColumn('sandbox', 'text')
    .addColumn('cancel_requested_by', 'text')
    .addColumn('settlement', 'text', (c) => c.notNull().check(sql`settlement in ('none', 'pending', 'anchored')`))
    .addColumn('settlement_transaction', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('queued_at', 'bigint')
    .addColumn('queue_position', 'bigint')
    .addColumn('started_at', 'bigint')
    .addColumn('finished_at', 'bigint')
    .addColumn('expired_at', 'bigint')
    .addColumn('worker_id', 'text')
    .addColumn('fence', 'bigint', (c) => c.notNull())
    .addColumn('lease_expires_at', 'bigint')
    .addColumn('last_event_seq', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('runs_job_token', ['job_id', 'token'])
    .execute();
  await trx.schema.createIndex('runs_queue').on('runs').columns(['state', 'queue_position']).execute();
  await trx.schema.createIndex('runs_consumer').on('runs').columns(['consumer', 'seq']).execute();
  await trx.schema.createIndex('runs_settlement').on('runs').columns(['settlement', 'finished_at']).execute();

  await trx.schema
    .createTable('events')
    .addColumn('run_id', 'text', (c) => c.notNull().references('runs.run_id').onDelete('cascade'))
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('time', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('events_key', ['run_id', 'seq'])
    .execute();

  await trx.schema
    .createTable('requests')
    // SQLite numbers rows by itself in an `integer` key alone; autoincrement keeps it from giving a deleted number again.
    .addColumn('seq', backend === 'sqlite' ? 'integer' : 'bigint', (c) =>
      backend === 'sqlite' ? c.primaryKey().autoIncrement() : c.primaryKey().generatedAlwaysAsIdentity(),
    )
    .addColumn('time', 'bigint', (c) => c.notNull())
    .addColumn('requester', 'text')
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('job_id', 'text')
    .addColumn('token', 'text')
    .addColumn('status', 'bigint', (c) => c.notNull())
    .addColumn('code', 'text')
    .execute();
  await trx.schema.createIndex('requests_time').on('requests').column('time').execute();
  await trx.schema.createIndex('requests_requester').on('requests').columns(['requester', 'seq']).execute();
}

async function accessTables(trx: Transaction<Database>): Promise<void> {
  await trx.schema
    .createTable('access_tokens')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('secret_digest', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('label', 'text', (c) => c.notNull())
    .addColumn('scope', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('used_at', 'bigint')
    .execute();
  await trx.schema
    .createTable('sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('secret_digest', 'text', (c) => c.notNull().unique())
    // The session of a token ends with it.
    .addColumn('access_token', 'text', (c) => c.references('access_tokens.id').onDelete('cascade'))
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('scope', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('seen_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .execute();
  await trx.schema.alterTable('requests').addColumn('via', 'text').execute();
}

async function anchorColumns(trx: Transaction<Database>): Promise<void> {
  for (const column of ['anchor_root', 'anchor_proof']) await trx.schema.alterTable('runs').addColumn(column, 'text').execute();
}

/** For the limits of runs: the count is taken while nothing else can be queued. */
async function runsByToken(trx: Transaction<Database>): Promise<void> {
  await trx.schema.createIndex('runs_token').on('runs').columns(['token', 'created_at']).execute();
}

/**
 * Runs wait for their owner. The column of the state is made anew, since its check knows the first states only and SQLite cannot change a
 * check; what may follow on what is said by run-state.ts alone.
 */
async function ownersAnswers(trx: Transaction<Database>): Promise<void> {
  await trx.schema.dropIndex('runs_queue').execute();
  await trx.schema
    .alterTable('runs')
    .addColumn('next_state', 'text', (c) => c.notNull().defaultTo('queued'))
    .execute();
  await sql`update runs set next_state = state`.execute(trx);
  await trx.schema.alterTable('runs').dropColumn('state').execute();
  await trx.schema.alterTable('runs').renameColumn('next_state', 'state').execute();
  await trx.schema.createIndex('runs_queue').on('runs').columns(['state', 'queue_position']).execute();
  for (const column of ['approval', 'hold'] as const) await trx.schema.alterTable('runs').addColumn(column, 'text').execute();
  for (const column of ['deadline_at', 'grants_end_at', 'retention_ms'] as const)
    await trx.schema.alterTable('runs').addColumn(column, 'bigint').execute();
}

/** A job that is run again uses its data again, which a limit of runs counts. */
async function useColumns(trx: Transaction<Database>): Promise<void> {
  for (const column of ['uses', 'again'] as const)
    await trx.schema
      .alterTable('runs')
      .addColumn(column, 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
}
