import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingMemory } from '../../../src/privacy/ring/ring-memory.js';

const top = 1n << 63n;
const word = fc.oneof(fc.bigInt({ min: -top, max: top - 1n }), fc.constantFrom(0n, 1n, -1n, top - 1n, -top));
const words = (length: number) => fc.array(word, { minLength: length, maxLength: length });
const size = fc.integer({ min: 1, max: 11 });
const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

function place(ring: RingMemory, values: readonly bigint[]): number {
  const at = ring.allocate(values.length);
  ring.words(at, values.length).set(values);
  return at;
}

describe('ring kernels against BigInt', () => {
  it('are built from the committed sources', () => {
    execFileSync(process.execPath, [fileURLToPath(new URL('../../../scripts/kernels.mjs', import.meta.url)), '--check'], { stdio: 'pipe' });
  }, 60_000);

  it('matrix-vector products, both ways, for every remainder of the unrolling', () => {
    fc.assert(
      fc.property(size, size, words(121), words(11), words(11), (rows, columns, a, v, init) => {
        const ring = new RingMemory();
        const [atA, atV, atInit] = [place(ring, a.slice(0, rows * columns)), place(ring, v), place(ring, init)];
        const out = ring.allocate(11);
        ring.kernels.matVec(out, atInit, atA, atV, rows, columns);
        const at = (i: number, j: number): bigint => a[i * columns + j] as bigint;
        const expected = Array.from({ length: rows }, (_, i) =>
          wrap(Array.from({ length: columns }, (_, j) => at(i, j) * (v[j] as bigint)).reduce((x, y) => x + y, init[i] as bigint)),
        );
        expect([...ring.words(out, rows)]).toEqual(expected);
        ring.kernels.transposedMatVec(atInit, atA, atV, rows, columns);
        const transposed = Array.from({ length: columns }, (_, j) =>
          wrap(Array.from({ length: rows }, (_, i) => at(i, j) * (v[i] as bigint)).reduce((x, y) => x + y, init[j] as bigint)),
        );
        expect([...ring.words(atInit, columns)]).toEqual(transposed);
      }),
    );
  });

  it('matrix products, both ways', () => {
    fc.assert(
      fc.property(size, size, size, words(121), words(121), (n, k, m, a, b) => {
        const ring = new RingMemory();
        const [atA, atB] = [place(ring, a.slice(0, n * k)), place(ring, b)];
        const out = ring.allocate(121);
        ring.kernels.matMul(out, atA, atB, n, k, m);
        const product = Array.from({ length: n * m }, (_, at) => {
          let sum = 0n;
          for (let i = 0; i < k; i++) sum += (a[Math.floor(at / m) * k + i] as bigint) * (b[i * m + (at % m)] as bigint);
          return wrap(sum);
        });
        expect([...ring.words(out, n * m)]).toEqual(product);
        const gram = ring.allocate(121);
        ring.kernels.transposedMatMul(gram, atA, atB, n, k, m);
        const expected = Array.from({ length: k * m }, (_, at) => {
          let sum = 0n;
          for (let i = 0; i < n; i++) sum += (a[i * k + Math.floor(at / m)] as bigint) * (b[i * m + (at % m)] as bigint);
          return wrap(sum);
        });
        expect([...ring.words(gram, k * m)]).toEqual(expected);
      }),
    );
  });

  it('element by element operations', () => {
    fc.assert(
      fc.property(words(13), words(13), word, (a, b, factor) => {
        const ring = new RingMemory();
        const [atA, atB, out] = [place(ring, a), place(ring, b), ring.allocate(13)];
        const run = (action: () => void): bigint[] => {
          action();
          return [...ring.words(out, 13)];
        };
        const { kernels } = ring;
        const pairs = a.map((x, i) => [x, b[i] as bigint] as const);
        expect(run(() => kernels.add(out, atA, atB, 13))).toEqual(pairs.map(([x, y]) => wrap(x + y)));
        expect(run(() => kernels.subtract(out, atA, atB, 13))).toEqual(pairs.map(([x, y]) => wrap(x - y)));
        expect(run(() => kernels.multiply(out, atA, atB, 13))).toEqual(pairs.map(([x, y]) => wrap(x * y)));
        expect(run(() => kernels.scale(out, atA, factor, 13))).toEqual(a.map((x) => wrap(x * factor)));
        expect(run(() => kernels.fill(out, factor, 13))).toEqual(a.map(() => factor));
      }),
    );
  });

  it('gathers rows and transposes', () => {
    fc.assert(
      fc.property(size, size, words(121), fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 }), (rows, columns, a, picks) => {
        const ring = new RingMemory();
        const at = place(ring, a.slice(0, rows * columns));
        const order = picks.map((pick) => pick % rows);
        const indexes = ring.allocate(9);
        const out = ring.allocate(121);
        ring.indexes(indexes, 9).set(order);
        ring.kernels.gatherRows(out, at, indexes, 9, columns);
        expect([...ring.words(out, 9 * columns)]).toEqual(order.flatMap((row) => a.slice(row * columns, (row + 1) * columns)));
        ring.kernels.transpose(out, at, rows, columns);
        expect([...ring.words(out, rows * columns)]).toEqual(
          Array.from({ length: rows * columns }, (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]),
        );
      }),
    );
  });

  it('encode and decode fixed point within half a unit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -(2 ** 30), max: 2 ** 30, noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 30 }),
        (values, bits) => {
          const ring = new RingMemory();
          const at = ring.allocate(values.length);
          ring.doubles(at, values.length).set(values);
          ring.kernels.encode(at, at, 2 ** bits, values.length);
          values.forEach((value, i) => {
            expect(Math.abs(Number(ring.words(at, values.length)[i]) - value * 2 ** bits)).toBeLessThanOrEqual(0.5);
          });
          ring.kernels.decode(at, at, 2 ** -bits, values.length);
          values.forEach((value, i) => {
            expect(Math.abs((ring.doubles(at, values.length)[i] as number) - value)).toBeLessThanOrEqual(2 ** (-bits - 1));
          });
        },
      ),
    );
  });
});

describe('sine kernels', () => {
  const terms = 16;

  /** The dealer's values with zero shares: cosines and sines of odd multiples, at 2^30. */
  function deal(angles: readonly bigint[]): { cos: number[]; sin: number[] } {
    const ring = new RingMemory();
    const count = angles.length * terms;
    const [r, zero, cos, sin] = [place(ring, angles), ring.allocate(count), ring.allocate(count), ring.allocate(count)];
    ring.kernels.dealTrig(cos, sin, zero, zero, r, angles.length, terms, 2 ** 30);
    const read = (at: number): number[] => Array.from(ring.words(at, count), (value) => Number(value) / 2 ** 30);
    return { cos: read(cos), sin: read(sin) };
  }

  it('give sines and cosines of odd multiples of every angle to 2^-26', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (angles) => {
        const { cos, sin } = deal(angles);
        angles.forEach((angle, i) => {
          for (let k = 0; k < terms; k++) {
            const theta = 2 * Math.PI * (Number(wrap(angle * BigInt(2 * k + 1))) / 2 ** 64);
            expect(Math.abs((cos[i * terms + k] as number) - Math.cos(theta))).toBeLessThan(2 ** -26);
            expect(Math.abs((sin[i * terms + k] as number) - Math.sin(theta))).toBeLessThan(2 ** -26);
          }
        });
      }),
    );
  });

  it('sum to a sine of the difference, whatever the shares', () => {
    fc.assert(
      fc.property(word, word, words(2 * terms), (z, r, shares) => {
        const ring = new RingMemory();
        const [atR, cosShare, sinShare] = [place(ring, [r]), place(ring, shares.slice(0, terms)), place(ring, shares.slice(terms))];
        const [cos, sin, out0, out1] = [ring.allocate(terms), ring.allocate(terms), ring.allocate(1), ring.allocate(1)];
        ring.kernels.dealTrig(cos, sin, cosShare, sinShare, atR, 1, terms, 2 ** 20);
        const coefficients = ring.allocate(terms);
        ring.doubles(coefficients, terms).set(Array.from({ length: terms }, (_, k) => 2 ** 20 / (k + 1)));
        const [mine, theirs] = [place(ring, [wrap(z + r - 5n)]), place(ring, [5n])];
        ring.kernels.sineOfMasked(out0, mine, theirs, cosShare, sin, coefficients, 1, terms);
        ring.kernels.sineOfMasked(out1, theirs, mine, cos, sinShare, coefficients, 1, terms);
        const sum = Number(wrap((ring.words(out0, 1)[0] as bigint) + (ring.words(out1, 1)[0] as bigint))) / 2 ** 40;
        let expected = 0;
        for (let k = 0; k < terms; k++) expected += Math.sin(2 * Math.PI * (Number(wrap(z * BigInt(2 * k + 1))) / 2 ** 64)) / (k + 1);
        expect(Math.abs(sum - expected)).toBeLessThan(terms * 2 ** -18);
      }),
    );
  });
});
