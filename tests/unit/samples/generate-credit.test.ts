import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCredit } from '../../../samples/generate-credit.mjs';

const script = resolve(import.meta.dirname, '../../../samples/generate-credit.mjs');
const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-generate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('generateCredit', () => {
  it('writes the bytes that it has always written', () => {
    const { bankA, bankB } = generateCredit({ folder: join(folder, 'default') });
    expect([digest(bankA), digest(bankB)]).toEqual([
      'd10ba854ed72553a79295128f68d4dd50397baa257280c7a624cd31a690529a7',
      'e53503d2d8177b45326ede37ce4d44eabe7d41f8717848baed9c9e1528cc657c',
    ]);
  });

  it('as a script writes the same, and fewer rows are the first of more', () => {
    execFileSync(process.execPath, [script, '--rows', '500', '--folder', join(folder, 'script')], { env: {} });
    const whole = generateCredit({ folder: join(folder, 'whole') });
    const text = readFileSync(join(folder, 'script/bank_a.csv'), 'utf8');
    expect(text.trimEnd().split('\n').length).toBe(501);
    expect(readFileSync(whole.bankA, 'utf8').startsWith(text)).toBe(true);
  });

  it('has the same customers in the same order in both banks, each once', () => {
    const { bankA, bankB } = generateCredit({ rows: 20_000, folder: join(folder, 'ids') });
    const ids = (path: string): string[] =>
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.slice(0, line.indexOf(',')));
    expect(ids(bankA)).toEqual(ids(bankB));
    expect(new Set(ids(bankA)).size).toBe(20_000);
  });

  it('another seed gives other customers, of whom about 22 in 100 default', () => {
    const rates = [1, 2, 3].map((seed) => {
      const { bankA } = generateCredit({ seed, folder: join(folder, `seed-${seed}`) });
      const labels = readFileSync(bankA, 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(',')[1]));
      return labels.reduce((sum, label) => sum + label, 0) / labels.length;
    });
    expect(new Set(rates).size).toBe(3);
    for (const rate of rates) {
      expect(rate).toBeGreaterThan(0.2);
      expect(rate).toBeLessThan(0.24);
    }
  });

  it('uses no function whose last digit may differ between machines', () => {
    const used = new Set([...readFileSync(script, 'utf8').matchAll(/Math\.(\w+)\(/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(['floor', 'max', 'min']);
  });

  it.each([0, -1, 1.5, Number.NaN, 10_000_000])('refuses %d rows', (rows) => {
    expect(() => generateCredit({ rows, folder: join(folder, 'never') })).toThrow(RangeError);
  });
});
