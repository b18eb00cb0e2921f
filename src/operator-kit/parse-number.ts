/** Up to here both a whole number and a power of ten are exact as doubles, so one division of them is rounded once, which is right. */
const MOST_DIGITS = 15;

const POWERS = Float64Array.from({ length: MOST_DIGITS + 1 }, (_, i) => 10 ** i);
const NUMBER = /^[ \t]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[ \t]*$/;

/**
 * The decimal number in bytes[from, to), rounded to the nearest double; NaN for what is none. Most cells of most tables have few digits and
 * no exponent, and making a string of each would take most of the time.
 * (W. D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990: the case that needs no more than one rounding.)
 */
export function parseNumber(bytes: Buffer, from: number, to: number): number {
  let i = from;
  const negative = bytes[i] === 45;
  if (negative || bytes[i] === 43) i += 1;
  let digits = 0;
  let value = 0;
  let point = -1;
  for (; i < to; i++) {
    const code = bytes[i] as number;
    if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48);
      digits += 1;
    } else if (code === 46 && point < 0) point = i;
    else return parseSlowly(bytes, from, to);
  }
  if (digits === 0 || digits > MOST_DIGITS) return parseSlowly(bytes, from, to);
  if (point >= 0) value /= POWERS[to - 1 - point] as number;
  return negative ? -value : value;
}

function parseSlowly(bytes: Buffer, from: number, to: number): number {
  const text = bytes.toString('latin1', from, to);
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}
