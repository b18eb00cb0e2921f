/**
 * A matrix whose sum of two shares modulo 2^64 is the value; each bank holds one share at `at` in its ring memory. The dealer runs
 * the same program to deal in the same order: for it only the shape is real.
 */
export interface Secret {
  readonly rows: number;
  readonly columns: number;
  readonly at: number;
}

export function sizeOf(secret: Secret): number {
  return secret.rows * secret.columns;
}

/**
 * Arithmetic on shares with a dealer. All three parties run the same program on it, so each line of a protocol is written once:
 * banks compute, the dealer deals. Results are new matrices in ring memory.
 *
 * Trust: semi-honest; the dealer must not collude with a bank. Learned: nothing but what `open` names. Sizes and the order of
 * operations are public.
 */
export interface Arithmetic {
  /** A secret that is zero until a bank writes its share. */
  zero(rows: number, columns: number): Secret;
  /** A public matrix, the same at all parties: the first bank's share is the value. Words, row by row. */
  publicMatrix(rows: number, columns: number, words: BigInt64Array): Secret;
  add(a: Secret, b: Secret): Secret;
  subtract(a: Secret, b: Secret): Secret;
  scale(a: Secret, factor: bigint): Secret;
  /** [[d I, C], [transpose(C), d I]] for a public d. */
  bordered(corner: Secret, diagonal: bigint): Secret;
  /** Matrix product. Rounds: 1. Bytes each way: 8 (words of a + words of b); dealer to one bank: 8 words of the product. */
  product(a: Secret, b: Secret): Promise<Secret>;
  /**
   * Element by element floor(a / 2^bits) or that plus one (the fraction's probability), without any chance of a wrap, for signed
   * |a| < 2^62. Rounds: 1. Bytes each way: 8 an element; dealer to one bank: 16 an element.
   */
  truncate(a: Secret, bits: number): Promise<Secret>;
  /** Element by element 1 if a >= 0, else 0; exact for every signed 64-bit a. Rounds: 6. Bytes each way: 19 an element; dealer: 76. */
  isNonNegative(a: Secret): Promise<Secret>;
  /** Shows the words to both banks. The dealer gets an empty array. Rounds: 1. */
  open(a: Secret): Promise<BigInt64Array>;
}

/** Words that each party draws from its link with the dealer, and the dealer from both, for one operation. */
export interface DrawPlan {
  readonly first: number;
  readonly second: number;
}

export function productDraws(a: Secret, b: Secret): DrawPlan {
  const both = sizeOf(a) + sizeOf(b);
  return { first: both + a.rows * b.columns, second: both };
}

export function truncationDraws(count: number): DrawPlan {
  return { first: 3 * count, second: count };
}

/** Per element: the mask, then for the first bank 8 words of tables, two of bit triples and one flip; two of triples for the second. */
export function comparisonDraws(count: number): DrawPlan {
  return { first: 12 * count, second: 3 * count };
}

/** Widths of the four folds of a comparison: 16 pairs of bits become 8, 4, 2, 1. */
export const foldWidths = [8, 4, 2, 1] as const;
