import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorTable } from '../../../src/errors/codes.js';
import { findPromisedCodes, root } from './thrown-errors.js';

const page = readFileSync(join(root, 'docs/ERRORS.md'), 'utf8');

describe('docs/ERRORS.md', () => {
  it('names every code of the table, once, in the section of its exit code, with its HTTP status', () => {
    for (const [code, { exit, http, retryable }] of Object.entries(errorTable)) {
      const lines = page.split('\n').filter((line) => line.includes(`\`${code}\``));
      expect(lines, code).toHaveLength(1);
      const before = page.slice(0, page.indexOf(`\`${code}\``));
      expect(before.match(/^## Exit (\d+)/gm)?.at(-1), code).toBe(`## Exit ${exit}`);
      expect(lines[0]?.endsWith(`| ${http} | ${retryable ? 'yes' : ''} |`), code).toBe(true);
    }
  });

  it('names no code that is not in the table', () => {
    const named = [...page.matchAll(/`(DT_[A-Z0-9_]+)`/g)].map(([, code]) => code ?? '');
    expect(named.filter((code) => !Object.hasOwn(errorTable, code))).toEqual([]);
    expect(named).toHaveLength(Object.keys(errorTable).length);
  });

  it('is what the script writes from the table', () => {
    const checked = spawnSync(process.execPath, [join(root, 'scripts/docs-errors.mjs'), '--check'], { encoding: 'utf8' });
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });
});

describe('the comments of the sources', () => {
  it('promise only codes of the table', () => {
    const promised = findPromisedCodes();
    expect(promised.length).toBeGreaterThan(30);
    const codes = Object.keys(errorTable);
    const known = (code: string): boolean =>
      code.endsWith('*') ? codes.some((one) => one.startsWith(code.slice(0, -1))) : codes.includes(code);
    expect(promised.filter(([, code]) => !known(code))).toEqual([]);
  });
});
