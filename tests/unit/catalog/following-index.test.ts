import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectIndex } from '../../../src/actions/tracer/inspect-index.js';
import { FollowingIndex } from '../../../src/catalog/index/following-index.js';
import type { BlockRef } from '../../../src/ledger/ledger.js';
import { type EventBody, GeneratedChain, granted, minted, revoked, tokenOf } from '../../support/generated-chain.js';
import { contentsOf, foldOf, foldOfIndex } from '../../support/index-contents.js';
import { longChain } from '../../support/long-chain.js';
import { nextEvent } from '../../support/market-events.js';

/** Mines blocks of events that may follow what is there, an event for each number. */
function mineSome(chain: GeneratedChain, choices: readonly number[], perBlock = 2): void {
  for (let i = 0; i < choices.length; i += perBlock) {
    const before: EventBody[] = [...chain.events()];
    const block: EventBody[] = [];
    for (const choice of choices.slice(i, i + perBlock)) {
      block.push(nextEvent(before, choice));
      before.push(block.at(-1)!);
    }
    chain.mine(...block);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'dt-index-'));
let folders = 0;
const newFolder = (): string => join(folder, String(folders++));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const freshOf = async (chain: GeneratedChain): Promise<string> => {
  const index = new FollowingIndex({ ledger: chain });
  const contents = await index.read(contentsOf);
  index.close();
  return contents;
};

const choices = (most: number) => fc.array(fc.nat(100_000), { minLength: 1, maxLength: most });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mine' as const), choices: choices(12) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('reorganize' as const), depth: fc.integer({ min: 1, max: 14 }), choices: choices(20) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), pages: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
);

describe('an index that follows its chain', () => {
  it('is that of the chain as it is, after any sequence of new blocks, reorganizations and kills', async () => {
    await fc.assert(
      fc.asyncProperty(choices(40), fc.array(step, { maxLength: 12 }), async (start, steps) => {
        const chain = new GeneratedChain();
        chain.pageBlocks = 3;
        mineSome(chain, start);
        const options = { folder: newFolder(), keptBlocks: 8 };
        const open: FollowingIndex[] = [];
        let index = new FollowingIndex({ ledger: chain, ...options });
        for (const each of steps) {
          if (each.do === 'mine') mineSome(chain, each.choices);
          if (each.do === 'read') await index.read(() => undefined);
          if (each.do === 'reorganize') {
            chain.cut(Math.max(0, chain.head - each.depth));
            mineSome(chain, each.choices);
          }
          if (each.do === 'kill') {
            // It gets so many pages and is never heard of again; its connection stays, as that of a process that hangs.
            let pages = each.pages;
            const dying = { ref: chain.ref, blockHashes: chain.blockHashes.bind(chain) };
            const eventsAfter = (known: BlockRef | undefined) =>
              pages-- > 0 ? chain.eventsAfter(known) : Promise.reject(new Error('killed'));
            const killed = new FollowingIndex({ ledger: { ...dying, eventsAfter }, ...options });
            await killed.read(() => undefined).catch(() => undefined);
            open.push(killed, index);
            index = new FollowingIndex({ ledger: chain, ...options });
          }
        }
        expect(await index.read(contentsOf)).toBe(await freshOf(chain));
        expect(await index.read(foldOfIndex)).toEqual(foldOf(chain.events()));
        expect(await index.check()).toBe(true);
        for (const each of [...open, index]) each.close();
      }),
      { numRuns: 25 },
    );
  });

  it('goes on from where a process was killed that built it', async () => {
    const chain = longChain();
    const place = newFolder();
    const script = fileURLToPath(new URL('./index-builder.process.ts', import.meta.url));
    const pages: string[] = [];
    for (const most of [3, 5, 4]) {
      const builder = spawn(process.execPath, ['--import', 'tsx', script, place], { stdio: ['pipe', 'pipe', 'inherit'] });
      const gone = once(builder, 'exit');
      let seen = 0;
      createInterface({ input: builder.stdout }).on('line', (line) => {
        pages.push(line);
        seen += 1;
        builder.stdin.write('go\n');
        // It has leave to read one page more, and writes that, or is about to.
        if (seen === most) builder.kill('SIGKILL');
      });
      builder.stdin.on('error', () => undefined); // it is gone
      builder.stdin.write('go\ngo\n');
      expect(await gone).toEqual([null, 'SIGKILL']);
    }
    expect(pages).not.toContain('whole');
    const notices: string[] = [];
    const index = new FollowingIndex({ ledger: chain, folder: place, onNotice: (text) => notices.push(text) });
    const contents = await index.read(contentsOf);
    // It went on: the pages before were not read again.
    expect(chain.reads).toBeLessThanOrEqual(chain.head / chain.pageBlocks - pages.length + 2);
    expect(contents).toBe(await freshOf(chain));
    expect(await index.check()).toBe(true);
    expect(notices).toEqual([]);
    index.close();
  });

  it('is built again when that is asked for, while others read on from what was there', async () => {
    const chain = new GeneratedChain();
    mineSome(chain, [4, 17, 30, 43, 4, 17]);
    const options = { ledger: chain, folder: newFolder() };
    const [index, other] = [new FollowingIndex(options), new FollowingIndex(options)];
    const before = await inspectIndex({ index }, { rebuild: false });
    expect(before).toMatchObject({ state: 'whole', block: chain.head });
    await other.read(async (found) => {
      const seen = contentsOf(found);
      const after = await inspectIndex({ index }, { rebuild: true });
      expect(after).toMatchObject({ state: 'rebuilt', block: chain.head, rows: before.rows });
      expect(after.path).not.toBe(before.path);
      expect(contentsOf(found)).toBe(seen);
    });
    expect(await index.read(contentsOf)).toBe(await freshOf(chain));
    expect(await inspectIndex({ index }, { rebuild: false })).toMatchObject({ state: 'whole' });
    index.close();
    other.close();
  });

  it('asks for what is new only, and once for all who ask at a time', async () => {
    const chain = new GeneratedChain();
    mineSome(chain, [4, 17, 30, 43]);
    const index = new FollowingIndex({ ledger: chain });
    await Promise.all([1, 2, 3, 4].map(() => index.read(() => undefined)));
    expect(chain.reads).toBe(2);
    mineSome(chain, [4]);
    expect(await index.read((found) => found.upTo?.block)).toBe(3);
    expect(chain.reads).toBe(3);
    index.close();
  });

  it('is built again for a chain that was reset, and for a reorganization deeper than what is kept', async () => {
    const chain = new GeneratedChain();
    mineSome(
      chain,
      Array.from({ length: 60 }, (_, i) => i * 977),
    );
    const notices: string[] = [];
    const options = { folder: newFolder(), keptBlocks: 8, onNotice: (text: string) => notices.push(text) };
    const index = new FollowingIndex({ ledger: chain, ...options });
    await index.read(() => undefined);
    chain.cut(chain.head - 6);
    mineSome(chain, [1, 2, 3]);
    expect(await index.read(contentsOf)).toBe(await freshOf(chain));
    expect(notices).toEqual([]);
    chain.cut(4);
    mineSome(chain, [5, 6, 7]);
    expect(await index.read(contentsOf)).toBe(await freshOf(chain));
    expect(notices).toEqual([expect.stringContaining('The chain is another')]);
    index.close();
    const other = new GeneratedChain('another genesis');
    mineSome(other, [4, 8, 15, 16]);
    const again = new FollowingIndex({ ledger: other, ...options });
    expect(await again.read(contentsOf)).toBe(await freshOf(other));
    again.close();
  });

  it('is not harmed by others that write it at the same time', async () => {
    const chain = new GeneratedChain();
    chain.pageBlocks = 2;
    mineSome(
      chain,
      Array.from({ length: 80 }, (_, i) => i * 1_009),
    );
    const options = { folder: newFolder() };
    const all = [1, 2, 3].map(() => new FollowingIndex({ ledger: chain, ...options }));
    const contents = await Promise.all(all.map((index) => index.read(contentsOf)));
    expect(new Set(contents)).toEqual(new Set([await freshOf(chain)]));
    for (const index of all) index.close();
  });

  it('gives lists in parts, by prefix and by name, and what lies around a token', async () => {
    const chain = new GeneratedChain();
    chain.mine(
      minted('a', 'bank'),
      minted('b', 'clinic'),
      minted('u', 'bank', ['a', 'b']),
      minted('m', 'third', ['u']),
      minted('n', 'third', ['u', 'a']),
    );
    chain.mine(granted('a', 'u', 7), granted('b', 'u'), revoked('b', 'u'));
    const index = new FollowingIndex({ ledger: chain });
    await index.read((found) => {
      const ids = found.tokens().map(({ id }) => id);
      expect(ids).toEqual(['a', 'b', 'u', 'm', 'n'].map(tokenOf));
      expect(found.tokens({ after: ids[1], limit: 2 }).map(({ id }) => id)).toEqual(ids.slice(2, 4));
      expect(found.tokens({ newestFirst: true, after: ids[3] }).map(({ id }) => id)).toEqual(ids.slice(0, 3).reverse());
      expect(found.tokens({ prefix: ids[2]?.slice(13, 20) ?? '' }).map(({ id }) => id)).toEqual([ids[2]]);
      expect(found.tokens({ kind: 'composite' }).map(({ id }) => id)).toEqual(ids.slice(2));
      const { nodes, edges } = found.neighbours(tokenOf('u'), { depth: 1, limit: 10 });
      expect(nodes.map(({ token, level, cut }) => [token.id, level, cut])).toEqual(
        [
          ['u', 0],
          ['m', 1],
          ['n', 1],
          ['a', -1],
          ['b', -1],
        ].map(([name, level]) => [tokenOf(String(name)), level, false]),
      );
      expect(edges).toHaveLength(4);
      const few = found.neighbours(tokenOf('u'), { depth: 5, limit: 2 });
      expect(few.nodes.map(({ cut }) => cut)).toEqual([true, false]);
      expect(found.edge(tokenOf('a'), tokenOf('u'))).toMatchObject({ grant: 'granted', until: 7 });
    });
    index.close();
  });
});

describe('an index file that is damaged', () => {
  const chain = new GeneratedChain();
  let file: Buffer;
  let name: string;
  let truth: string;

  beforeAll(async () => {
    mineSome(
      chain,
      Array.from({ length: 90 }, (_, i) => i * 7_919 + 4),
      3,
    );
    const made = newFolder();
    const index = new FollowingIndex({ ledger: chain, folder: made, keptBlocks: 8 });
    truth = await index.read(contentsOf);
    index.close();
    name = readdirSync(made).find((each) => each.endsWith('.db'))!;
    file = readFileSync(join(made, name));
  });

  /** What is read from a folder whose index file was changed, and what was said of it. */
  const readChanged = async (change: (path: string) => void): Promise<{ contents: string; notices: string[]; isWhole: boolean }> => {
    const place = newFolder();
    mkdirSync(place);
    writeFileSync(join(place, name), file);
    change(join(place, name));
    const notices: string[] = [];
    const index = new FollowingIndex({ ledger: chain, folder: place, keptBlocks: 8, onNotice: (text) => notices.push(text) });
    const contents = await index.read(contentsOf);
    const isWhole = await index.check();
    index.close();
    return { contents, notices, isWhole };
  };

  it('by one byte, anywhere: nothing else than the truth is ever read from it', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const { contents, notices, isWhole } = await readChanged((path) => {
          const bytes = Buffer.from(file);
          bytes[at] = bytes[at]! ^ flip;
          writeFileSync(path, bytes);
        });
        expect(contents).toBe(truth);
        if (notices.length > 0 || !isWhole) found += 1;
      }),
      { numRuns: 60 },
    );
    expect(found).toBeGreaterThan(0);
  });

  it('by being cut short, being something else, or of another format: it is named and built again', async () => {
    const changes: readonly ((path: string) => void)[] = [
      (path) => truncateSync(path, file.length / 2),
      (path) => truncateSync(path, 1_000),
      (path) => writeFileSync(path, 'this is no database, and longer than a header: '.repeat(30)),
      (path) => {
        const database = new DatabaseSync(path);
        database.exec('pragma user_version = 99');
        database.close();
      },
    ];
    for (const change of changes) {
      const { contents, notices } = await readChanged(change);
      expect(contents).toBe(truth);
      expect(notices).toEqual([expect.stringMatching(/^The index in .* is damaged: .*built again from the chain\.$/)]);
    }
  });

  it('of an earlier version of the program is not read: it is named, built again and removed', async () => {
    const place = newFolder();
    mkdirSync(place);
    const earlier = name.replace(/\.v\d+\./, '.v0.');
    for (const suffix of ['', '-wal']) writeFileSync(join(place, earlier + suffix), file);
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const index = new FollowingIndex({ ledger: chain, folder: place, keptBlocks: 8, onNotice });
    expect(await index.read(contentsOf)).toBe(truth);
    expect(notices).toEqual([expect.stringMatching(/\.v0\.\d+\.db is of an earlier version of this program\. It is built again/)]);
    expect(readdirSync(place).filter((each) => each.startsWith(earlier))).toEqual([]);
    index.close();
    const next = new FollowingIndex({ ledger: chain, folder: place, keptBlocks: 8, onNotice });
    expect(await next.read(contentsOf)).toBe(truth);
    expect(notices).toHaveLength(1);
    next.close();
  });

  it('in a row that nobody asks for is found by a check', async () => {
    const place = newFolder();
    const options = { ledger: chain, folder: place, keptBlocks: 8 };
    const first = new FollowingIndex(options);
    await first.read(() => undefined);
    const path = first.status().path!;
    first.close();
    const edit = (sql: string): void => {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
    };
    edit('update token set owner = digest where seq = 1');
    const second = new FollowingIndex(options);
    expect(await second.check()).toBe(false);
    expect(await second.check()).toBe(true);
    expect(await second.read(contentsOf)).toBe(truth);
    expect(second.status().path).not.toBe(path);
    expect(readdirSync(place).filter((each) => each.endsWith('.db'))).toHaveLength(1);
    second.close();
  });

  it('in a folder that cannot be written is left alone: the chain is read into memory', async () => {
    const place = join(newFolder(), 'a file');
    mkdirSync(join(place, '..'));
    writeFileSync(place, '');
    const notices: string[] = [];
    const index = new FollowingIndex({ ledger: chain, folder: place, onNotice: (text) => notices.push(text) });
    expect(await index.read(contentsOf)).toBe(truth);
    expect(index.status().path).toBeUndefined();
    expect(notices).toEqual([expect.stringContaining('cannot be used')]);
    index.close();
  });
});
