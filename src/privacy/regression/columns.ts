import { ToolkitError } from '../../errors/toolkit-error.js';

/** One party's columns of the joint table. Row i of every party is the same customer. */
export interface Columns {
  readonly names: readonly string[];
  readonly rows: number;
  /** Row by row: rows x names.length. */
  readonly values: Float64Array;
}

export interface ColumnRule {
  /** Largest absolute value that enters the computation, after standardising where asked for. */
  readonly clip: number;
  /** What happens to larger ones: cut to +-clip (and counted), or the run is refused. */
  readonly outOfRange: 'clip' | 'refuse';
  /** Subtract the mean and divide by the standard deviation of the first `trainRows` rows of the order. */
  readonly standardise: boolean;
}

/** Columns that are safe to encode, and what was done to them: prepared = clip((raw - mean) / deviation). */
export interface PreparedColumns {
  readonly names: readonly string[];
  readonly rows: number;
  /** Row by row in the order of the run: rows x width. */
  readonly values: Float64Array;
  /** Number of columns, with the column of ones that comes first where it was asked for. */
  readonly width: number;
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  /** How many values of each column were cut. */
  readonly clipped: readonly number[];
}

/**
 * Checks a party's columns before any message is sent. `order` lists the rows to use, training rows first. `ones`: put a column
 * of ones, for the intercept, before the others.
 * Errors: DT_INPUT_COLUMN, naming the column, for NaN or infinite values, a constant column, and values out of range under the
 * rule `refuse`; DT_INPUT_INVALID for a table of the wrong shape.
 */
export function prepareColumns(columns: Columns, rule: ColumnRule, order: Uint32Array, trainRows: number, ones = false): PreparedColumns {
  const count = columns.names.length;
  const width = count + (ones ? 1 : 0);
  checkShape(columns, order);
  const values = new Float64Array(order.length * width);
  if (ones) values.fill(1);
  const means = new Float64Array(count);
  const deviations = new Float64Array(count).fill(1);
  const clipped: number[] = [];
  const train = momentsOf(columns, order.subarray(0, trainRows));
  for (let j = 0; j < count; j++) {
    const name = columns.names[j] as string;
    checkColumn(columns, j, name);
    const [mean, deviation] = [train.means[j] as number, train.deviations[j] as number];
    if (!(deviation > 0))
      throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: `it is constant over the ${trainRows} training rows` });
    if (rule.standardise) {
      means[j] = mean;
      deviations[j] = deviation;
    }
    clipped.push(
      writeColumn(columns, j, name, rule, order, means[j] as number, deviations[j] as number, { values, width, at: j + width - count }),
    );
  }
  return { names: columns.names, rows: order.length, values, width, means, deviations, clipped };
}

/**
 * Checks labels and puts them in order. Errors: DT_INPUT_COLUMN when a label is not 0 or 1, or when the training or the
 * held-out rows hold one class only.
 */
export function prepareLabels(name: string, labels: ArrayLike<number>, order: Uint32Array, trainRows: number): Float64Array {
  const ordered = new Float64Array(order.length);
  let trainOnes = 0;
  let testOnes = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number;
    const label = labels[row] as number;
    if (label !== 0 && label !== 1)
      throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: `the label in row ${row + 1} is neither 0 nor 1` });
    ordered[i] = label;
    if (i < trainRows) trainOnes += label;
    else testOnes += label;
  }
  if (trainOnes === 0 || trainOnes === trainRows)
    throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: 'the training rows hold one class only' });
  const testRows = order.length - trainRows;
  if (testRows > 0 && (testOnes === 0 || testOnes === testRows)) {
    throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: 'the held-out rows hold one class only' });
  }
  return ordered;
}

/** A target in units of its deviation over the training rows. */
export interface PreparedTarget {
  readonly values: Float64Array;
  readonly mean: number;
  readonly deviation: number;
}

/** Checks and standardises the target of a linear fit; without an intercept it keeps its mean. Errors: DT_INPUT_COLUMN. */
export function prepareTarget(
  name: string,
  target: ArrayLike<number>,
  order: Uint32Array,
  trainRows: number,
  center: boolean,
): PreparedTarget {
  const values = Float64Array.from(order, (row) => target[row] ?? Number.NaN);
  const missing = values.findIndex((value) => !Number.isFinite(value));
  if (missing >= 0)
    throw new ToolkitError('DT_INPUT_COLUMN', {
      column: name,
      reason: `the value in row ${(order[missing] as number) + 1} is missing, NaN or infinite`,
    });
  const train = values.subarray(0, trainRows);
  const mean = center ? train.reduce((sum, value) => sum + value, 0) / trainRows : 0;
  const deviation = Math.sqrt(train.reduce((sum, value) => sum + (value - mean) ** 2, 0) / trainRows);
  if (!(deviation > 0))
    throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: `it is constant over the ${trainRows} training rows` });
  return { values: values.map((value) => (value - mean) / deviation), mean, deviation };
}

function checkShape(columns: Columns, order: Uint32Array): void {
  const width = columns.names.length;
  const what = 'The table of columns';
  if (width === 0) throw new ToolkitError('DT_INPUT_INVALID', { what, reason: 'it has no column' });
  if (new Set(columns.names).size !== width) throw new ToolkitError('DT_INPUT_INVALID', { what, reason: 'two columns have the same name' });
  if (columns.values.length !== columns.rows * width) {
    throw new ToolkitError('DT_INPUT_INVALID', {
      what,
      reason: `${columns.values.length} values are not ${columns.rows} rows of ${width}`,
    });
  }
  if (order.some((row) => row >= columns.rows))
    throw new ToolkitError('DT_INPUT_INVALID', { what, reason: `it has only ${columns.rows} rows` });
}

function checkColumn(columns: Columns, j: number, name: string): void {
  const width = columns.names.length;
  for (let i = 0; i < columns.rows; i++) {
    if (!Number.isFinite(columns.values[i * width + j])) {
      throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: `the value in row ${i + 1} is missing, NaN or infinite` });
    }
  }
}

/** Of all columns at once: walking the table row by row is several times faster than column by column. */
function momentsOf(columns: Columns, order: Uint32Array): { means: Float64Array; deviations: Float64Array } {
  const { values } = columns;
  const width = columns.names.length;
  const means = new Float64Array(width);
  const deviations = new Float64Array(width);
  for (const row of order) for (let j = 0; j < width; j++) means[j] = (means[j] as number) + (values[row * width + j] as number);
  for (let j = 0; j < width; j++) means[j] = (means[j] as number) / order.length;
  for (const row of order)
    for (let j = 0; j < width; j++)
      deviations[j] = (deviations[j] as number) + ((values[row * width + j] as number) - (means[j] as number)) ** 2;
  for (let j = 0; j < width; j++) deviations[j] = Math.sqrt((deviations[j] as number) / order.length);
  return { means, deviations };
}

function writeColumn(
  columns: Columns,
  j: number,
  name: string,
  rule: ColumnRule,
  order: Uint32Array,
  mean: number,
  deviation: number,
  out: { values: Float64Array; width: number; at: number },
): number {
  const width = columns.names.length;
  let clipped = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number;
    const value = ((columns.values[row * width + j] as number) - mean) / deviation;
    const cut = Math.min(rule.clip, Math.max(-rule.clip, value));
    if (cut !== value) {
      if (rule.outOfRange === 'refuse') {
        const reason = `the value in row ${row + 1} is outside of +-${rule.clip}, and the agreed rule refuses such rows`;
        throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason });
      }
      clipped += 1;
    }
    out.values[i * out.width + out.at] = cut;
  }
  return clipped;
}
