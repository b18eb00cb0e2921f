import type { Arithmetic, Secret } from '../sharing/secret.js';
import type { JointProducts } from './joint-products.js';

/** Scales of the shared matrices of a full-batch fit, bits after the point. */
export const gramBits = 24;
export const inverseBits = 20;

/** Added to the diagonal before inverting: bounds the inverse by its reciprocal, whatever the columns are. */
export const damping = 2 ** -7;

/** Enough for the damped inverse to converge for any columns: (1 + damping)^-(2^steps) is 3e-4. */
export const inverseSteps = 10;

/**
 * Shares of transpose(X) X / power for whitened columns: identity blocks, and the cross product of the banks as corner, with the
 * public value on the diagonal. Rounds: 1.
 */
export async function crossCorner(
  arithmetic: Arithmetic,
  products: JointProducts,
  featureBits: number,
  powerBits: number,
): Promise<Secret> {
  return arithmetic.truncate(await products.cross(), 2 * featureBits + powerBits - gramBits);
}

export function withDiagonal(arithmetic: Arithmetic, corner: Secret, diagonal: number): Secret {
  return arithmetic.bordered(corner, BigInt(Math.round(diagonal * 2 ** gramBits)));
}

/**
 * Shares of the inverse of a symmetric matrix H with eigenvalues in [damping, 2 + damping], at inverseBits, by Newton's iteration V <- V (2 I - H V)
 * (Schulz 1933; Guo and Higham 2006 for the analysis) from V = I / (1 + damping). Every iterate is bounded by 1 / damping and H V by 1,
 * so no product leaves 2^62. Rounds: 4 a step. Learned: nothing.
 */
export async function dampedInverse(arithmetic: Arithmetic, h: Secret): Promise<Secret> {
  const size = h.rows;
  const diagonal = (value: number): Secret => {
    const words = new BigInt64Array(size * size);
    for (let i = 0; i < size; i++) words[i * size + i] = BigInt(Math.round(value * 2 ** inverseBits));
    return arithmetic.publicMatrix(size, size, words);
  };
  const two = diagonal(2);
  let inverse = diagonal(1 / (1 + damping));
  for (let step = 0; step < inverseSteps; step++) {
    const near = await arithmetic.truncate(await arithmetic.product(h, inverse), gramBits);
    inverse = await arithmetic.truncate(await arithmetic.product(inverse, arithmetic.subtract(two, near)), inverseBits);
  }
  return inverse;
}
