import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCredit } from '../../../samples/generate-credit.mjs';
import { runOperator } from './run-operator.js';

const rows = 1_000_000;
const memoryLimit = 512 * 1024 * 1024;
/** Runs before the operator and tells at its end what it took. */
const measure = [
  '--import',
  `data:text/javascript,process.on('exit',()=>process.stdout.write('peak '+process.resourceUsage().maxRSS*1024+'\\n'))`,
];

describe('a million rows within the default memory limit', () => {
  let folder: string;
  let banks: ReturnType<typeof generateCredit>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dt-large-'));
    banks = generateCredit({ rows, folder });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('scorecard', async () => {
    const run = await runOperator(
      'scorecard.mjs',
      {
        inputs: { data: './inputs/data.csv' },
        columns: { id: 'id', label: 'y', features: 'all' },
        model: { l2: 0, standardize: true },
        split: { method: 'random', test_fraction: 0.3, seed: 1 },
        privacy: { min_rows: 1000, min_group: 100 },
      },
      { 'data.csv': { path: banks.bankA } },
      measure,
    );
    expect([run.exit, run.complaint]).toEqual([0, '']);
    expect(JSON.parse(run.outputs['scorecard.json'] ?? '')).toMatchObject({ rows: { all: rows, train: 700_000, test: 300_000 } });
    expect(Number(/^peak (\d+)$/m.exec(run.stdout)?.[1])).toBeLessThan(memoryLimit);
  }, 180_000);

  it('profile', async () => {
    const run = await runOperator(
      'profile.mjs',
      { inputs: { data: './inputs/data.csv' }, columns: { id: 'id', include: 'all' }, privacy: { min_rows: 1000, min_group: 100 } },
      { 'data.csv': { path: banks.bankB } },
      measure,
    );
    expect([run.exit, run.complaint]).toEqual([0, '']);
    expect(JSON.parse(run.outputs['profile.json'] ?? '')).toMatchObject({ rows });
    expect(Number(/^peak (\d+)$/m.exec(run.stdout)?.[1])).toBeLessThan(memoryLimit);
  }, 180_000);

  it('more than fits is refused before it is read into memory', async () => {
    // 900 columns of short numbers make the point with fewer bytes: 60,000 x 902 x 8 is 413 MiB.
    const header = `y,${Array.from({ length: 900 }, (_, i) => `f${i}`).join(',')}`;
    const line = Array.from({ length: 900 }, (_, i) => i % 10).join(',');
    const text = `${header}\n${`0,${line}\n1,${line}\n`.repeat(30_000)}`;
    const run = await runOperator(
      'scorecard.mjs',
      {
        inputs: { data: './inputs/data.csv' },
        columns: { id: null, label: 'y', features: 'all' },
        model: { l2: 0, standardize: true },
        split: { method: 'order', test_fraction: 0, seed: 1 },
        privacy: { min_rows: 1000, min_group: 100 },
      },
      { 'data.csv': text },
    );
    expect([run.exit, run.complaint]).toEqual([2, 'bad input: 60000 rows of 900 features need 412 MiB, more than 320; use fewer features']);
  }, 180_000);
});
