import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('docs/INVARIANTS.md', () => {
  const rows = read('docs/INVARIANTS.md')
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
    .map((line) => line.split(' | '));

  it('has every promise with the place that keeps it and the tests that prove it', () => {
    expect(rows.length).toBeGreaterThan(11);
    expect(rows.map(([number]) => number)).toEqual(rows.map((_, i) => `| ${i + 1}`));
    for (const [number, , places = ''] of rows) {
      const paths = [...places.matchAll(/`([\w-]+\/[\w./-]+)`/g)].map(([, path]) => path ?? '');
      expect(paths, number).not.toEqual([]);
      for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
      for (const [, path = '', name = ''] of places.matchAll(/`(src\/[\w./-]+)` \(`(\w+)`\)/g)) expect(read(path), path).toContain(name);
    }
  });

  it('names tests that exist', () => {
    for (const [number, , , tests = ''] of rows) {
      const files = [...tests.matchAll(/`(tests\/[\w./-]+)`((?:,? "[^"]+")+)/g)];
      expect(files, number).not.toEqual([]);
      expect(tests.replace(/`tests\/[\w./-]+`(?:,? "[^"]+")+/g, '').trim(), number).toMatch(/^[; |]*$/);
      for (const [, path = '', names = ''] of files)
        for (const [, name = ''] of names.matchAll(/"([^"]+)"/g)) expect(read(path), `${path}: ${name}`).toContain(name);
    }
  });
});

describe('docs/BENCHMARKS.md', () => {
  it('tells what every bench measures', () => {
    const sources = readdirSync(join(root, 'bench')).map((file) => read(`bench/${file}`));
    const names = sources.flatMap((text) => [...text.matchAll(/^ {2}(?:name: |programBench\()'([\w-]+)',/gm)].map(([, name]) => name));
    const rows = [...read('docs/BENCHMARKS.md').matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(rows.sort()).toEqual(names.sort());
  });
});

describe('docs/PROTOCOLS.md', () => {
  const page = read('docs/PROTOCOLS.md');

  it('names tests and functions that exist, for every protocol', () => {
    const parts = page.split(/^## /m).slice(1, -1);
    expect(parts.length).toBeGreaterThan(6);
    const kit = read('src/operator-kit/privacy.ts');
    for (const part of parts) {
      const held = part.slice(part.indexOf('\nHeld by '));
      const files = [...held.matchAll(/`(tests\/[\w./-]+)`((?:,? "[^"]+")+)/g)];
      expect(files, part).not.toEqual([]);
      for (const [, path = '', names = ''] of files)
        for (const [, name = ''] of names.matchAll(/"([^"]+)"/g)) expect(read(path), `${path}: ${name}`).toContain(name);
      const [, functions = ''] = /\n\n(`\w+`(?:, `\w+`)*) ·/.exec(part) ?? [];
      for (const [, name = ''] of functions.matchAll(/`(\w+)`/g)) expect(kit, name).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });

  it('names every protocol of the kit', () => {
    for (const [, name = ''] of read('src/operator-kit/privacy.ts').matchAll(/\b((?:fit|predict)\w*(?:Bank|Dealer|Third)|secureSum)\b/g))
      expect(page).toContain(`\`${name}\``);
  });
});

describe('docs/ARCHITECTURE.md', () => {
  const page = read('docs/ARCHITECTURE.md');
  const folders = (path: string): readonly string[] =>
    readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

  it('shows every room of src, and no other', () => {
    const house = page.slice(page.indexOf('\nsrc/\n'), page.indexOf('\ntests/ '));
    const rooms = [...house.matchAll(/^ {2}([\w-]+)\//gm)].map(([, room]) => room);
    expect(rooms.sort()).toEqual([...folders('src')].sort());
  });

  it('allows the same imports as the rules that are checked', () => {
    const rules = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
      forbidden: readonly { name: string; to: { pathNot?: readonly string[] } }[];
    };
    const rows = [...page.matchAll(/^\| ([\w-]+(?:, [\w-]+)*) \| (.+) \|$/gm)].flatMap(([, rooms = '', may = '']) =>
      rooms.split(', ').map((room) => [room, may] as const),
    );
    const rooms = folders('src').filter((room) => rules.forbidden.some(({ name }) => name === `${room}-imports`));
    expect(rooms.sort()).toEqual([...folders('src')].sort());
    // The other rows speak of rooms together ("the same, plus", "all of these but"); these say it word for word.
    const plain = rows.filter(([room, may]) => rooms.includes(room) && /^[a-z, -]+(; never each other)?$/.test(may) && may !== 'nothing');
    expect(plain.length).toBeGreaterThan(8);
    for (const [room, may] of plain) {
      const rule = rules.forbidden.find(({ name }) => name === `${room}-imports`)?.to.pathNot ?? [];
      const allowed = rule.map((pattern) => pattern.replace(/^\^src\/|\/$/g, '')).filter((other) => other !== room);
      expect(may.replace('; never each other', '').split(', ').sort(), room).toEqual(allowed.sort());
    }
  });
});
