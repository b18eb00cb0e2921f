import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cidOf } from '../../../src/content-store/cid.js';
import { FilesystemStore } from '../../../src/content-store/filesystem-store.js';
import { sha256 } from '../../../src/documents/canonical.js';
import { parseBytes32 } from '../../../src/documents/ids.js';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.from('{"a":1}');
const filesIn = (path: string) => readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

describe('FilesystemStore', () => {
  it('keeps bytes under their digest, as a file that is named by the CID', async () => {
    const digest = await new FilesystemStore(folder).put(bytes);
    expect(digest).toBe(`0x${createHash('sha256').update(bytes).digest('hex')}`);
    const cid = cidOf(digest);
    expect(readFileSync(join(folder, 'blocks', cid.slice(-3, -1), cid))).toEqual(bytes);
    expect(await new FilesystemStore(folder).get(digest)).toEqual(bytes);
    expect(filesIn(folder)).toHaveLength(1);
  });

  it('says undefined for what it has not, also before anything was stored', async () => {
    expect(await new FilesystemStore(join(folder, 'new', 'deep')).get(sha256(bytes))).toBeUndefined();
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });

  it('names CID and file of a document with a wrong byte, and is healed by the right bytes', async () => {
    const store = new FilesystemStore(folder);
    const digest = await store.put(bytes);
    const path = store.pathOf(digest);
    const damages: (() => void)[] = [
      () => writeFileSync(path, '{"a":2}'),
      () => truncateSync(path, 3),
      () => truncateSync(path, 0),
      () => writeFileSync(path, Buffer.concat([bytes, Buffer.of(10)])),
    ];
    for (const damage of damages) {
      damage();
      await expect(store.get(digest)).rejects.toMatchObject({
        code: 'DT_DOCUMENT_TAMPERED',
        details: { cid: cidOf(digest), source: path, actual: sha256(readFileSync(path)) },
      });
      expect(await store.put(bytes)).toBe(digest);
      expect(await store.get(digest)).toEqual(bytes);
    }
  });

  it('takes the same and different bytes from many writers at once', async () => {
    const stores = Array.from({ length: 4 }, () => new FilesystemStore(folder));
    const contents = Array.from({ length: 30 }, (_, n) => Buffer.from(`document ${n} `.repeat(n * 50)));
    await Promise.all(stores.flatMap((store) => contents.map((content) => store.put(content))));
    for (const content of contents) expect(content.equals((await stores[0]?.get(sha256(content))) ?? Buffer.of(0))).toBe(true);
    expect(filesIn(join(folder, 'blocks'))).toHaveLength(30);
    expect(filesIn(join(folder, 'tmp'))).toHaveLength(0);
  });

  it('leaves nothing that is half a document when its writer is killed', async () => {
    const script = new URL('./put-until-killed.ts', import.meta.url).pathname;
    const store = new FilesystemStore(folder);
    for (let round = 0; round < 3; round++) {
      const child = fork(script, [folder, String(round)], { execArgv: ['--import', 'tsx'], silent: true });
      const stored: string[] = [];
      await new Promise<void>((resolve) => {
        child.on('message', (digest) => {
          stored.push(String(digest));
          // In the middle of the next ones.
          if (stored.length === 25) child.kill('SIGKILL');
        });
        child.on('exit', () => resolve());
      });
      expect(stored.length).toBeGreaterThanOrEqual(25);
      for (const digest of stored) expect(await store.get(parseBytes32(digest))).toBeDefined();
      for (const { name, parentPath } of filesIn(join(folder, 'blocks'))) {
        expect(cidOf(sha256(readFileSync(join(parentPath, name))))).toBe(name);
      }
    }
  });

  it('removes old leftovers of killed writers, and not the files of living ones', async () => {
    mkdirSync(join(folder, 'tmp'));
    const [old, fresh] = [join(folder, 'tmp', 'old'), join(folder, 'tmp', 'fresh')];
    writeFileSync(old, 'x');
    writeFileSync(fresh, 'x');
    utimesSync(old, 1, 1);
    await new FilesystemStore(folder).put(bytes);
    expect(readdirSync(join(folder, 'tmp'))).toEqual(['fresh']);
  });

  it('refuses what no source could ever send, and says which file cannot be read', async () => {
    const store = new FilesystemStore(folder);
    await expect(store.put(Buffer.alloc(16 * 1024 * 1024 + 1))).rejects.toMatchObject({ code: 'DT_INPUT_TOO_LARGE' });
    const path = store.pathOf(sha256(bytes));
    mkdirSync(path, { recursive: true });
    await expect(store.get(sha256(bytes))).rejects.toMatchObject({ code: 'DT_INPUT_FILE', details: { path } });
    await expect(store.put(bytes)).rejects.toMatchObject({ code: 'DT_INPUT_FILE' });
  });
});
