import { ToolkitError } from '../../errors/toolkit-error.js';
import type { PreparedColumns } from './columns.js';

/**
 * A bank's own columns turned so that over the training rows transpose(X) X = scale2 I exactly (up to rounding): done alone, in clear, before
 * anything is sent. It makes every bound of the joint part provable and its matrices well conditioned.
 */
export interface WhitenedColumns {
  readonly values: Float64Array;
  /** Weights of the prepared columns = transform x fitted weights, row by row. */
  readonly transform: number[];
  /** Subtracted from each column first, where a column of ones elsewhere takes the mean up. */
  readonly centers: number[] | undefined;
}

/** A column of which less than this share of variance is its own would be noise after whitening. */
const leastOwnShare = 1e-6;

/**
 * power: the squared norm that each column gets, a power of two not below the number of training rows.
 * penaltyRows: so many of the training rows, the last ones, are no customers and keep their zeros.
 * Errors: DT_INPUT_COLUMN for a column that the columns before it already give.
 */
export function whitenColumns(
  prepared: PreparedColumns,
  trainRows: number,
  power: number,
  center: boolean,
  penaltyRows = 0,
): WhitenedColumns {
  const { width, rows } = prepared;
  const customers = trainRows - penaltyRows;
  const centers = center ? columnMeans(prepared, customers) : undefined;
  const centered = prepared.values.slice();
  if (centers !== undefined)
    for (let row = 0; row < rows; row++) {
      if (row >= customers && row < trainRows) continue;
      for (let at = row * width; at < (row + 1) * width; at++) centered[at] = (centered[at] as number) - (centers[at % width] as number);
    }
  const factor = cholesky(gram(centered, width, trainRows, power), width, (j) => nameOf(prepared, j));
  for (let row = 0; row < rows; row++) solveLower(factor, width, centered.subarray(row * width, (row + 1) * width));
  return { values: centered, transform: invertedTransposed(factor, width), centers };
}

function columnMeans({ values, width }: PreparedColumns, trainRows: number): number[] {
  const sums = new Array<number>(width).fill(0);
  for (let at = 0; at < trainRows * width; at++) sums[at % width] = (sums[at % width] as number) + (values[at] as number);
  return sums.map((sum) => sum / trainRows);
}

/** transpose(X) X / power over the training rows. */
function gram(values: Float64Array, width: number, trainRows: number, power: number): Float64Array {
  const out = new Float64Array(width * width);
  for (let row = 0; row < trainRows; row++) {
    const at = row * width;
    for (let i = 0; i < width; i++) {
      const x = values[at + i] as number;
      for (let j = 0; j <= i; j++) out[i * width + j] = (out[i * width + j] as number) + x * (values[at + j] as number);
    }
  }
  return out.map((sum) => sum / power);
}

/** Lower factor L with L transpose(L) = the matrix, of which only the lower half is read. */
export function cholesky(matrix: Float64Array, width: number, nameOfColumn: (j: number) => string): Float64Array {
  const factor = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * width + j] as number;
      for (let k = 0; k < j; k++) sum -= (factor[i * width + k] as number) * (factor[j * width + k] as number);
      if (i !== j) factor[i * width + j] = sum / (factor[j * width + j] as number);
      else if (sum > leastOwnShare * (matrix[i * width + i] as number)) factor[i * width + i] = Math.sqrt(sum);
      else
        throw new ToolkitError('DT_INPUT_COLUMN', {
          column: nameOfColumn(i),
          reason: 'it is a linear combination of the columns before it',
        });
    }
  }
  return factor;
}

/** In place: x becomes L^-1 x. */
export function solveLower(factor: Float64Array, width: number, x: Float64Array): void {
  for (let i = 0; i < width; i++) {
    let sum = x[i] as number;
    for (let k = 0; k < i; k++) sum -= (factor[i * width + k] as number) * (x[k] as number);
    x[i] = sum / (factor[i * width + i] as number);
  }
}

function invertedTransposed(factor: Float64Array, width: number): number[] {
  const out = new Array<number>(width * width).fill(0);
  for (let j = 0; j < width; j++) {
    const unit = new Float64Array(width);
    unit[j] = 1;
    solveLower(factor, width, unit);
    // Column j of L^-1 is row j of its transpose.
    for (let i = 0; i < width; i++) out[j * width + i] = unit[i] as number;
  }
  return out;
}

function nameOf(prepared: PreparedColumns, j: number): string {
  const skipped = prepared.width - prepared.names.length;
  return prepared.names[j - skipped] ?? 'of ones';
}
