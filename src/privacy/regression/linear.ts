import type { Terms } from '../handshake.js';
import { kernelsSourceHash } from '../ring/kernels-wasm.js';
import type { Arithmetic, Secret } from '../sharing/secret.js';
import { powerBitsOf } from './fixed-hessian.js';
import { crossCorner, dampedInverse, damping, gramBits, inverseBits, withDiagonal } from './joint-gram.js';
import { checkJointOptions, type JointOptions, jointDefaults, requireOption, requirePositive } from './joint-options.js';
import type { JointProducts } from './joint-products.js';

/** What the parties of a linear fit agree on. Columns and target are always standardised, the columns then whitened. */
export interface LinearOptions extends JointOptions {
  /** Refinements of the solution; each divides the error by 1 + h / damping along a direction of which h is not shared by the banks. */
  readonly refinements: number;
  readonly featureBits: number;
  /** Ridge: this times the squared weights of the standardised columns (not of the intercept) is added to the sum of squared residuals. */
  readonly l2: number;
}

export const linearDefaults = { ...jointDefaults, refinements: 12, featureBits: 14, l2: 0 } as const satisfies Partial<LinearOptions>;

/** Scales: the weights, the standardised target, and so the scores. */
export const linearWeightBits = 28;
export const targetBits = 20;

export function linearScoreBits(options: LinearOptions): number {
  return options.featureBits + linearWeightBits;
}

export function linearOptions(
  required: Pick<LinearOptions, 'jobDigest' | 'inDim' | 'trainRows'>,
  changes: Partial<LinearOptions> = {},
): LinearOptions {
  const options = { ...linearDefaults, ...required, ...changes };
  checkLinearOptions(options);
  return options;
}

export function checkLinearOptions(options: LinearOptions): void {
  checkJointOptions(options);
  requirePositive(options.refinements, 'refinements');
  requireOption(
    Number.isInteger(options.featureBits) && options.featureBits >= 12 && options.featureBits <= 16,
    'featureBits',
    `${options.featureBits} is not in 12 to 16`,
  );
  const largest = largestPenaltyShare * options.trainRows;
  requireOption(options.l2 >= 0 && options.l2 <= largest, 'l2', `${options.l2} is not in 0 to ${largest}`);
}

/** Of the training rows: beyond it the rows of customers would be rounded away beside those of the penalty. */
const largestPenaltyShare = 1024;

/** Rows that are fitted: those that train, and one for each column that is penalised. */
export function fittedRows({ trainRows, inDim, l2 }: Pick<LinearOptions, 'trainRows' | 'inDim' | 'l2'>): number {
  return trainRows + (l2 > 0 ? inDim : 0);
}

export function linearTerms(options: LinearOptions): Terms {
  return { protocol: 'joint-linear-regression', version: 2, kernels: kernelsSourceHash, ...options };
}

export interface LinearParty {
  readonly arithmetic: Arithmetic;
  readonly products: JointProducts;
  /** Shares of the standardised target over the fitted rows: bank 0 has it, bank 1 zeros. */
  readonly target: Secret;
  readonly width: number;
}

/**
 * Least squares over both banks' columns, by the normal equations of whitened columns: w <- w + V (b - H w) with H = transpose(X) X, b = transpose(X) y and V
 * the inverse of the damped H. The one program that banks and dealer run. (Iterative refinement with an approximate inverse: Golub and Van
 * Loan, "Matrix Computations", section 3.5.)
 *
 * A ridge penalty is one more row for each column, with sqrt(l2) there, zeros elsewhere and a target of zero (Golub and Van Loan, section 6.1):
 * to everything after it the sum of squares is just that of a taller table, so all bounds hold as they are.
 *
 * Trust: semi-honest; the dealer must not collude with a bank. Learned: each bank sees uniform words only, the dealer receives
 * nothing. Public: shapes and options. Rounds: 44 + 4 for each refinement, whatever the number of rows. Bytes: 8 for each training row bank to bank.
 */
export async function runLinear(party: LinearParty, options: LinearOptions): Promise<void> {
  const { arithmetic, products } = party;
  const powerBits = powerBitsOf(fittedRows(options));
  const corner = await crossCorner(arithmetic, products, options.featureBits, powerBits);
  const inverse = await dampedInverse(arithmetic, withDiagonal(arithmetic, corner, 1 + damping));
  const gram = withDiagonal(arithmetic, corner, 1);
  const scaled = await products.transposed(party.target);
  const right = await arithmetic.truncate(scaled, options.featureBits + targetBits + powerBits - linearWeightBits);
  let weights: Secret = arithmetic.zero(party.width, 1);
  for (let step = 0; step < options.refinements; step++) {
    const left = await arithmetic.truncate(await arithmetic.product(gram, weights), gramBits);
    const move = await arithmetic.truncate(await arithmetic.product(inverse, arithmetic.subtract(right, left)), inverseBits);
    weights = arithmetic.add(weights, move);
  }
  await products.adopt(weights);
}
