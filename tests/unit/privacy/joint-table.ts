import { seededRandom } from '../../../src/privacy/random-source.js';
import { type Columns, prepareColumns } from '../../../src/privacy/regression/columns.js';
import type { BankInput, FitResult } from '../../../src/privacy/regression/fit-sgd.js';
import { fitSgdBank, fitSgdDealer } from '../../../src/privacy/regression/fit-sgd.js';
import type { FitHooks } from '../../../src/privacy/regression/held-out.js';
import type { HeldOutMetrics } from '../../../src/privacy/regression/metrics.js';
import type { ModelPart } from '../../../src/privacy/regression/model-part.js';
import { orderRows } from '../../../src/privacy/regression/row-order.js';
import { type SgdOptions, sgdOptionsFromModelArgs } from '../../../src/privacy/regression/sgd-options.js';
import { type Triangle, testRandom, triangle } from './three-parties.js';

export interface JointTable {
  readonly bank0: Required<BankInput>;
  readonly bank1: BankInput;
}

/** Numbers in [0, 1) from a seed, the same in every run. */
export function numbers(seed: number): () => number {
  const random = seededRandom(Uint8Array.from({ length: 16 }, (_, i) => (seed >> (8 * (i % 4))) & 255));
  return () => new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32;
}

export type CellMaker = (next: () => number, row: number, column: number) => number;

const gaussianish: CellMaker = (next) => next() + next() + next() + next() - 2;

/** A table split between two banks, with labels that depend on all columns and some noise. */
export function jointTable(seed: number, rows: number, widths: readonly [number, number], cell: CellMaker = gaussianish): JointTable {
  const next = numbers(seed);
  const tables = widths.map((width) => new Float64Array(rows * width));
  const labels = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let score = next() + next() - 1;
    tables.forEach((table, bank) => {
      const width = widths[bank] as number;
      for (let j = 0; j < width; j++) {
        const value = cell(next, row, j);
        table[row * width + j] = value;
        score += value * Math.cos(j * 1.3 + bank);
      }
    });
    labels[row] = score > 0 ? 1 : 0;
  }
  const columns = (bank: 0 | 1): Columns => ({
    names: Array.from({ length: widths[bank] }, (_, j) => `${bank === 0 ? 'a' : 'b'}${j}`),
    rows,
    values: tables[bank] as Float64Array,
  });
  return { bank0: { columns: columns(0), labels: { name: 'y', values: labels } }, bank1: { columns: columns(1) } };
}

export interface PooledValues {
  readonly values: Float64Array;
  readonly width: number;
  readonly labels: Float64Array;
}

/** What the joint run works on, in one place: prepared columns of both banks, optionally rounded as they are encoded. */
export function pooled(table: JointTable, options: SgdOptions, featureBits?: number): PooledValues {
  const { rows } = table.bank0.columns;
  const order = orderRows({ ...options, rows });
  const [a, b] = [
    prepareColumns(table.bank0.columns, options, order, options.trainRows),
    prepareColumns(table.bank1.columns, options, order, options.trainRows),
  ];
  const width = a.width + b.width;
  const values = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    values.set(a.values.subarray(row * a.width, (row + 1) * a.width), row * width);
    values.set(b.values.subarray(row * b.width, (row + 1) * b.width), row * width + a.width);
  }
  const rounded = featureBits === undefined ? values : values.map((value) => Math.round(value * 2 ** featureBits) / 2 ** featureBits);
  return { values: rounded, width, labels: Float64Array.from(order, (row) => table.bank0.labels.values[row] as number) };
}

export function smallOptions(table: JointTable, changes: Partial<SgdOptions> = {}): SgdOptions {
  const { rows } = table.bank0.columns;
  const inDim = table.bank0.columns.names.length + table.bank1.columns.names.length;
  const args = { in_dim: inDim, out_dim: 1, lr: 0.1, batch_size: 16, split: rows - 40, epoch: 30 };
  return sgdOptionsFromModelArgs('00', args, changes);
}

export interface SgdRun {
  readonly bank0: FitResult<HeldOutMetrics>;
  readonly bank1: FitResult<HeldOutMetrics>;
  readonly dealer: FitResult<HeldOutMetrics>;
}

export async function runSgd(
  table: JointTable,
  options: SgdOptions,
  settings: { links?: Triangle; seed?: number; hooks?: FitHooks; optionsOf1?: SgdOptions } = {},
): Promise<SgdRun> {
  const links = settings.links ?? triangle();
  const [bank0, bank1, dealer] = await Promise.all([
    fitSgdBank(links.bank0, options, table.bank0, testRandom(settings.seed, 0), settings.hooks),
    fitSgdBank(links.bank1, settings.optionsOf1 ?? options, table.bank1, testRandom(settings.seed, 1)),
    fitSgdDealer(links.dealer, options, testRandom(settings.seed, 2)),
  ]);
  return { bank0, bank1, dealer };
}

/** Intercept, then the weights of bank 0 and bank 1. */
export function weightsOf(parts: readonly ModelPart[], intercept: boolean): number[] {
  const weights = parts.flatMap((part) => part.columns.map((column) => column.weight));
  return intercept ? [parts.reduce((sum, part) => sum + part.intercept, 0), ...weights] : weights;
}
