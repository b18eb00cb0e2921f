import { ToolkitError } from '../../errors/toolkit-error.js';

export type Role = 'bank0' | 'bank1' | 'dealer';

/** What every joint fit agrees on, whatever its algorithm. All of it is public to the parties. */
export interface JointOptions {
  /** SHA-256 (hex) of the job spec that the parties' signed decisions name. */
  readonly jobDigest: string;
  /** Feature columns of both banks together. */
  readonly inDim: number;
  /** The first `trainRows` rows of the order train, the others are held out. */
  readonly trainRows: number;
  readonly intercept: boolean;
  readonly clip: number;
  readonly outOfRange: 'clip' | 'refuse';
  readonly rowOrder: 'given' | 'seeded';
  readonly rowSeed: string;
  /** Who gets the weights: each owner those of its columns, or one party all of them. */
  readonly modelTo: 'owners' | Role;
}

export const jointDefaults = {
  intercept: true,
  clip: 8,
  outOfRange: 'clip',
  rowOrder: 'given',
  rowSeed: '0',
  modelTo: 'owners',
} as const satisfies Partial<JointOptions>;

const leastTrainRows = 32;

/** Fewer held-out rows would make their (score, label) pairs as good as named. */
export const leastTestRows = 20;

export function leastTrainRowsFor(inDim: number): number {
  return Math.max(leastTrainRows, 2 * (inDim + 1));
}

/** Errors: DT_INPUT_INVALID, naming the option. */
export function checkJointOptions(options: JointOptions): void {
  requirePositive(options.inDim, 'inDim');
  requirePositive(options.trainRows, 'trainRows');
  requireOneOf(options.outOfRange, ['clip', 'refuse'], 'outOfRange');
  requireOneOf(options.rowOrder, ['given', 'seeded'], 'rowOrder');
  requireOneOf(options.modelTo, ['owners', 'bank0', 'bank1', 'dealer'], 'modelTo');
  requireOneOf(options.intercept, [true, false], 'intercept');
  requireOption(typeof options.rowSeed === 'string' && options.rowSeed.length <= 200, 'rowSeed', 'it is no text of at most 200 characters');
  requireOption(typeof options.jobDigest === 'string' && options.jobDigest !== '', 'jobDigest', 'it is missing');
  requireOption(options.clip >= 1 && options.clip <= 2 ** 16, 'clip', `${options.clip} is not in 1 to 65536`);
  const least = leastTrainRowsFor(options.inDim);
  requireOption(
    options.trainRows >= least,
    'trainRows',
    `${options.trainRows} rows are too few for ${options.inDim} columns: ${least} are needed`,
  );
}

export function requirePositive(value: number, name: string): void {
  requireOption(Number.isSafeInteger(value) && value > 0, name, `${value} is no positive whole number`);
}

/** Options come from the arguments of a job, so their types are not taken on trust. */
export function requireOneOf<Value>(value: Value, allowed: readonly Value[], name: string): void {
  requireOption(allowed.includes(value), name, `${JSON.stringify(value)} is not one of ${JSON.stringify(allowed)}`);
}

export function requireOption(condition: boolean, what: string, reason: string): asserts condition {
  if (!condition) throw new ToolkitError('DT_INPUT_INVALID', { what, reason });
}

/** Held-out rows of a table with this many rows. Errors: DT_INPUT_INVALID when there are too few, or not enough to train. */
export function testRowsOf(options: JointOptions, rows: number): number {
  const testRows = rows - options.trainRows;
  const possible = testRows === 0 || testRows >= leastTestRows;
  requireOption(
    possible,
    'trainRows',
    `${rows} rows leave ${testRows} after ${options.trainRows} for training; none, or at least ${leastTestRows}, must be left`,
  );
  return testRows;
}

/** The intercept is a column of ones that bank 0 puts before its own. */
export function fittedWidths(options: JointOptions, columns: readonly [number, number]): [number, number] {
  return [columns[0] + (options.intercept ? 1 : 0), columns[1]];
}
