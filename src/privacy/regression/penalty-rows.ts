import type { PreparedColumns } from './columns.js';

/**
 * A bank's columns with the rows of a ridge penalty after its training rows: for each column of bank 0, then for each of bank 1, a row
 * that has sqrt(l2) in that column and zeros elsewhere. A column of ones, for the intercept, is zero in all of them.
 */
export function withPenaltyRows(
  prepared: PreparedColumns,
  penalty: { readonly trainRows: number; readonly inDim: number; readonly l2: number; readonly first: boolean },
): PreparedColumns {
  const { trainRows, inDim, l2, first } = penalty;
  if (!(l2 > 0)) return prepared;
  const { width, names } = prepared;
  const ones = width - names.length;
  const values = new Float64Array((prepared.rows + inDim) * width);
  values.set(prepared.values.subarray(0, trainRows * width));
  values.set(prepared.values.subarray(trainRows * width), (trainRows + inDim) * width);
  const firstRow = trainRows + (first ? 0 : inDim - names.length);
  for (let j = 0; j < names.length; j++) values[(firstRow + j) * width + ones + j] = Math.sqrt(l2);
  return { ...prepared, rows: prepared.rows + inDim, values };
}
