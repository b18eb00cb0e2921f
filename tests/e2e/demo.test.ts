import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JointFigures } from '../../src/cli/demo-joint.js';
import {
  gradientOf,
  heldOut,
  hessianByDifferences,
  inverted,
  type Problem,
  rankByCounting,
} from '../integration/operators/reference-logit.js';
import { fences, processesOf, steady } from './readme-terminals.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const credit = fileURLToPath(new URL('../../../shared/data/credit', import.meta.url));

interface Finished {
  readonly exitCode: number | null;
  /** stdout and stderr as they came. */
  readonly said: string;
  readonly stdout: string;
  readonly outputs: string;
}

async function demo(home: string, ...flags: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'demo', ...flags], {
    env: { PATH: process.env['PATH'], HOME: home, DT_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, stdout] = ['', ''];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (stream === child.stdout) stdout += chunk.toString('utf8');
    });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, said, stdout, outputs: join(home, 'demo', 'outputs') };
}

interface Scorecard {
  readonly rows: { readonly all: number; readonly train: number; readonly test: number };
  readonly coefficients: readonly { readonly name: string; readonly estimate: number }[];
  readonly evaluation: { readonly on: string; readonly auc: number; readonly ks: number };
}

const scorecardOf = async (outputs: string, job: number): Promise<Scorecard> =>
  JSON.parse(await readFile(join(outputs, `job-${job}`, 'bank-a-card-customers-and-their-defaults', 'scorecard.json'), 'utf8'));

interface Metrics {
  readonly auc: number;
  readonly rows: { readonly all: number; readonly train: number; readonly test: number };
}
const metricsOf = async (outputs: string): Promise<Metrics> =>
  JSON.parse(await readFile(join(outputs, 'job-3', 'bank-a-customers', 'metrics.json'), 'utf8'));

/** Newton's method with a Hessian by differences of the gradient: slow, and nothing of the operator's in it. */
function newtonFit(problem: Problem): readonly number[] {
  let beta = Array.from({ length: problem.penalty.length + 1 }, () => 0);
  for (let step = 0; step < 12; step += 1) {
    const gradient = gradientOf(problem, beta).gradient.map((value) => value * problem.y.length);
    const covariance = inverted(hessianByDifferences(problem, beta));
    beta = beta.map((value, i) => value - (covariance[i] ?? []).reduce((sum, cell, j) => sum + cell * (gradient[j] ?? 0), 0));
  }
  expect(Math.max(...gradientOf(problem, beta).gradient.map(Math.abs))).toBeLessThan(1e-7);
  return beta;
}

interface Table {
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

/** The columns of a file; without names, all of numbers but id and y. */
function columnsOf(file: string, wanted?: readonly string[]): Table {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const cells = lines.map((line) => line.split(','));
  const all = head.split(',');
  const isFeature = (name: string): boolean =>
    name !== 'id' && name !== 'y' && cells.every((row) => row[all.indexOf(name)] !== '' && !Number.isNaN(Number(row[all.indexOf(name)])));
  const names = wanted ?? all.filter(isFeature);
  return { names, rows: cells.map((row) => names.map((name) => Number(row[all.indexOf(name)]))) };
}

const beside = (a: Table, b: Table): Table => ({
  names: [...a.names, ...b.names],
  rows: a.rows.map((row, i) => [...row, ...(b.rows[i] ?? [])]),
});

const lastRows = (count: number, fraction: number): ReadonlySet<number> =>
  new Set(Array.from({ length: Math.round(count * fraction) }, (_, i) => count - 1 - i));

/** The same fit once more, on standardized columns, and by counting pairs. */
function independent(label: Table, { rows: features, names }: Table, held: ReadonlySet<number>) {
  const rows = features.map((row, i) => [label.rows[i]?.[0] ?? Number.NaN, ...row]);
  const [train, test] = [false, true].map((out) => rows.filter((_, i) => held.has(i) === out)) as [number[][], number[][]];
  const scale = names.map((_, j) => {
    const mean = train.reduce((sum, row) => sum + (row[j + 1] ?? 0), 0) / train.length;
    const spread = train.reduce((sum, row) => sum + ((row[j + 1] ?? 0) - mean) ** 2, 0) / (train.length - 1);
    return { mean, sd: Math.sqrt(spread) };
  });
  const standardized = (row: readonly number[]): number[] => scale.map(({ mean, sd }, j) => ((row[j + 1] ?? 0) - mean) / sd);
  const labels = (of: readonly (readonly number[])[]): number[] => of.map((row) => row[0] ?? 0);
  const beta = newtonFit({ x: train.map(standardized), y: labels(train), penalty: names.map(() => 0) });
  const scores = test.map((row) => standardized(row).reduce((sum, cell, j) => sum + cell * (beta[j + 1] ?? 0), beta[0] ?? 0));
  return { beta, ...rankByCounting(scores, labels(test)) };
}

/** Ids in both files of customers. */
function commonOf(home: string): number {
  const ids = (bank: string): readonly string[] =>
    readFileSync(join(home, 'demo', `bank-${bank}`, 'data', `bank_${bank}_customers.csv`), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[0] ?? '');
  const ofB = new Set(ids('b'));
  return ids('a').filter((id) => ofB.has(id)).length;
}

/** Other rows are held out than in the open: about 0.01 of AUC either way, rarely twice. */
const SAMPLING = 0.05;

/** What both banks' columns tell, and bank A's alone, by Newton's method on one table. */
function inTheOpen(home: string) {
  const [a, b] = ['a', 'b'].map((bank) => join(home, 'demo', `bank-${bank}`, 'data', `bank_${bank}.csv`)) as [string, string];
  const label = columnsOf(a, ['y']);
  const held = lastRows(label.rows.length, 0.3);
  const [ofA, ofB] = [columnsOf(a), columnsOf(b)];
  return { alone: independent(label, ofA, held).auc, joint: independent(label, beside(ofA, ofB), held).auc };
}

describe('dt demo', () => {
  let home: string;
  let finished: Finished;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'dt-demo-'));
    finished = await demo(home);
  }, 240_000);

  afterAll(() => rm(home, { recursive: true, force: true }));

  it('plays the whole story', () => {
    expect(finished.exitCode, finished.said).toBe(0);
    expect(finished.said).toMatch(/✓ Bank A .* succeeded .* 2 outputs/);
    expect(finished.said).toMatch(/✓ Bank B .* succeeded .* 2 outputs/);
    expect(finished.said).toMatch(/Done in [\d.]+ s/);
  });

  it('releases the declared reports, and nothing else', async () => {
    const released = async (job: number): Promise<readonly string[]> => {
      const entries = await readdir(join(finished.outputs, `job-${job}`), { recursive: true, withFileTypes: true });
      const isEvidence = (path: string): boolean => path.endsWith('.evidence');
      return entries.flatMap((entry) => (entry.isFile() && !isEvidence(entry.parentPath) ? [entry.name] : [])).sort();
    };
    expect(await released(1)).toEqual(['profile.json', 'profile.txt', 'scorecard.json', 'scorecard.txt']);
    expect(await released(2)).toEqual(['scorecard.json', 'scorecard.txt']);
    expect(await released(3)).toEqual(['joint_log.txt', 'metrics.json', 'model.json', 'model.json']);
    expect((await readdir(finished.outputs)).sort()).toEqual(['job-1', 'job-2', 'job-3']);
  });

  it('agrees with the same fit by other means', async () => {
    const { coefficients, evaluation } = await scorecardOf(finished.outputs, 1);
    const file = join(home, 'demo', 'bank-a', 'data', 'bank_a.csv');
    const features = columnsOf(
      file,
      coefficients.slice(1).map(({ name }) => name),
    );
    const { beta, auc } = independent(columnsOf(file, ['y']), features, heldOut(features.rows.length, 0.3, 42));
    coefficients.forEach(({ name, estimate }, j) => {
      expect(Math.abs(estimate - (beta[j] ?? Number.NaN)), name).toBeLessThan(1e-3);
    });
    expect(Math.abs(evaluation.auc - auc)).toBeLessThan(1e-3);
  });

  it('ends with the joint model of the common customers, above what bank A reaches alone, as a fit on one table does', async () => {
    const expected = inTheOpen(home);
    const { evaluation } = await scorecardOf(finished.outputs, 2);
    const { auc, rows } = await metricsOf(finished.outputs);
    const common = commonOf(home);
    expect(common).toBeLessThan(8_900);
    expect(rows).toEqual({ all: common, train: Math.floor(0.7 * common), test: common - Math.floor(0.7 * common) });
    expect(Math.abs(evaluation.auc - expected.alone)).toBeLessThan(1e-3);
    expect(Math.abs(auc - expected.joint)).toBeLessThan(SAMPLING);
    expect(auc).toBeGreaterThan(evaluation.auc + 0.03);
    expect(finished.said).toMatch(new RegExp(`Bank A alone {2}${evaluation.auc.toFixed(4)} `));
    expect(finished.said).toMatch(new RegExp(`both banks {4}${auc.toFixed(4)} .*█ \\+${(auc - evaluation.auc).toFixed(4)}\n`));
  });

  it('says that no row left its bank, and what shows it', () => {
    const end = finished.said.slice(finished.said.indexOf('Two banks, one model'));
    expect(end).toMatch(/No row left its bank\. What shows it:\n +✓ both ends of each link counted and hashed the same messages/);
    expect(end).toMatch(/✓ the banks sent Fintech C \d+(\.\d)? k?B: the set-up/);
    expect(end).toMatch(/✓ receipts on chain: Bank A 0x\w+… 0x\w+…, Bank B 0x\w+…\n/);
    expect(end).not.toContain('✗');
    for (const path of ['tests/unit/privacy/transcripts.test.ts', 'docs/THREAT-MODEL.md']) {
      expect(end).toContain(path);
      expect(existsSync(join(root, path)), path).toBe(true);
    }
    // The regulator sees what was agreed, step by step, and who helped, whose receipt is not on chain.
    expect(finished.said).toMatch(
      /step 1 join on id, after trim, at least 2000 in common\n.* seats 0 and 1: each learns how many ids the other has/,
    );
    expect(finished.said).toMatch(/step 2 vertical logistic regression .*seats 0, 1, 2/);
    expect(finished.said).toMatch(/· Fintech C on seat 2: helps, brings no data/);
    expect(finished.said.match(/✓ Bank [AB] on seat [01]: /g)).toHaveLength(3);
  });

  it('shows what README.md says', async () => {
    const page = await readFile(join(root, 'README.md'), 'utf8');
    const excerpt = fences(page).find(({ language }) => language === 'console');
    const seen = new Set(steady(finished.said));
    expect(steady(excerpt?.text ?? '').length).toBeGreaterThan(10);
    for (const line of steady(excerpt?.text ?? '')) expect(seen).toContain(line);
  });

  it('leaves no process behind', () => {
    expect(processesOf(home)).toEqual([]);
  });
});

describe.skipIf(!existsSync(credit))('dt demo on real credit data (skipped without ../shared/data/credit)', () => {
  let home: string;
  let finished: Finished;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'dt-demo-'));
    finished = await demo(home, '--data', credit, '--json');
  }, 240_000);

  afterAll(() => rm(home, { recursive: true, force: true }));

  it('releases a scorecard whose coefficients and AUC an independent fit confirms', async () => {
    expect(finished.exitCode, finished.said).toBe(0);
    const { rows, coefficients, evaluation } = await scorecardOf(finished.outputs, 1);
    expect(rows).toMatchObject({ all: 30_000, train: 21_000, test: 9_000 });
    const features = Array.from({ length: 13 }, (_, i) => `x${i}`);
    expect(coefficients.map(({ name }) => name)).toEqual(['(intercept)', ...features]);
    const file = join(credit, 'bank_a.csv');
    const { beta, auc, ks } = independent(columnsOf(file, ['y']), columnsOf(file, features), heldOut(30_000, 0.3, 42));
    coefficients.forEach(({ name, estimate }, j) => {
      expect(Math.abs(estimate - (beta[j] ?? Number.NaN)), name).toBeLessThan(1e-3);
    });
    expect(evaluation.on).toBe('test');
    expect(Math.abs(evaluation.auc - auc)).toBeLessThan(1e-3);
    expect(Math.abs(evaluation.ks - ks)).toBeLessThan(1e-3);
  });

  it('tells the figures of the joint model as JSON, and they are those of a fit on one table', async () => {
    const { joint } = JSON.parse(finished.stdout) as { joint: JointFigures };
    const expected = inTheOpen(home);
    expect(joint).toMatchObject({
      rows: { alone: { test: 9_000 }, train: 21_000, test: 9_000 },
      join: { a: 30_000, b: 30_000, common: 30_000 },
      columns: { a: 13, b: 10 },
      job: '3',
    });
    expect(Math.abs(joint.auc.alone - expected.alone)).toBeLessThan(1e-3);
    expect(Math.abs(joint.auc.joint - expected.joint)).toBeLessThan(SAMPLING);
    expect(joint.auc.difference).toBeCloseTo(joint.auc.joint - joint.auc.alone, 12);
    const { links, receipts } = joint.evidence;
    expect(links).toHaveLength(6);
    expect(links.every(({ agrees }) => agrees)).toBe(true);
    // The banks' tables are millions of bytes; the dealer gets the set-up and the metrics.
    for (const { to, bytes } of links) expect(bytes)[to === '2' ? 'toBeLessThan' : 'toBeGreaterThan'](to === '2' ? 4_000 : 100_000);
    expect(receipts.map(({ ownerName, anchored }) => `${ownerName} ${anchored}`).sort()).toEqual([
      'Bank A on chain',
      'Bank A on chain',
      'Bank B on chain',
      'Fintech C on chain',
    ]);
  });

  it('refuses one parameter beyond the constraint, by name', () => {
    expect(finished.said).toMatch(/DT_POLICY_DENIED\n +✗ match \S+ \/services\/0\/descriptor\/constraint\/privacy\/min_group required/);
  });

  it('leaves no process behind', () => {
    expect(processesOf(home)).toEqual([]);
  });
});
