import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../src/tracer-daemon/store/open-store.js';
import { StoreBench, storeConformance } from './store-conformance.js';
import { address, codeOf, newRun, token } from './store-fixtures.js';

let folder = '';
let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `store${files}`, 'state.db');
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-store-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

storeConformance('SQLite', async () => new StoreBench(`sqlite:${newFile()}`));

test('the file is private, logs ahead, and syncs every commit', async () => {
  const file = newFile();
  const store = await openStore({ url: `sqlite:${file}` });
  await store.runs.enqueue(newRun(1), { queueLimit: 1 });
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(file + suffix).mode & 0o077, suffix).toBe(0);
  const raw = new DatabaseSync(file);
  expect(raw.prepare('pragma journal_mode').get()).toMatchObject({ journal_mode: 'wal' });
  raw.close();
  await store.close();
});

test('opened exclusively, a second daemon is refused until the first has gone', async () => {
  const url = `sqlite:${newFile()}`;
  const first = await openStore({ url, exclusive: true });
  expect(await codeOf(openStore({ url, exclusive: true }))).toBe('DT_STORE_IN_USE');
  await first.runs.enqueue(newRun(1), { queueLimit: 1 });
  await first.runs.claim({ workerId: 'someone', leaseMs: 1e9 });
  await first.close();
  const second = await openStore({ url, exclusive: true });
  const { requeued } = await second.runs.recover({ workerId: 'another', atStart: true });
  expect(requeued.map(({ jobId }) => jobId)).toEqual([1n]);
  await second.close();
});

test('a store of a newer program is refused, and untouched', async () => {
  const file = newFile();
  await (await openStore({ url: `sqlite:${file}` })).close();
  const raw = new DatabaseSync(file);
  raw.exec("insert into schema_migrations values (99, 'from the future', 1)");
  raw.close();
  const before = readFileSync(file);
  expect(await codeOf(openStore({ url: `sqlite:${file}` }))).toBe('DT_STORE_VERSION');
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('what cannot be opened says so', async () => {
  expect(await codeOf(openStore({ url: 'sqlite:relative.db' }))).toBe('DT_STORE_URL');
  expect(await codeOf(openStore({ url: 'mysql://u:secret@h/d' }))).toBe('DT_STORE_URL');
  await expect(openStore({ url: 'mysql://u:secret@h/d' })).rejects.not.toThrow(/secret/);
  expect(await codeOf(openStore({ url: `sqlite:${folder}` }))).toBe('DT_STORE_UNREACHABLE');
  await expect(openStore({ url: 'postgres://u:secret@127.0.0.1:1/d?password=secret' })).rejects.toMatchObject({
    code: 'DT_STORE_UNREACHABLE',
    message: expect.not.stringContaining('secret'),
  });
});

test('a full disk or a broken file is an error of the store, and the store works on', async () => {
  const file = newFile();
  const store = await openStore({ url: `sqlite:${file}` });
  const raw = new DatabaseSync(file);
  raw.exec("create trigger full before insert on runs when new.job_id = '13' begin select raise(abort, 'database or disk is full'); end");
  raw.close();
  expect(await codeOf(store.runs.enqueue(newRun(13), { queueLimit: 9 }))).toBe('DT_STORE_FAILED');
  expect(await store.runs.enqueue(newRun(14), { queueLimit: 9 })).toMatchObject({ outcome: 'accepted', run: { seq: 1 } });
  await store.close();
});

test('killed at any instant, it keeps every run and nonce that it had acknowledged', { timeout: 180_000 }, async () => {
  const KILLS = 10;
  const file = newFile();
  const url = `sqlite:${file}`;
  const script = fileURLToPath(new URL('./enqueue-worker.ts', import.meta.url));
  const runs = new Set<string>();
  const nonces = new Set<string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const child = spawn(process.execPath, ['--import', 'tsx', script, url, String(kill * 100_000 + 1)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    const target = 1 + Math.floor(Math.random() * 120);
    let lines = 0;
    const input = createInterface({ input: child.stdout });
    input.on('line', (line) => {
      const [kind, id, whole] = line.split(' ');
      // A line that the kill cut in two is no acknowledgement.
      if (whole === 'ok' && id !== undefined) (kind === 'run' ? runs : nonces).add(id);
      lines += 1;
      // The child runs on until the signal arrives, at whatever it is doing then.
      if (lines === target) setTimeout(() => child.kill('SIGKILL'), Math.random() * 20);
    });
    const [, signal] = await ended;
    expect(signal).toBe('SIGKILL');
  }
  const store = await openStore({ url, exclusive: true });
  const known = new Set<string>();
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await store.runs.list({ limit: 1000, before });
    for (const { runId } of page) known.add(runId);
    const last = page.at(-1);
    if (last === undefined) break;
    before = last.seq;
  }
  expect([...runs].filter((id) => !known.has(id))).toEqual([]);
  expect(runs.size).toBeGreaterThanOrEqual(KILLS);
  const reused = [];
  for (const nonce of nonces) {
    if (await store.nonces.useNonce({ signer: address('alice'), nonce, expiresAt: Date.now() + 3_600_000 })) reused.push(nonce);
  }
  expect(reused).toEqual([]);
  expect(nonces.size).toBeGreaterThanOrEqual(KILLS / 2);
  // Nothing is half there either: each run has its first event.
  for (const { runId } of await store.runs.list({ limit: 1000, token: token('leaf') })) {
    expect((await store.events.read(runId, 0, 1)).length).toBe(1);
  }
  await store.close();
});
