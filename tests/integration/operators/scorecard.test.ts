import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCredit } from '../../../samples/generate-credit.mjs';
import {
  fitByBfgs,
  gradientOf,
  heldOut,
  hessianByDifferences,
  inverted,
  type Problem,
  pBySimpson,
  rankByCounting,
  times,
} from './reference-logit.js';
import { type Input, runOperator, sharedFile } from './run-operator.js';

interface Coefficient {
  readonly name: string;
  readonly estimate: number;
  readonly se: number;
  readonly z: number;
  readonly p: number;
  readonly low95: number;
  readonly high95: number;
  readonly points: number;
  readonly mean?: number;
  readonly sd?: number;
}
interface Scorecard {
  readonly rows: { all: number; train: number; test: number; train_bad: number; test_bad: number };
  readonly skipped_columns: readonly string[];
  readonly model: { log_likelihood: number; null_log_likelihood: number; steps: number };
  readonly scale: { offset: number; factor: number };
  readonly coefficients: readonly Coefficient[];
  readonly evaluation: {
    on: string;
    rows: number;
    auc: number;
    gini: number;
    ks: number;
    accuracy: number;
    log_loss: number;
    brier: number;
    roc: readonly { fpr: number; tpr: number }[];
    bands: readonly { rows: number; bad: number; bad_rate: number; mean_probability: number }[];
  };
}

const parameters = {
  inputs: { data: './inputs/data.csv' },
  columns: { id: 'id' as string | null, label: 'y', features: 'all' as string | string[] },
  model: { l2: 0, standardize: false },
  split: { method: 'random', test_fraction: 0.3, seed: 7 },
  privacy: { min_rows: 30, min_group: 5 },
};
type Parameters = typeof parameters;

async function score(data: Input, changes: Partial<Parameters> = {}): Promise<Scorecard> {
  const run = await runOperator('scorecard.mjs', { ...parameters, ...changes }, { 'data.csv': data });
  expect(run.stderr).toBe('');
  expect(run.exit).toBe(0);
  return JSON.parse(run.outputs['scorecard.json'] ?? '') as Scorecard;
}

async function refusal(data: Input, changes: Partial<Parameters> = {}): Promise<string> {
  const run = await runOperator('scorecard.mjs', { ...parameters, ...changes }, { 'data.csv': data });
  expect(run.exit).toBe(2);
  expect(run.outputs).toEqual({});
  return run.complaint;
}

/** Plain numbers only, no quotes: enough for the data of these tests. */
function readTable(path: string): { names: string[]; rows: string[][] } {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return { names: head.split(','), rows: lines.map((line) => line.split(',')) };
}

const close = (actual: number, expected: number, tolerance: number): void => {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected)));
};

/** A table whose label follows x1 and x2, by a small generator of its own. */
function made(rows: number, change: (cells: string[], i: number) => void = () => undefined): string {
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const lines = Array.from({ length: rows }, (_, i) => {
    const [x1, x2] = [next() * 4 - 2, next() * 4 - 2];
    const y = next() < 1 / (1 + Math.exp(-(x1 - 0.5 * x2))) ? 1 : 0;
    const cells = [String(i), String(y), x1.toFixed(3), x2.toFixed(3)];
    change(cells, i);
    return cells.join(',');
  });
  return `id,y,x1,x2\n${lines.join('\n')}\n`;
}

describe('against published values', () => {
  const spector = sharedFile('data/delta/spector.csv');
  it.skipIf(spector === undefined)('Spector and Mazzeo 1980 (skipped without ../shared/data/delta/spector.csv)', async () => {
    const result = await score(
      { path: spector ?? '' },
      { columns: { id: null, label: 'GRADE', features: ['GPA', 'TUCE', 'PSI'] }, split: { method: 'order', test_fraction: 0, seed: 0 } },
    );
    const published = { '(intercept)': [-13.02135, 4.931], GPA: [2.82611, 1.263], TUCE: [0.0951577, 0.142], PSI: [2.37869, 1.065] };
    for (const { name, estimate, se } of result.coefficients) {
      const [beta = 0, error = 0] = published[name as keyof typeof published];
      expect(estimate).toBeCloseTo(beta, 4);
      expect(se).toBeCloseTo(error, 3);
    }
    expect(result.model.log_likelihood).toBeCloseTo(-12.88963, 5);
    expect(result.model.steps).toBe(6);
    expect(result.evaluation.on).toBe('train');
  });
});

describe('against a computation written differently', () => {
  const credit = sharedFile('data/credit/bank_a.csv');
  it.skipIf(credit === undefined)(
    'credit data of bank A (skipped without ../shared/data/credit/bank_a.csv)',
    async () => {
      const path = credit ?? '';
      const result = await score({ path }, { privacy: { min_rows: 1000, min_group: 20 } });
      const { names, rows } = readTable(path);
      const test = heldOut(rows.length, 0.3, 7);
      const pick = (held: boolean) => rows.filter((_, i) => test.has(i) === held).map((row) => row.map(Number));
      const [train, rest] = [pick(false), pick(true)];
      const problem = { x: train.map((row) => row.slice(2)), y: train.map((row) => row[1] ?? 0), penalty: names.slice(2).map(() => 0) };
      const beta = fitByBfgs(problem);
      const covariance = inverted(hessianByDifferences(problem, beta));
      expect(result.coefficients.map(({ name }) => name)).toEqual(['(intercept)', ...names.slice(2)]);
      result.coefficients.forEach(({ estimate, se, z, p, low95, high95 }, j) => {
        close(estimate, beta[j] ?? 0, 1e-5);
        close(se, Math.sqrt(covariance[j]?.[j] ?? 0), 1e-5);
        close(z, estimate / se, 1e-6);
        close(p, pBySimpson(z), 1e-7);
        close((high95 - low95) / 2, 1.959964 * se, 1e-6);
      });
      close(result.model.log_likelihood, -gradientOf(problem, beta).value * train.length, 1e-7);
      const scores = rest.map((row) => row.slice(2).reduce((sum, cell, j) => sum + cell * (beta[j + 1] ?? 0), beta[0] ?? 0));
      const labels = rest.map((row) => row[1] ?? 0);
      const { auc, ks } = rankByCounting(scores, labels);
      const { evaluation } = result;
      close(evaluation.auc, auc, 1e-6);
      close(evaluation.gini, 2 * auc - 1, 1e-6);
      close(evaluation.ks, ks, 1e-6);
      const chance = scores.map((eta) => 1 / (1 + Math.exp(-eta)));
      const mean = (of: (p: number, y: number) => number): number =>
        chance.reduce((sum, p, i) => sum + of(p, labels[i] ?? 0), 0) / rest.length;
      close(
        evaluation.accuracy,
        mean((p, y) => (p >= 0.5 === (y === 1) ? 1 : 0)),
        1e-7,
      );
      close(
        evaluation.log_loss,
        mean((p, y) => -Math.log(y === 1 ? p : 1 - p)),
        1e-6,
      );
      close(
        evaluation.brier,
        mean((p, y) => (p - y) ** 2),
        1e-6,
      );
      // Ten bands of ninety hundreds: by sorting and cutting.
      const order = [...scores.keys()].sort((i, j) => (scores[j] ?? 0) - (scores[i] ?? 0));
      const tenths = Array.from({ length: 10 }, (_, band) => order.slice(band * 900, (band + 1) * 900));
      expect(evaluation.bands.map(({ bad }) => bad)).toEqual(tenths.map((band) => band.reduce((sum, i) => sum + (labels[i] ?? 0), 0)));
      evaluation.bands.forEach((band, i) => {
        close(band.mean_probability, (tenths[i] ?? []).reduce((sum, at) => sum + (chance[at] ?? 0), 0) / 900, 1e-6);
      });
    },
    120_000,
  );

  it.each([
    [true, 25],
    [false, 25],
    [false, 0.5],
  ])('ridge, standardize %s, l2 %d', async (standardize, l2) => {
    const text = made(400, (cells) => {
      cells[3] = (Number(cells[3]) * 50 + 1000).toFixed(2);
    });
    const result = await score(text, { model: { l2, standardize }, split: { method: 'order', test_fraction: 0.25, seed: 0 } });
    const rows = text
      .trimEnd()
      .split('\n')
      .slice(1, 301)
      .map((line) => line.split(',').map(Number));
    const column = (j: number): number[] => rows.map((row) => row[j] ?? 0);
    const scale = [2, 3].map((j) => {
      const mean = column(j).reduce((sum, value) => sum + value, 0) / rows.length;
      return { mean, sd: Math.sqrt(column(j).reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rows.length - 1)) };
    });
    const z = rows.map((row) => scale.map(({ mean, sd }, j) => ((row[j + 2] ?? 0) - mean) / sd));
    const problem: Problem = { x: z, y: column(1), penalty: scale.map(({ sd }) => (standardize ? l2 : l2 / sd / sd)) };
    const gamma = fitByBfgs(problem);
    const penalised = inverted(hessianByDifferences(problem, gamma));
    const information = hessianByDifferences({ ...problem, penalty: [0, 0] }, gamma);
    const covariance = times(times(penalised, information), penalised);
    scale.forEach(({ mean, sd }, j) => {
      const unit = standardize ? 1 : sd;
      const found = result.coefficients[j + 1];
      close(found?.estimate ?? 0, (gamma[j + 1] ?? 0) / unit, 1e-5);
      close(found?.se ?? 0, Math.sqrt(covariance[j + 1]?.[j + 1] ?? 0) / unit, 1e-5);
      if (standardize) close(found?.mean ?? 0, mean, 1e-6);
      if (standardize) close(found?.sd ?? 0, sd, 1e-6);
    });
    const weights = [1, ...scale.map(({ mean, sd }) => (standardize ? 0 : -mean / sd))];
    close(
      result.coefficients[0]?.estimate ?? 0,
      weights.reduce((sum, w, j) => sum + w * (gamma[j] ?? 0), 0),
      1e-5,
    );
    const variance = weights.reduce((sum, w, j) => sum + weights.reduce((inner, v, k) => inner + w * v * (covariance[j]?.[k] ?? 0), 0), 0);
    close(result.coefficients[0]?.se ?? 0, Math.sqrt(variance), 1e-4);
  });

  it('counts ties in the AUC by halves and never cuts a band through them', async () => {
    const text = made(1000, (cells) => {
      cells[2] = String(Math.round(Number(cells[2])));
      cells[3] = '0';
      if (Number(cells[0]) % 3 === 0) cells[3] = '1';
    });
    const result = await score(text, { split: { method: 'order', test_fraction: 0.4, seed: 0 } });
    const [b0 = 0, b1 = 0, b2 = 0] = result.coefficients.map(({ estimate }) => estimate);
    const rows = text
      .trimEnd()
      .split('\n')
      .slice(601)
      .map((line) => line.split(',').map(Number));
    const scores = rows.map(([, , x1 = 0, x2 = 0]) => Number((b0 + b1 * x1 + b2 * x2).toFixed(6)));
    const labels = rows.map((row) => row[1] ?? 0);
    const { auc, ks } = rankByCounting(scores, labels);
    close(result.evaluation.auc, auc, 1e-8);
    close(result.evaluation.ks, ks, 1e-8);
    const groups = new Map<number, number>();
    for (const value of scores) groups.set(value, (groups.get(value) ?? 0) + 1);
    const ends = [...groups]
      .sort(([one], [other]) => other - one)
      .map((_, i, all) => all.slice(0, i + 1).reduce((sum, [, size]) => sum + size, 0));
    let seen = 0;
    for (const band of result.evaluation.bands) {
      seen += band.rows;
      expect(ends).toContain(seen);
    }
    expect(seen).toBe(400);
  });

  it('points follow the odds: 600 at 50 to 1, 20 more double them', async () => {
    const { coefficients, scale } = await score(made(500));
    const eta = -Math.log(50);
    close(scale.offset - scale.factor * eta, 600, 1e-7);
    close(scale.offset - scale.factor * (eta - Math.log(2)), 620, 1e-7);
    const [intercept, slope] = coefficients;
    close(slope?.points ?? 0, -scale.factor * (slope?.estimate ?? 0), 1e-6);
    close(intercept?.points ?? 0, scale.offset - scale.factor * (intercept?.estimate ?? 0), 1e-6);
  });
});

describe('the generated data of two banks', () => {
  let folder: string;
  let banks: ReturnType<typeof generateCredit>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dt-credit-'));
    banks = generateCredit({ folder });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('bank A alone ranks fairly, both together clearly better', async () => {
    const alone = await score({ path: banks.bankA });
    expect(alone.skipped_columns).toEqual(['channel', 'region']);
    expect(alone.coefficients.length).toBe(9);
    expect(alone.evaluation.auc).toBeGreaterThan(0.69);
    expect(alone.evaluation.auc).toBeLessThan(0.75);
    const b = readFileSync(banks.bankB, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(line.indexOf(',') + 1));
    const joint = readFileSync(banks.bankA, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line, i) => `${line},${b[i]}`)
      .join('\n');
    const together = await score(joint);
    expect(together.coefficients.length).toBe(17);
    expect(together.evaluation.auc).toBeGreaterThan(0.78);
    expect(together.evaluation.auc).toBeLessThan(0.83);
    expect(together.evaluation.auc - alone.evaluation.auc).toBeGreaterThan(0.04);
  });
});

describe('the same input gives the same bytes', () => {
  it('and the seed decides the split', async () => {
    const text = made(600);
    const runs = await Promise.all(
      [7, 7, 8].map((seed) => runOperator('scorecard.mjs', { ...parameters, split: { ...parameters.split, seed } }, { 'data.csv': text })),
    );
    expect(runs[0]?.outputs).toEqual(runs[1]?.outputs);
    expect(runs[0]?.outputs['scorecard.json']).not.toBe(runs[2]?.outputs['scorecard.json']);
  });

  it('however the file is written: byte order mark, CRLF, quotes, spaces, blank lines', async () => {
    const text = made(300);
    const dressed = `\ufeff${text
      .replace('y', '"y"')
      .replaceAll(/^(\d+),(\d),(.*),(.*)$/gm, '"$1", $2 ,"$3",$4\t')
      .replaceAll('\n', '\r\n')}\r\n`;
    expect(dressed).toContain('"2",');
    expect(await score(dressed)).toEqual(await score(text));
  });
});

describe('what leaves', () => {
  it.each([5, 12, 25, 60])('no band holds fewer than %d rows of either label, and none is left blank', async (minGroup) => {
    const result = await score(made(900), { privacy: { min_rows: 30, min_group: minGroup } });
    const { bands, roc } = result.evaluation;
    expect(bands.length).toBeGreaterThan(0);
    for (const { rows, bad } of bands) expect(Math.min(bad, rows - bad)).toBeGreaterThanOrEqual(minGroup);
    expect(bands.reduce((sum, { rows }) => sum + rows, 0)).toBe(result.rows.test);
    expect(bands.reduce((sum, { bad }) => sum + bad, 0)).toBe(result.rows.test_bad);
    expect(roc.length).toBe(bands.length + 1);
    expect([roc[0], roc.at(-1)]).toEqual([
      { fpr: 0, tpr: 0 },
      { fpr: 1, tpr: 1 },
    ]);
  });

  it('too few rows', async () => {
    expect(await refusal(made(99), { privacy: { min_rows: 100, min_group: 5 } })).toBe(
      'bad input: the data has 99 rows, fewer than min_rows 100',
    );
  });

  it('a label too rare to be told', async () => {
    const text = made(300, (cells, i) => {
      cells[1] = i % 60 === 0 ? '1' : '0';
    });
    expect(await refusal(text, { privacy: { min_rows: 30, min_group: 6 } })).toContain('fewer than min_group 6');
  });

  it('a column in which few rows stand out, even when they would do no harm to the fit', async () => {
    const text = made(300, (cells, i) => {
      cells[3] = i % 50 === 0 ? '1' : '0';
    });
    const complaint = await refusal(text, {
      privacy: { min_rows: 30, min_group: 10 },
      split: { method: 'order', test_fraction: 0, seed: 0 },
    });
    expect(complaint).toBe('bad input: column x2 is nearly constant: fewer than min_group 10 training rows differ');
  });

  it('a model with a coefficient for every few rows', async () => {
    const wide = made(40)
      .split('\n')
      .map((line, i) =>
        line === '' ? line : `${line},${Array.from({ length: 8 }, (_, j) => (i === 0 ? `f${j}` : (i * (j + 3) * 7919) % 31)).join(',')}`,
      );
    expect(await refusal(wide.join('\n'), { split: { method: 'order', test_fraction: 0, seed: 0 } })).toContain(
      '40 training rows are too few for 10 features',
    );
  });
});

describe('bad data and parameters: exit 2 and one clear line', () => {
  const set = (at: number, value: string) =>
    made(100, (cells, i) => {
      if (i === 49) cells[at] = value;
    });
  it.each([
    ['an empty file', '', 'bad input: ./inputs/data.csv is empty'],
    ['a header alone', 'id,y,x1\n', 'bad input: the data has 0 rows, fewer than min_rows 30'],
    ['a short row', set(3, '1\n7,1,2'), 'bad input: line 52 has 3 fields, the header has 4'],
    ['a long row', set(3, '1,1'), 'bad input: line 51 has 5 fields, the header has 4'],
    [
      'text among numbers',
      set(2, 'secret'),
      'bad input: line 51, column x1: not a number; name the features to use, or complete the column',
    ],
    ['NaN', set(2, 'NaN'), 'bad input: line 51, column x1: a value is missing; name the features to use, or complete the column'],
    ['an empty cell', set(2, ''), 'bad input: line 51, column x1: a value is missing; name the features to use, or complete the column'],
    ['infinity', set(2, '-Infinity'), 'bad input: line 51, column x1: an infinite value; name the features to use, or complete the column'],
    [
      'a number without bounds',
      set(2, '1e999'),
      'bad input: line 51, column x1: a number that is too large; name the features to use, or complete the column',
    ],
    ['hexadecimal', set(2, '0x10'), 'bad input: line 51, column x1: not a number; name the features to use, or complete the column'],
    ['a label of 2', set(1, '2'), 'bad input: line 51: the label y is not 0 or 1'],
    ['a label of text', set(1, 'secret'), 'bad input: line 51: the label y is not 0 or 1'],
    ['no label', set(1, ''), 'bad input: line 51: the label y is not 0 or 1'],
    ['an open quote', set(2, '"1'), 'bad input: line 51: a quote is not closed'],
    ['a quote inside', set(2, '1"secret"'), 'bad input: line 51: a quote inside a field that does not start with one'],
    ['a column twice', made(50).replace('x2', 'x1'), 'bad input: two columns are called x1'],
    [
      'one class',
      made(50, (cells) => {
        cells[1] = '0';
      }),
      'bad input: all training rows have the label 0; both are needed',
    ],
    [
      'a constant column',
      made(50, (cells) => {
        cells[3] = '7';
      }),
      'bad input: column x2 is constant in the training rows',
    ],
    [
      'a column that follows from others',
      made(200, (cells) => {
        cells[3] = String(3 - 2 * Number(cells[2]));
      }),
      'bad input: column x2 is collinear: a linear combination of the features before it',
    ],
    ['only text', `id,y,a\n${'1,1,x\n2,0,y\n'.repeat(30)}`, 'bad input: no column of numbers is left as a feature'],
  ])('%s', async (_, text, complaint) => {
    expect(await refusal(text)).toBe(complaint);
  });

  it('bytes that are no UTF-8', async () => {
    expect(await refusal(Buffer.from('id,y,x\n1,1,\xff\n', 'latin1'))).toBe('bad input: ./inputs/data.csv is not UTF-8 text');
  });

  it.each([
    ['perfectly', (cells: string[]) => (Number(cells[2]) > 0 ? '1' : '0')],
    // Every row with x1 = 1 is bad, the others are bad or good: one coefficient has no end, while the likelihood has.
    ['for a part of the rows', (cells: string[]) => (cells[2] === '1' ? '1' : (cells[1] ?? ''))],
  ])('a label that a column separates %s; a penalty helps', async (what, label) => {
    const text = made(300, (cells) => {
      if (what !== 'perfectly') cells[2] = Number(cells[2]) > 1 ? '1' : '0';
      cells[1] = label(cells);
    });
    const complaint = await refusal(text);
    expect(complaint).toContain('separated by the features, most by column x1');
    expect(complaint).toContain('set model.l2 above 0');
    expect((await score(text, { model: { l2: 1, standardize: true } })).evaluation.auc).toBeGreaterThan(0.6);
  });

  it('columns that are nearly, but not quite, collinear are fitted, with errors that say so', async () => {
    const text = made(500, (cells, i) => {
      cells[3] = (2 * Number(cells[2]) + ((i * 7919) % 1000) * 1e-6).toFixed(6);
    });
    const { coefficients } = await score(text);
    expect(coefficients.slice(1).every(({ se }) => se > 100)).toBe(true);
  });

  it('data on which plain Newton steps run away from the maximum', async () => {
    const path = join(import.meta.dirname, 'overshoot.csv');
    const { coefficients } = await score({ path }, { split: { method: 'order', test_fraction: 0, seed: 0 } });
    const rows = readTable(path).rows.map((row) => row.map(Number));
    const problem = { x: rows.map((row) => row.slice(2)), y: rows.map((row) => row[1] ?? 0), penalty: [0, 0, 0] };
    const { gradient } = gradientOf(
      problem,
      coefficients.map(({ estimate }) => estimate),
    );
    const largest = problem.x[0]?.map((_, j) => Math.max(1, ...problem.x.map((row) => Math.abs(row[j] ?? 0)))) ?? [];
    gradient.forEach((g, j) => {
      expect(Math.abs(g)).toBeLessThan(1e-5 * (largest[j - 1] ?? 1));
    });
  });

  it('an outlier of a million deviations does not derail the steps', async () => {
    const text = made(2000, (cells, i) => {
      if (i === 0) cells[2] = '1000000';
    });
    const result = await score(text, { split: { method: 'order', test_fraction: 0, seed: 0 } });
    const rows = text
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number));
    const { estimate: b0 = 0 } = result.coefficients[0] ?? {};
    const beta = [b0, ...result.coefficients.slice(1).map(({ estimate }) => estimate)];
    const problem = { x: rows.map((row) => row.slice(2)), y: rows.map((row) => row[1] ?? 0), penalty: [0, 0] };
    // At a maximum the gradient vanishes, in each column's own unit.
    const { gradient } = gradientOf(problem, beta);
    expect(Math.abs(gradient[0] ?? 1)).toBeLessThan(1e-6);
    expect(Math.abs(gradient[2] ?? 1)).toBeLessThan(1e-6);
  });

  const columns = (change: object) => ({ columns: { ...parameters.columns, ...change } });
  it.each([
    ['a column that is not there', columns({ features: ['x1', 'x9'] }), 'bad input: there is no column x9; the file has id, y, x1, x2'],
    ['no such label', columns({ label: 'z' }), 'bad input: there is no column z; the file has id, y, x1, x2'],
    ['the label as a feature', columns({ features: ['x1', 'y'] }), 'bad input: the label and the id cannot be features'],
    ['the id as a feature', columns({ features: ['id'] }), 'bad input: the label and the id cannot be features'],
    [
      'a feature twice',
      columns({ features: ['x1', 'x1'] }),
      'bad input: parameter columns.features must be "all", or a list of different column names',
    ],
    [
      'a path out of the job',
      { inputs: { data: '../../etc/passwd' } },
      'bad input: parameter inputs.data must be a path like ./inputs/data.csv',
    ],
    ['a file that is not there', { inputs: { data: './inputs/other.csv' } }, 'bad input: ./inputs/other.csv cannot be read: ENOENT'],
    ['a negative penalty', { model: { l2: -1, standardize: true } }, 'bad input: parameter model.l2 must be a number from 0 to 1000000000'],
    [
      'a group of one',
      { privacy: { min_rows: 30, min_group: 1 } },
      'bad input: parameter privacy.min_group must be a whole number from 5 to 1000000000',
    ],
    ['a parameter too many', { split: { ...parameters.split, extra: 1 } }, 'bad input: there is no parameter split.extra'],
    ['a parameter too few', { split: { method: 'order' } }, 'bad input: parameter split.test_fraction is missing'],
    ['null for an object', { split: null }, 'bad input: parameter split must be an object'],
  ])('%s', async (_, change, complaint) => {
    const run = await runOperator('scorecard.mjs', { ...parameters, ...change }, { 'data.csv': made(60) });
    expect([run.exit, run.complaint]).toEqual([2, complaint]);
  });

  it('no parameters, or no JSON', async () => {
    expect(await runOperator('scorecard.mjs', '{', { 'data.csv': '' })).toMatchObject({
      exit: 2,
      complaint: expect.stringContaining('cannot be read: SyntaxError'),
    });
  });
});
