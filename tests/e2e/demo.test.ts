import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  readonly outputs: string;
}

async function demo(home: string, ...flags: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'demo', ...flags], {
    env: { PATH: process.env['PATH'], HOME: home, DT_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, said, outputs: join(home, 'demo', 'outputs') };
}

interface Scorecard {
  readonly rows: { readonly all: number; readonly train: number; readonly test: number };
  readonly coefficients: readonly { readonly name: string; readonly estimate: number }[];
  readonly evaluation: { readonly on: string; readonly auc: number; readonly ks: number };
}

const scorecardOf = async (outputs: string): Promise<Scorecard> =>
  JSON.parse(await readFile(join(outputs, 'bank-a-card-customers-and-their-defaults', 'scorecard.json'), 'utf8'));

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

/** The scorecard once more, on standardized columns, and by counting pairs. */
function independent(file: string, features: readonly string[]) {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const names = head.split(',');
  const columns = ['y', ...features].map((name) => names.indexOf(name));
  const rows = lines.map((line) => {
    const cells = line.split(',');
    return columns.map((index) => Number(cells[index]));
  });
  const held = heldOut(rows.length, 0.3, 42);
  const [train, test] = [false, true].map((out) => rows.filter((_, i) => held.has(i) === out)) as [number[][], number[][]];
  const scale = features.map((_, j) => {
    const mean = train.reduce((sum, row) => sum + (row[j + 1] ?? 0), 0) / train.length;
    const spread = train.reduce((sum, row) => sum + ((row[j + 1] ?? 0) - mean) ** 2, 0) / (train.length - 1);
    return { mean, sd: Math.sqrt(spread) };
  });
  const standardized = (row: readonly number[]): number[] => scale.map(({ mean, sd }, j) => ((row[j + 1] ?? 0) - mean) / sd);
  const labels = (of: readonly (readonly number[])[]): number[] => of.map((row) => row[0] ?? 0);
  const beta = newtonFit({ x: train.map(standardized), y: labels(train), penalty: features.map(() => 0) });
  const scores = test.map((row) => standardized(row).reduce((sum, cell, j) => sum + cell * (beta[j + 1] ?? 0), beta[0] ?? 0));
  return { beta, ...rankByCounting(scores, labels(test)) };
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
    const files = (await readdir(finished.outputs, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).sort()).toEqual(['profile.json', 'profile.txt', 'scorecard.json', 'scorecard.txt']);
  });

  it('agrees with the same fit by other means', async () => {
    const { coefficients, evaluation } = await scorecardOf(finished.outputs);
    const features = coefficients.slice(1).map(({ name }) => name);
    const { beta, auc } = independent(join(home, 'demo', 'bank-a', 'data', 'bank_a.csv'), features);
    coefficients.forEach(({ name, estimate }, j) => {
      expect(Math.abs(estimate - (beta[j] ?? Number.NaN)), name).toBeLessThan(1e-3);
    });
    expect(Math.abs(evaluation.auc - auc)).toBeLessThan(1e-3);
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
    finished = await demo(home, '--data', credit);
  }, 240_000);

  afterAll(() => rm(home, { recursive: true, force: true }));

  it('releases a scorecard whose coefficients and AUC an independent fit confirms', async () => {
    expect(finished.exitCode, finished.said).toBe(0);
    const { rows, coefficients, evaluation } = await scorecardOf(finished.outputs);
    expect(rows).toMatchObject({ all: 30_000, train: 21_000, test: 9_000 });
    const features = Array.from({ length: 13 }, (_, i) => `x${i}`);
    expect(coefficients.map(({ name }) => name)).toEqual(['(intercept)', ...features]);
    const { beta, auc, ks } = independent(join(credit, 'bank_a.csv'), features);
    coefficients.forEach(({ name, estimate }, j) => {
      expect(Math.abs(estimate - (beta[j] ?? Number.NaN)), name).toBeLessThan(1e-3);
    });
    expect(evaluation.on).toBe('test');
    expect(Math.abs(evaluation.auc - auc)).toBeLessThan(1e-3);
    expect(Math.abs(evaluation.ks - ks)).toBeLessThan(1e-3);
  });

  it('refuses one parameter beyond the constraint, by name', () => {
    expect(finished.said).toMatch(/DT_POLICY_DENIED\n +✗ match \S+ \/services\/0\/descriptor\/constraint\/privacy\/min_group required/);
  });

  it('leaves no process behind', () => {
    expect(processesOf(home)).toEqual([]);
  });
});
