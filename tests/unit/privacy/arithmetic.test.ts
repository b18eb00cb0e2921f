import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../../src/privacy/sharing/secret.js';
import { type ArithmeticParty, runArithmetic, shareWords } from './three-parties.js';

const top = 1n << 63n;
const word = fc.oneof(
  fc.bigInt({ min: -top, max: top - 1n }),
  fc.constantFrom(0n, 1n, -1n, top - 1n, -top, 1n << 62n, -(1n << 62n), (1n << 62n) - 1n, 0x7ffffffffffffff0n, 1n << 32n),
);
const pair = fc.tuple(word, word);

/** Writes a shared column vector at the banks. */
function input(party: ArithmeticParty, pairs: readonly (readonly [bigint, bigint])[], rows: number, columns: number): Secret {
  const secret = party.arithmetic.zero(rows, columns);
  if (party.bank !== undefined) {
    const shares = shareWords(
      pairs.map(([value]) => value),
      pairs.map(([, mask]) => mask),
      party.bank,
    );
    party.ring.words(secret.at, shares.length).set(shares);
  }
  return secret;
}

describe('arithmetic on shares', () => {
  it('multiplies matrices exactly modulo 2^64', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(pair, { minLength: 72, maxLength: 72 }),
        async (n, k, m, pairs) => {
          const a = pairs.slice(0, n * k);
          const b = pairs.slice(36, 36 + k * m);
          const [opened, same] = await runArithmetic(async (party) => {
            const product = await party.arithmetic.product(input(party, a, n, k), input(party, b, k, m));
            return party.arithmetic.open(product);
          });
          const expected = Array.from({ length: n * m }, (_, at) => {
            let sum = 0n;
            for (let i = 0; i < k; i++)
              sum += (a[Math.floor(at / m) * k + i] as [bigint, bigint])[0] * (b[i * m + (at % m)] as [bigint, bigint])[0];
            return BigInt.asIntN(64, sum);
          });
          expect([...opened]).toEqual(expected);
          expect([...same]).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('truncates within one unit for every |a| < 2^62, without a wrap', async () => {
    const inRange = fc.oneof(
      fc.bigInt({ min: -(1n << 62n) + 1n, max: (1n << 62n) - 1n }),
      fc.constantFrom(0n, 1n, -1n, (1n << 62n) - 1n, -(1n << 62n) + 1n, 1n << 61n),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(inRange, word), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 61 }),
        async (pairs, bits) => {
          const [opened] = await runArithmetic(async (party) =>
            party.arithmetic.open(await party.arithmetic.truncate(input(party, pairs, pairs.length, 1), bits)),
          );
          pairs.forEach(([value], i) => {
            const floor = value >> BigInt(bits);
            expect([floor, floor + 1n]).toContain(opened[i]);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('rounds up as often as the cut fraction says', async () => {
    const value = (5n << 20n) + (1n << 18n);
    const count = 20_000;
    const [opened] = await runArithmetic(async (party) =>
      party.arithmetic.open(await party.arithmetic.truncate(input(party, Array(count).fill([value, 77n]), count, 1), 20)),
    );
    const up = opened.filter((quotient) => quotient === 6n).length / count;
    // A quarter, six standard deviations of 0.003 either way.
    expect(up).toBeGreaterThan(0.23);
    expect(up).toBeLessThan(0.27);
  });

  it('tells the sign of every word', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { minLength: 1, maxLength: 300 }), async (pairs) => {
        const [opened] = await runArithmetic(async (party) =>
          party.arithmetic.open(await party.arithmetic.isNonNegative(input(party, pairs, pairs.length, 1))),
        );
        expect([...opened]).toEqual(pairs.map(([value]) => (value >= 0n ? 1n : 0n)));
      }),
      { numRuns: 40 },
    );
  });

  it('adds, subtracts, scales and takes public matrices', async () => {
    const [opened] = await runArithmetic(async (party) => {
      const { arithmetic } = party;
      const a = input(
        party,
        [
          [7n, 3n],
          [-9n, 1n << 60n],
        ],
        2,
        1,
      );
      const b = arithmetic.publicMatrix(2, 1, BigInt64Array.of(100n, 200n));
      return arithmetic.open(arithmetic.subtract(arithmetic.scale(arithmetic.add(a, b), 3n), a));
    });
    expect([...opened]).toEqual([314n, 582n]);
  });

  it('refuses matrices that do not fit and shifts out of range', async () => {
    await expect(
      runArithmetic(async ({ arithmetic }) => arithmetic.product(arithmetic.zero(2, 3), arithmetic.zero(2, 3))),
    ).rejects.toMatchObject({ code: 'DT_BUG_UNEXPECTED' });
    await expect(runArithmetic(async ({ arithmetic }) => arithmetic.truncate(arithmetic.zero(2, 3), 62))).rejects.toMatchObject({
      code: 'DT_BUG_UNEXPECTED',
    });
  });
});
