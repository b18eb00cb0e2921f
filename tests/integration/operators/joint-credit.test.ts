import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { prepareColumns } from '../../../src/privacy/regression/columns.js';
import { powerBitsOf } from '../../../src/privacy/regression/fixed-hessian.js';
import { contributions } from '../../../src/privacy/regression/model-part.js';
import { plaintextFixedHessian, scoresOf } from '../../../src/privacy/regression/plaintext-full-batch.js';
import { plaintextSgd } from '../../../src/privacy/regression/plaintext-sgd.js';
import { orderRows } from '../../../src/privacy/regression/row-order.js';
import { sgdScales } from '../../../src/privacy/regression/sgd-options.js';
import { whitenColumns } from '../../../src/privacy/regression/whiten.js';
import { evaluateSeries, sineSeries } from '../../../src/privacy/ring/sine-series.js';
import { logisticFit } from '../../../src/privacy/vertical/fit-arguments.js';
import type { ModelFile } from '../../../src/privacy/vertical/model-file.js';
import { pooled, weightsOf } from '../../unit/privacy/joint-table.js';
import { type JointParty, type JointRun, runJoint } from './run-joint.js';
import { sharedFile } from './run-operator.js';

const [pathA, pathB] = [sharedFile('data/credit/bank_a.csv'), sharedFile('data/credit/bank_b.csv')];
const present = pathA !== undefined && pathB !== undefined;

const rows = 30_000;
const seats = [
  { seat: '0', inputs: ['0'] },
  { seat: '1', inputs: ['1'] },
  { seat: '2', inputs: [] },
];
const common = {
  in_dim: 23,
  out_dim: 1,
  split: 24_000,
  model_to: 'owners',
  options: { label: 'y', id: 'id', seed: 'credit', evaluate_every: 0 },
};

async function train(model_args: Record<string, unknown>): Promise<readonly JointRun[]> {
  const parties: JointParty[] = [
    { name: 'Bank A', inputs: { 0: { file: 'bank_a.csv', data: { path: pathA ?? '' } } } },
    { name: 'Bank B', inputs: { 1: { file: 'bank_b.csv', data: { path: pathB ?? '' } } } },
    { name: 'Dealer', inputs: {} },
  ];
  const outputs = { metrics: './outputs/metrics.json', model: './outputs/model.json' };
  const runs = await runJoint('vertical_lr.mjs', { party_id: 0, inputs: {}, exec_endpoints: {}, model_args, outputs }, parties);
  expect(runs.map(({ exit, complaint }) => [exit, complaint])).toEqual([0, 1, 2].map(() => [0, '']));
  return runs;
}

const metricsOf = (runs: readonly JointRun[]): { auc: number; ks: number; loss: number } =>
  JSON.parse(runs[0]?.outputs['metrics.json'] ?? '');
const partsOf = (runs: readonly JointRun[]) =>
  runs.slice(0, 2).flatMap((run) => (JSON.parse(run.outputs['model.json'] ?? '') as ModelFile).parts);

function readCredit() {
  const read = (path: string): number[][] =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number));
  const [a, b] = [read(pathA ?? ''), read(pathB ?? '')];
  const columns = (cells: number[][], from: number) => ({
    names: Array.from({ length: (cells[0]?.length ?? 0) - from }, (_, j) => `x${j}`),
    rows: cells.length,
    values: Float64Array.from(cells.flatMap((row) => row.slice(from))),
  });
  const labels = { name: 'y', values: Float64Array.from(a, (row) => row[1] as number) };
  return { bank0: { columns: columns(a, 2), labels }, bank1: { columns: columns(b, 1) } };
}

describe.skipIf(!present)('the operator on the credit data (skipped without ../shared/data/credit)', () => {
  it('10,001 gradient steps: AUC within 0.002 of plaintext float64, weights those of the twin in fixed point', async () => {
    const args = { ...common, method: 'sgd', lr: 0.01, batch_size: 256, epoch: 10_001 };
    const runs = await train(args);
    const { options, method } = logisticFit(args, seats, 'any');
    if (method !== 'sgd') throw new Error(method);
    const table = readCredit();
    const exact = plaintextSgd({ ...pooled(table, options), options }).evaluations.at(-1);
    const joint = metricsOf(runs);
    expect(exact?.auc).toBeGreaterThan(0.7);
    expect(Math.abs(joint.auc - (exact?.auc ?? 1))).toBeLessThan(0.002);
    expect(Math.abs(joint.ks - (exact?.ks ?? 1))).toBeLessThan(0.01);
    expect(Math.abs(joint.loss - (exact?.loss ?? 1))).toBeLessThan(0.002);

    const series = sineSeries(options.period, options.sineTerms);
    const sigmoid = (z: number): number => evaluateSeries(series, z);
    const twin = plaintextSgd({ ...pooled(table, options, sgdScales(options).featureBits), options, sigmoid });
    weightsOf(partsOf(runs), true).forEach((weight, j) => {
      expect(Math.abs(weight - (twin.weights[j] as number))).toBeLessThan(1e-4);
    });
    for (const { peakMiB } of runs) expect(peakMiB).toBeLessThan(300);
  }, 120_000);

  it('fixed Hessian: AUC within 0.002 of plaintext float64', async () => {
    const args = { ...common, method: 'fixed_hessian', lr: null, batch_size: null, epoch: 30 };
    const runs = await train(args);
    const joint = metricsOf(runs);
    const { options, method } = logisticFit(args, seats, 'any');
    if (method !== 'fixed_hessian') throw new Error(method);
    const table = readCredit();
    const order = orderRows({ ...options, rows });
    const rule = { ...options, standardise: true };
    const power = 2 ** powerBitsOf(options.trainRows);
    const a = whitenColumns(prepareColumns(table.bank0.columns, rule, order, options.trainRows, true), options.trainRows, power, false);
    const b = whitenColumns(prepareColumns(table.bank1.columns, rule, order, options.trainRows), options.trainRows, power, true);
    const values = new Float64Array(rows * 24);
    for (let row = 0; row < rows; row++) {
      values.set(a.values.subarray(row * 14, (row + 1) * 14), row * 24);
      values.set(b.values.subarray(row * 10, (row + 1) * 10), row * 24 + 14);
    }
    const labels = Float64Array.from(order, (row) => table.bank0.labels.values[row] as number);
    const exact = plaintextFixedHessian({ values, width: 24, labels }, options).evaluations.at(-1);
    expect(exact?.auc).toBeGreaterThan(0.7);
    expect(Math.abs(joint.auc - (exact?.auc ?? 1))).toBeLessThan(0.002);
    expect(Math.abs(joint.loss - (exact?.loss ?? 1))).toBeLessThan(0.002);

    // Weights as their effect: the logit of every row, against the twin that computes with the same sigmoid.
    const series = sineSeries(options.period, options.sineTerms);
    const twin = plaintextFixedHessian({ values, width: 24, labels }, options, (z) => evaluateSeries(series, z));
    const expected = scoresOf({ values, width: 24, labels }, twin.weights, 0, rows);
    const [partA, partB] = partsOf(runs);
    if (partA === undefined || partB === undefined) throw new Error('a part is missing');
    const found = [contributions(partA, table.bank0.columns), contributions(partB, table.bank1.columns)] as const;
    const furthest = order.reduce((most, row, i) => {
      return Math.max(most, Math.abs((found[0][row] as number) + (found[1][row] as number) - (expected[i] as number)));
    }, 0);
    expect(furthest).toBeLessThan(0.01);
  }, 120_000);
});
