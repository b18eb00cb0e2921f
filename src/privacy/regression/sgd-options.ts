import type { Terms } from '../handshake.js';
import { kernelsSourceHash } from '../ring/kernels-wasm.js';
import { checkJointOptions, type JointOptions, jointDefaults, requireOneOf, requireOption, requirePositive } from './joint-options.js';
import { planScales, type ScalePlan } from './scale-plan.js';
import { checkSineOptions, type SineOptions, sineDefaults } from './sine-options.js';

/** What the parties of a fit by stochastic gradient descent agree on. */
export interface SgdOptions extends JointOptions, SineOptions {
  readonly batchSize: number;
  readonly learningRate: number;
  /** Whether a batch's gradient is the mean or the sum over its rows. */
  readonly reduction: 'mean' | 'sum';
  readonly standardise: boolean;
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
  ...jointDefaults,
  reduction: 'mean',
  standardise: false,
  ...sineDefaults,
  featureBits: 8,
} as const satisfies Partial<SgdOptions>;

export function sgdOptionsFromModelArgs(jobDigest: string, args: ModelArgs, changes: Partial<SgdOptions> = {}): SgdOptions {
  requireOption(args.out_dim === 1, 'model_args.out_dim', `it is ${args.out_dim}; this fit has one output`);
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
  checkJointOptions(options);
  checkSineOptions(options);
  requirePositive(options.batchSize, 'batchSize');
  requireOneOf(options.reduction, ['mean', 'sum'], 'reduction');
  requireOneOf(options.standardise, [true, false], 'standardise');
  const { learningRate, batchSize, trainRows } = options;
  requireOption(learningRate > 0 && Number.isFinite(learningRate), 'learningRate', `${learningRate} is not above 0`);
  requireOption(batchSize <= trainRows, 'batchSize', `${batchSize} is more than the ${trainRows} training rows`);
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
