import { decodeTotal, encodeValue, type FixedPoint } from './fixed-point.js';

/** What secureSum returns, from the values of all contributors in one place: the twin that tests compare it with, equal to the last bit. */
export function plaintextSum(
  values: readonly (readonly number[])[],
  options: FixedPoint & { readonly names: readonly string[] },
): Float64Array {
  return Float64Array.from(options.names, (name, i) => {
    const words = values.map((own) => encodeValue(own[i] ?? Number.NaN, options, name));
    return decodeTotal(
      BigInt.asUintN(
        64,
        words.reduce((sum, word) => sum + word, 0n),
      ),
      options,
    ) as number;
  });
}
