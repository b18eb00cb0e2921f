import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Terms } from '../handshake.js';
import { kernelsSourceHash } from '../ring/kernels-wasm.js';
import { planScales, type ScalePlan } from './scale-plan.js';

export type Role = 'bank0' | 'bank1' | 'dealer';

/** What all parties of a fit agree on. All of it is public to them. */
export interface SgdOptions {
  /** SHA-256 (hex) of the job spec that the parties' signed decisions name. */
  readonly jobDigest: string;
  /** Feature columns of both banks together. */
  readonly inDim: number;
  /** The first `trainRows` rows of the order train, the others are held out. */
  readonly trainRows: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Whether a batch's gradient is the mean or the sum over its rows. */
  readonly reduction: 'mean' | 'sum';
  readonly intercept: boolean;
  readonly clip: number;
  readonly outOfRange: 'clip' | 'refuse';
  readonly standardise: boolean;
  readonly rowOrder: 'given' | 'seeded';
  readonly rowSeed: string;
  /** Held-out metrics after step 0, n, 2n, ... and the last; 0: after the last only. */
  readonly evaluateEvery: number;
  /** Who gets the weights: each owner those of its columns, or one party all of them. */
  readonly modelTo: 'owners' | Role;
  /** Period of the sine sigmoid, a power of two: faithful while |logit| stays well below half of it. */
  readonly period: number;
  readonly sineTerms: number;
  readonly featureBits: number;
}

/** The original project's `model_args`; `epoch` is its name for the number of steps. */
export interface ModelArgs {
  readonly in_dim: number;
  readonly out_dim: number;
  readonly lr: number;
  readonly batch_size: number;
  readonly split: number;
  readonly epoch: number;
}

export const sgdDefaults = {
  reduction: 'mean',
  intercept: true,
  clip: 8,
  outOfRange: 'clip',
  standardise: false,
  rowOrder: 'given',
  rowSeed: '0',
  evaluateEvery: 0,
  modelTo: 'owners',
  period: 64,
  sineTerms: 8,
  featureBits: 8,
} as const satisfies Partial<SgdOptions>;

export function sgdOptionsFromModelArgs(jobDigest: string, args: ModelArgs, changes: Partial<SgdOptions> = {}): SgdOptions {
  requireThat(args.out_dim === 1, 'model_args.out_dim', `it is ${args.out_dim}; this fit has one output`);
  return checkSgdOptions({
    ...sgdDefaults,
    jobDigest,
    inDim: args.in_dim,
    trainRows: args.split,
    steps: args.epoch,
    batchSize: args.batch_size,
    learningRate: args.lr,
    ...changes,
  });
}

/** Errors: DT_INPUT_INVALID, naming the option. */
export function checkSgdOptions(options: SgdOptions): SgdOptions {
  for (const name of ['inDim', 'trainRows', 'steps', 'batchSize', 'period', 'sineTerms', 'featureBits'] as const) {
    requireThat(Number.isSafeInteger(options[name]) && options[name] > 0, name, `${options[name]} is no positive whole number`);
  }
  requireThat(
    Number.isSafeInteger(options.evaluateEvery) && options.evaluateEvery >= 0,
    'evaluateEvery',
    `${options.evaluateEvery} is no whole number`,
  );
  requireThat(options.learningRate > 0 && Number.isFinite(options.learningRate), 'learningRate', `${options.learningRate} is not above 0`);
  requireThat(options.clip >= 1 && options.clip <= 2 ** 16, 'clip', `${options.clip} is not in 1 to 65536`);
  requireThat(
    options.batchSize <= options.trainRows,
    'batchSize',
    `${options.batchSize} is more than the ${options.trainRows} training rows`,
  );
  requireThat(
    options.trainRows >= 2 * (options.inDim + 1),
    'trainRows',
    `${options.trainRows} rows are too few for ${options.inDim} columns`,
  );
  requireThat(
    Number.isInteger(Math.log2(options.period)) && options.period >= 16 && options.period <= 1024,
    'period',
    `${options.period} is no power of two from 16 to 1024`,
  );
  requireThat(options.sineTerms >= 4 && options.sineTerms <= 64, 'sineTerms', `${options.sineTerms} is not in 4 to 64`);
  return options;
}

/** What multiplies each row's residual: the learning rate, for the mean divided by the batch size. */
export function stepOf(options: SgdOptions): number {
  return options.reduction === 'mean' ? options.learningRate / options.batchSize : options.learningRate;
}

/** The sine series overshoots [0, 1] by less than this, so a residual is never larger. */
const largestResidual = 1.05;

export function sgdScales(options: SgdOptions): ScalePlan {
  const step = stepOf(options);
  const weightBound = options.steps * options.batchSize * step * options.clip * largestResidual;
  return planScales({ period: options.period, featureBits: options.featureBits, step, weightBound });
}

export function sgdTerms(options: SgdOptions): Terms {
  return { protocol: 'joint-sgd-regression', version: 1, kernels: kernelsSourceHash, ...options };
}

/** Whether the held-out rows are scored after this step. */
export function isEvaluated(options: SgdOptions, step: number): boolean {
  return step === options.steps - 1 || (options.evaluateEvery > 0 && step % options.evaluateEvery === 0);
}

function requireThat(condition: boolean, what: string, reason: string): asserts condition {
  if (!condition) throw new ToolkitError('DT_INPUT_INVALID', { what, reason });
}
