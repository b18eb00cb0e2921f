import { type FixedHessianOptions, hessianStep, powerBitsOf } from './fixed-hessian.js';
import { damping } from './joint-gram.js';
import { type HeldOutMetrics, heldOutMetrics } from './metrics.js';
import { exactSigmoid } from './plaintext-sgd.js';
import { cholesky, solveLower } from './whiten.js';

/** Columns of both banks side by side, row by row: training rows first. */
export interface PooledTable {
  readonly values: Float64Array;
  readonly width: number;
  readonly labels: Float64Array;
}

export interface PlaintextFixedHessianResult {
  /** In the coordinates of the given columns. */
  readonly weights: Float64Array;
  readonly evaluations: readonly (HeldOutMetrics & { readonly round: number })[];
}

/**
 * The same algorithm as runFixedHessian on pooled data in float64. The columns are those that the banks give to the joint part:
 * whitened block by block (then the result can be compared word by word). It protects nothing.
 */
export function plaintextFixedHessian(
  table: PooledTable,
  options: Pick<FixedHessianOptions, 'trainRows' | 'steps'>,
  sigmoid: (z: number) => number = exactSigmoid,
): PlaintextFixedHessianResult {
  const { values, width, labels } = table;
  const { trainRows } = options;
  const power = 2 ** powerBitsOf(trainRows);
  const hessian = normalMatrix(values, width, trainRows).map((sum, at) => sum / power + (at % (width + 1) === 0 ? damping : 0));
  const factor = cholesky(hessian, width, (j) => `${j}`);
  const weights = new Float64Array(width);
  const evaluations: (HeldOutMetrics & { round: number })[] = [];
  for (let round = 0; round < options.steps; round++) {
    const scores = scoresOf(table, weights, 0, trainRows);
    const residuals = scores.map((z, i) => hessianStep(trainRows) * ((labels[i] as number) - sigmoid(z)));
    addInto(weights, solve(factor, width, transposedProduct(values, width, residuals)));
    if (labels.length > trainRows)
      evaluations.push({ round, ...heldOutMetrics(scoresOf(table, weights, trainRows, labels.length), labels.subarray(trainRows)) });
  }
  return { weights, evaluations };
}

/** Least squares by the normal equations in float64. l2: the ridge penalty, of each column its own. */
export function plaintextLinear(table: PooledTable, trainRows: number, l2: readonly number[] = []): Float64Array {
  const { width } = table;
  const normal = normalMatrix(table.values, width, trainRows).map(
    (sum, at) => sum + (at % (width + 1) === 0 ? (l2[at / (width + 1)] ?? 0) : 0),
  );
  const factor = cholesky(normal, width, (j) => `${j}`);
  return solve(factor, table.width, transposedProduct(table.values, table.width, table.labels.subarray(0, trainRows)));
}

export function scoresOf({ values, width }: PooledTable, weights: Float64Array, from: number, to: number): Float64Array {
  return Float64Array.from({ length: to - from }, (_, i) =>
    weights.reduce((sum, weight, j) => sum + weight * (values[(from + i) * width + j] as number), 0),
  );
}

function normalMatrix(values: Float64Array, width: number, rows: number): Float64Array {
  const out = new Float64Array(width * width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      const x = values[row * width + i] as number;
      for (let j = 0; j < width; j++) out[i * width + j] = (out[i * width + j] as number) + x * (values[row * width + j] as number);
    }
  }
  return out;
}

function transposedProduct(values: Float64Array, width: number, vector: Float64Array): Float64Array {
  const out = new Float64Array(width);
  vector.forEach((factor, row) => {
    for (let j = 0; j < width; j++) out[j] = (out[j] as number) + factor * (values[row * width + j] as number);
  });
  return out;
}

/** x with L transpose(L) x = b. */
function solve(factor: Float64Array, width: number, b: Float64Array): Float64Array {
  const x = b.slice();
  solveLower(factor, width, x);
  for (let i = width - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let k = i + 1; k < width; k++) sum -= (factor[k * width + i] as number) * (x[k] as number);
    x[i] = sum / (factor[i * width + i] as number);
  }
  return x;
}

function addInto(target: Float64Array, move: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + (move[i] as number);
}
