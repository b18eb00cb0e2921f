import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../../src/tracer-daemon/store/open-store.js';
import type { WakeSignal } from '../../../src/tracer-daemon/store/waker.js';
import { findPostgres, PostgresServer } from './postgres-server.js';
import { StoreBench, storeConformance } from './store-conformance.js';
import { codeOf, digest, newRun, token } from './store-fixtures.js';

const binaries = findPostgres();
if (binaries === undefined) console.warn('SKIPPED: the state store on PostgreSQL. Install it: apt-get install postgresql');

describe.skipIf(binaries === undefined)('with a private PostgreSQL', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start(binaries ?? '');
  }, 60_000);
  afterAll(() => server?.stop(), 60_000);

  storeConformance('PostgreSQL', async () => new StoreBench(await server.createDatabase()));

  test('a lost listening connection comes back, and says that signals may be missing', async () => {
    const url = await server.createDatabase();
    const store = await openStore({ url });
    try {
      const resync = new Promise<WakeSignal>((resolve) => {
        store.waker.subscribe((signal) => signal.kind === 'resync' && resolve(signal));
      });
      await server.query(
        url,
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      await resync;
      const queued = new Promise<WakeSignal>((resolve) => {
        store.waker.subscribe((signal) => signal.kind === 'queued' && resolve(signal));
      });
      await store.runs.enqueue(newRun(1), { queueLimit: 1 });
      await queued;
    } finally {
      await store.close();
    }
  });

  test('commits wait for the disk even where the server is set otherwise', async () => {
    const url = await server.createDatabase();
    const name = new URL(url).pathname.slice(1);
    await server.query(url, `alter database ${name} set synchronous_commit to off`);
    const store = await openStore({ url });
    try {
      await server.query(
        url,
        `create function watch() returns trigger language plpgsql as $$ begin new.path = current_setting('synchronous_commit'); return new; end $$;
         create trigger watch before insert on datasets for each row execute function watch()`,
      );
      await store.datasets.hold({ token: token('a'), path: '/a', sizeBytes: 1, sha256: digest('a'), addedAt: 1 });
      expect((await store.datasets.get(token('a')))?.path).toBe('on');
    } finally {
      await store.close();
    }
  });

  test('a store of a newer program is refused', async () => {
    const url = await server.createDatabase();
    await (await openStore({ url })).close();
    await server.query(url, "insert into schema_migrations values (99, 'from the future', 1)");
    expect(await codeOf(openStore({ url }))).toBe('DT_STORE_VERSION');
  });
});
