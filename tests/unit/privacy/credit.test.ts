import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { prepareColumns } from '../../../src/privacy/regression/columns.js';
import { fitFixedHessianBank, fitFixedHessianDealer } from '../../../src/privacy/regression/fit-fixed-hessian.js';
import { fixedHessianOptions, powerBitsOf } from '../../../src/privacy/regression/fixed-hessian.js';
import { plaintextFixedHessian } from '../../../src/privacy/regression/plaintext-full-batch.js';
import { plaintextSgd } from '../../../src/privacy/regression/plaintext-sgd.js';
import { orderRows } from '../../../src/privacy/regression/row-order.js';
import { sgdOptionsFromModelArgs, sgdScales } from '../../../src/privacy/regression/sgd-options.js';
import { whitenColumns } from '../../../src/privacy/regression/whiten.js';
import { evaluateSeries, sineSeries } from '../../../src/privacy/ring/sine-series.js';
import { type JointTable, pooled, runSgd, weightsOf } from './joint-table.js';
import { testRandom, triangle } from './three-parties.js';

/** UCI default of credit card clients, split between two banks; not part of the project. */
const folder = fileURLToPath(new URL('../../../../shared/data/credit/', import.meta.url));
const present = existsSync(`${folder}bank_a.csv`);
if (!present) console.warn(`Quality tests on the credit data are skipped: ${folder} is absent.`);

const trainRows = 24_000;
const inDim = 23;

function readCredit(): JointTable {
  const read = (name: string): { header: string[]; cells: number[][] } => {
    const [header = '', ...lines] = readFileSync(`${folder}${name}`, 'utf8').trim().split('\n');
    return { header: header.split(','), cells: lines.map((line) => line.split(',').map(Number)) };
  };
  const [a, b] = [read('bank_a.csv'), read('bank_b.csv')];
  const columns = ({ header, cells }: typeof a, from: number, prefix: string) => ({
    names: header.slice(from).map((name) => `${prefix}.${name}`),
    rows: cells.length,
    values: Float64Array.from(cells.flatMap((row) => row.slice(from))),
  });
  return {
    bank0: { columns: columns(a, 2, 'a'), labels: { name: 'y', values: Float64Array.from(a.cells, (row) => row[1] as number) } },
    bank1: { columns: columns(b, 1, 'b') },
  };
}

describe.skipIf(!present)('quality on the credit data (24,000 rows to train, 6,000 held out, seeded order)', () => {
  it('gradient steps: AUC within 0.002 of plaintext float64, weights those of the rounded twin', async () => {
    const table = readCredit();
    const args = { in_dim: inDim, out_dim: 1, lr: 0.01, batch_size: 256, split: trainRows, epoch: 10_001 };
    const options = sgdOptionsFromModelArgs('credit', args, { rowOrder: 'seeded', rowSeed: 'credit' });
    const { bank0, bank1, dealer } = await runSgd(table, options);
    const exact = plaintextSgd({ ...pooled(table, options), options }).evaluations.at(-1);
    const joint = bank0.evaluations.at(-1);
    expect(joint?.round).toBe(10_000);
    expect(exact?.auc).toBeGreaterThan(0.7);
    expect(Math.abs((joint?.auc ?? 0) - (exact?.auc ?? 1))).toBeLessThan(0.002);
    expect(Math.abs((joint?.ks ?? 0) - (exact?.ks ?? 1))).toBeLessThan(0.01);
    expect(Math.abs((joint?.loss ?? 0) - (exact?.loss ?? 1))).toBeLessThan(0.002);
    expect(dealer.evaluations).toEqual(bank1.evaluations);

    const series = sineSeries(options.period, options.sineTerms);
    const twin = plaintextSgd({
      ...pooled(table, options, sgdScales(options).featureBits),
      options,
      sigmoid: (z) => evaluateSeries(series, z),
    });
    weightsOf([...bank0.parts, ...bank1.parts], true).forEach((weight, j) => {
      expect(Math.abs(weight - (twin.weights[j] as number))).toBeLessThan(1e-4);
    });
  }, 120_000);

  it('fixed Hessian: AUC within 0.002 of plaintext float64', async () => {
    const table = readCredit();
    const options = fixedHessianOptions({ jobDigest: 'credit', inDim, trainRows }, { rowOrder: 'seeded', rowSeed: 'credit' });
    const links = triangle();
    const [bank0] = await Promise.all([
      fitFixedHessianBank(links.bank0, options, table.bank0, testRandom(undefined, 0)),
      fitFixedHessianBank(links.bank1, options, table.bank1, testRandom(undefined, 1)),
      fitFixedHessianDealer(links.dealer, options, testRandom(undefined, 2)),
    ]);
    const { rows } = table.bank0.columns;
    const order = orderRows({ ...options, rows });
    const power = 2 ** powerBitsOf(trainRows);
    const rule = { ...options, standardise: true };
    const [a, b] = [
      prepareColumns(table.bank0.columns, rule, order, trainRows, true),
      prepareColumns(table.bank1.columns, rule, order, trainRows),
    ];
    const [wa, wb] = [whitenColumns(a, trainRows, power, false), whitenColumns(b, trainRows, power, true)];
    const values = new Float64Array(rows * 24);
    for (let row = 0; row < rows; row++) {
      values.set(wa.values.subarray(row * 14, (row + 1) * 14), row * 24);
      values.set(wb.values.subarray(row * 10, (row + 1) * 10), row * 24 + 14);
    }
    const labels = Float64Array.from(order, (row) => table.bank0.labels.values[row] as number);
    const exact = plaintextFixedHessian({ values, width: 24, labels }, options).evaluations.at(-1);
    const joint = bank0.evaluations.at(-1);
    expect(exact?.auc).toBeGreaterThan(0.7);
    expect(Math.abs((joint?.auc ?? 0) - (exact?.auc ?? 1))).toBeLessThan(0.002);
    expect(Math.abs((joint?.loss ?? 0) - (exact?.loss ?? 1))).toBeLessThan(0.002);
  }, 120_000);
});
