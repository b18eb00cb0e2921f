import { ToolkitError } from '../../errors/toolkit-error.js';

export interface FixedPoint {
  readonly contributors: readonly string[];
  readonly largest: number;
  readonly fractionBits: number;
}

/** A value as an element of the integers modulo 2^64. @throws DT_INPUT_INVALID, which does not say the value */
export function encodeValue(value: number, { largest, fractionBits }: FixedPoint, name: string): bigint {
  if (!(Math.abs(value) <= largest)) {
    const reason = Number.isFinite(value) ? `it is beyond +-${largest}, the agreed range` : 'it is not finite';
    throw new ToolkitError('DT_INPUT_INVALID', { what: `The own value "${name}"`, reason });
  }
  return BigInt.asUintN(64, BigInt(Math.round(value * 2 ** fractionBits)));
}

/** The sum that a word without masks stands for, or undefined when no allowed values add up to it. */
export function decodeTotal(word: bigint, { contributors, largest, fractionBits }: FixedPoint): number | undefined {
  const total = Number(BigInt.asIntN(64, word));
  // Each value may have been rounded away from zero.
  const bound = contributors.length * (largest * 2 ** fractionBits + 1);
  return Math.abs(total) <= bound ? total / 2 ** fractionBits : undefined;
}
