import type { Terms } from '../handshake.js';
import { kernelsSourceHash } from '../ring/kernels-wasm.js';
import type { Arithmetic, Secret } from '../sharing/secret.js';
import { crossCorner, dampedInverse, damping, inverseBits, withDiagonal } from './joint-gram.js';
import { checkJointOptions, type JointOptions, jointDefaults } from './joint-options.js';
import type { JointProducts } from './joint-products.js';
import { planScales, type ScalePlan } from './scale-plan.js';
import { checkSineOptions, type SineOptions, sineDefaults } from './sine-options.js';
import type { Residuals } from './sine-residuals.js';

/** What the parties of a full-batch logistic fit agree on. Columns are always standardised, then whitened, each bank its own. */
export interface FixedHessianOptions extends JointOptions, SineOptions {}

export const fixedHessianDefaults = {
  ...jointDefaults,
  ...sineDefaults,
  steps: 30,
  featureBits: 10,
} as const satisfies Partial<FixedHessianOptions>;

export function fixedHessianOptions(
  required: Pick<FixedHessianOptions, 'jobDigest' | 'inDim' | 'trainRows'>,
  changes: Partial<FixedHessianOptions> = {},
): FixedHessianOptions {
  const options = { ...fixedHessianDefaults, ...required, ...changes };
  checkFixedHessianOptions(options);
  return options;
}

export function checkFixedHessianOptions(options: FixedHessianOptions): void {
  checkJointOptions(options);
  checkSineOptions(options);
}

export function fixedHessianTerms(options: FixedHessianOptions): Terms {
  return { protocol: 'joint-fixed-hessian-regression', version: 1, kernels: kernelsSourceHash, ...options };
}

/** Whitened columns have squared norm 2^powerBits over the training rows, the least power of two not below their number. */
export function powerBitsOf(trainRows: number): number {
  return Math.ceil(Math.log2(trainRows));
}

/** What multiplies a residual: the Hessian is at most a quarter of transpose(X) X. */
export function hessianStep(trainRows: number): number {
  return 4 / 2 ** powerBitsOf(trainRows);
}

/** Norm of transpose(X) residuals: 4 for each bank's block, a little more for the overshoot of the sine series. */
const gradientBound = 4 * 1.05 * Math.SQRT2;

export function fixedHessianScales(options: FixedHessianOptions): ScalePlan {
  const weightBound = (options.steps * gradientBound) / damping;
  return planScales({ period: options.period, featureBits: options.featureBits, step: hessianStep(options.trainRows), weightBound });
}

export interface FixedHessianParty {
  readonly arithmetic: Arithmetic;
  readonly products: JointProducts;
  readonly residuals: Residuals;
  /** Fitted values of both banks together. */
  readonly width: number;
}

/**
 * Full-batch logistic regression with a fixed bound of the Hessian: w <- w + (transpose(X) X / 4 + damping)^-1 transpose(X) (y - sigmoid(X w)).
 * The one program that banks and dealer run.
 *
 * Sources. Bohning, Lindsay, "Monotonicity of quadratic-approximation algorithms" (Ann. Inst. Statist. Math. 1988): the bound is never below the
 * Hessian, so the likelihood rises in every step. Its use on protected data: Bonte, Vercauteren (BMC Medical Genomics 2018, ePrint 2018/233);
 * here with the full matrix, since each bank whitens its own columns and only their cross product is left to share.
 * Converges in tens of steps; the damping slows directions that both banks' columns share almost fully, and changes no fixed point.
 *
 * Trust: semi-honest; the dealer must not collude with a bank (together they read the other's columns); one party alone learns nothing.
 * Learned: each bank sees uniform words only, the dealer receives nothing. Public: shapes, options, number of steps.
 * Rounds: 42 before the first step (40 of them for the inverse), then 5 a step. Bytes a step: bank to bank 16 for each training row, dealer to each bank 8 terms for each.
 */
export async function runFixedHessian(
  party: FixedHessianParty,
  options: FixedHessianOptions,
  scales: ScalePlan,
  afterStep: (step: number) => Promise<void> | undefined,
): Promise<void> {
  const { arithmetic, products, residuals } = party;
  const corner = await crossCorner(arithmetic, products, scales.featureBits, powerBitsOf(options.trainRows));
  const inverse = await dampedInverse(arithmetic, withDiagonal(arithmetic, corner, 1 + damping));
  let weights: Secret = arithmetic.zero(party.width, 1);
  await products.adopt(weights);
  for (let step = 0; step < options.steps; step++) {
    const gradient = await products.transposed(await residuals.of(products.maskedLogits()));
    // The inverse has inverseBits, so the gradient gives up as many and the product lands at the scale of the weights.
    const move = await arithmetic.product(inverse, await arithmetic.truncate(gradient, inverseBits));
    weights = arithmetic.add(weights, move);
    await products.adopt(weights);
    await afterStep(step);
  }
}
