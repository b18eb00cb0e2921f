import type { Secret } from '../sharing/secret.js';

/**
 * The products of a full-batch fit that involve the banks' columns, for a program that all three parties run. Vectors over the
 * columns list those of bank 0 first.
 */
export interface JointProducts {
  /** transpose(X0) X1 over the training rows. Rounds: none. Bytes: dealer to bank 0: 8 for each word of the result. */
  cross(): Promise<Secret>;
  /** transpose(X) r for a vector over the training rows of which each bank holds a share at `at`. Rounds: 1. Bytes each way: 8 a row. */
  transposed(rows: Secret): Promise<Secret>;
  /** Makes shared weights the ones that logits and scores are computed with. Rounds: 1. Bytes each way: 8 a column of the receiver. */
  adopt(weights: Secret): Promise<void>;
  /**
   * Share of X w plus a mask, which only the dealer knows: what the banks open for the sine sigmoid. Returns what this bank has.
   * The dealer gets the mask itself.
   */
  maskedLogits(): Secret;
}
