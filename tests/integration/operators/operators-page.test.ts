import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as kit from '../../../src/operator-kit/privacy.js';
import { bashBlocks, fences, Terminal } from '../../e2e/readme-terminals.js';

const root = resolve(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/OPERATORS.md'), 'utf8');
const sample = readFileSync(join(root, 'samples/op/secure_sum.mjs'), 'utf8');
/** Files that the page has its reader save, by name. */
const files = [...page.matchAll(/Save this as `([\w.]+)`:\n\n```(\w+)\n([\s\S]*?)^```$/gm)].map(([, name = '', , text = '']) => ({
  name,
  text,
}));

let folder: string;
let terminal: Terminal;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-operators-page-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'dt'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/run.js')}' "$@"\n`);
  chmodSync(join(bin, 'dt'), 0o755);
  const work = join(folder, 'work');
  mkdirSync(work);
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: folder,
    DT_HOME: join(folder, 'home'),
    SAMPLES: join(root, 'samples'),
    DT_HINTS: 'off',
  };
  terminal = new Terminal(folder, env, work);
});
afterAll(async () => {
  await terminal.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('docs/OPERATORS.md', () => {
  it('has its commands and programs run: they do and say what it shows', async () => {
    for (const { name, text } of files) writeFileSync(join(folder, 'work', name), text);
    const blocks = bashBlocks(page);
    expect(blocks.length).toBeGreaterThan(3);
    for (const { code, shown } of blocks) {
      const said = (await terminal.type(code)).split('\n');
      // `…` stands for what differs from machine to machine.
      for (const line of (shown ?? '').split('\n').filter((text) => text !== '')) {
        const start = line.replace(/…$/, '').trimEnd();
        const same = (text: string): string => text.replace(/ +/g, ' ');
        const found = said.some((text) => (line.endsWith('…') ? same(text).startsWith(same(start)) : text === line));
        expect(found, `${line}\nin\n${said.join('\n')}`).toBe(true);
      }
    }
    expect(existsSync(join(folder, 'work/results/seat-1/sum.json'))).toBe(false);
    expect(JSON.parse(readFileSync(join(folder, 'work/run.json'), 'utf8'))).toMatchObject({
      seats: [{ inputs: ['0'] }, { inputs: ['1'] }, { inputs: [] }],
    });
  });

  it('has no other block: what is not saved and run stands word for word in the sample', () => {
    const blocks = fences(page);
    for (const { language, text } of blocks) {
      if (files.some((file) => file.text === text) || ['bash', 'text'].includes(language)) continue;
      expect(language).toBe('js');
      expect(sample).toContain(text);
    }
    expect(files.map(({ name }) => name)).toEqual(['rows.mjs', 'args.json', 'helper.json']);
  });

  it('names what the kit exports, and keys that a session has', () => {
    const [section = ''] = /^## 4\.[\s\S]*?(?=^## 5\.)/m.exec(page) ?? [];
    const names = [...section.matchAll(/`([a-z]\w+(?:Bank|Dealer|Third|Table|Operator|Sum|Random))\b/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(Object.keys(kit)).toContain(name);
  });
});
