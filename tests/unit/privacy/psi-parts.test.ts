import { p256 } from '@noble/curves/nist.js';
import { blake3 } from '@noble/hashes/blake3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kkrtPlan } from '../../../src/privacy/psi/kkrt-plan.js';
import { kkrtReceive } from '../../../src/privacy/psi/kkrt-receiver.js';
import { kkrtSend } from '../../../src/privacy/psi/kkrt-sender.js';
import { hashToElement, SecretScalar } from '../../../src/privacy/psi/p256-group.js';
import { PsiMemory } from '../../../src/privacy/psi/psi-memory.js';
import type { PsiSession } from '../../../src/privacy/psi/psi-session.js';
import { shuffledOrder } from '../../../src/privacy/psi/secret-order.js';
import { obtainChosenSeeds, obtainSeedPairs } from '../../../src/privacy/psi/seed-ot.js';
import { seededRandom, systemRandom } from '../../../src/privacy/random-source.js';
import { psiSessions } from './psi-parties.js';
import { chiSquare, chiSquareLimit } from './recording.js';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const random = (seed: number, length: number): Uint8Array => seededRandom(new Uint8Array(16).fill(seed)).bytes(length);

describe('the group of the Diffie-Hellman protocol', () => {
  // RFC 9497, appendix A.3.1 (P256-SHA256, OPRF mode); the elements there are compressed points, whose first byte is the sign of y.
  const key = '159749d750713afe245d2d39ccfaae8381c53ce92d098a9375ee70739c7ac0bf';
  const blind = '3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364';
  it.each([
    [
      '00',
      '03723a1e5c09b8b9c18d1dcbca29e8007e95f14f4732d9346d490ffc195110368d',
      '030de02ffec47a1fd53efcdd1c6faf5bdc270912b8749e783c7ca75bb412958832',
    ],
    [
      '5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a',
      '03cc1df781f1c2240a64d1c297b3f3d16262ef5d4cf102734882675c26231b0838',
      '03a0395fe3828f2476ffcd1f4fe540e5a8489322d398be3c4e5a869db7fcb7c52c',
    ],
  ])('gives the published blinded and evaluated elements of input %s', (input, blindedElement, evaluationElement) => {
    const blinded = new SecretScalar(Buffer.from(blind, 'hex')).multiply(hashToElement(Buffer.from(input, 'hex')));
    expect(hex(blinded)).toBe(blindedElement.slice(2));
    const evaluated = new SecretScalar(Buffer.from(key, 'hex')).multiply(blinded as Uint8Array);
    expect(hex(evaluated)).toBe(evaluationElement.slice(2));
  });

  it('commutes, and refuses what is on no point', () => {
    const [a, b] = [SecretScalar.random(systemRandom()), SecretScalar.random(systemRandom())];
    const element = hashToElement(Buffer.from('id'));
    expect(hex(a.multiply(b.multiply(element) as Uint8Array))).toBe(hex(b.multiply(a.multiply(element) as Uint8Array)));
    const isPoint = (x: Uint8Array): boolean => {
      try {
        p256.Point.fromBytes(Uint8Array.of(2, ...x));
        return true;
      } catch {
        return false;
      }
    };
    for (let seed = 0; seed < 20; seed++) {
      const x = random(seed, 32);
      expect(a.multiply(x) !== undefined).toBe(isPoint(x));
    }
    expect(a.multiply(new Uint8Array(32).fill(255))).toBeUndefined();
  });
});

describe('the transfer of seeds', () => {
  it('gives one side both seeds of every column and the other one of them, by its secret bits', async () => {
    const [receiver, sender] = await psiSessions();
    const [pairs, chosen] = await Promise.all([
      obtainSeedPairs(receiver, 448, () => undefined),
      obtainChosenSeeds(sender, 448, () => undefined),
    ]);
    let ones = 0;
    for (let column = 0; column < 448; column++) {
      const bit = ((chosen.secret[column >> 3] as number) >> (column & 7)) & 1;
      ones += bit;
      const at = (seeds: Uint8Array): string => hex(seeds.subarray(16 * column, 16 * column + 16));
      expect(at(chosen.seeds)).toBe(at(bit === 0 ? pairs.first : pairs.second));
      expect(at(pairs.first)).not.toBe(at(pairs.second));
    }
    expect(Math.abs(ones - 224)).toBeLessThan(6 * Math.sqrt(112));
    expect(
      new Set(
        Array.from({ length: 896 }, (_, i) => hex((i < 448 ? pairs.first : pairs.second).subarray(16 * (i % 448), 16 * (i % 448) + 16))),
      ).size,
    ).toBe(896);
  });

  it('ends where a point is none', async () => {
    const [receiver, sender] = await psiSessions();
    const broken = obtainChosenSeeds(sender, 448, () => undefined);
    const fake = new Uint8Array(8 + 64 * 128).fill(3);
    await receiver.link.receive('psiBaseKey', 64);
    await receiver.link.send('psiBasePoints', fake);
    await expect(broken).rejects.toMatchObject({ code: 'DT_PEER_PROTOCOL', message: expect.stringMatching(/no point of the curve/) });
  });
});

/** Seeds of one key for both sides, as if oblivious transfer had dealt them: the property below is about everything after it. */
function dealtSeeds(seed: number) {
  const [first, second, secret] = [random(seed, 448 * 16), random(seed + 1, 448 * 16), random(seed + 2, 56)];
  const seeds = new Uint8Array(448 * 16);
  for (let column = 0; column < 448; column++) {
    const bit = ((secret[column >> 3] as number) >> (column & 7)) & 1;
    seeds.set((bit === 0 ? first : second).subarray(16 * column, 16 * column + 16), 16 * column);
  }
  return {
    pairs: async (_session: PsiSession, _columns: number, meanwhile: () => void) => {
      meanwhile();
      return { first, second };
    },
    chosen: async (_session: PsiSession, _columns: number, meanwhile: () => void) => {
      meanwhile();
      return { secret, seeds };
    },
  };
}

describe('the oblivious pseudo-random function', () => {
  it('matches what Set matches, for 300 random pairs of sets of up to 60', async () => {
    const set = fc.uniqueArray(fc.nat(90), { minLength: 1, maxLength: 60 });
    const digests = Array.from({ length: 91 }, (_, value) => random(value, 16));
    let cases = 0;
    await fc.assert(
      fc.asyncProperty(set, set, fc.nat(200), async (a, b, seed) => {
        cases += 1;
        const sessions = await psiSessions();
        const put = ({ memory }: PsiSession, values: readonly number[]): number => {
          const at = memory.allocate(16 * values.length);
          values.forEach((value, i) => {
            memory.bytes(at + 16 * i, 16).set(digests[value] as Uint8Array);
          });
          return at;
        };
        const dealt = dealtSeeds(seed);
        const [places, order] = await Promise.all([
          kkrtReceive(sessions[0], put(sessions[0], a), a.length, b.length, dealt.pairs),
          kkrtSend(sessions[1], put(sessions[1], b), b.length, a.length, dealt.chosen),
        ]);
        const found = a.filter((_, item) => places[item] !== 0);
        expect(found).toEqual(a.filter((value) => b.includes(value)));
        for (const [item, place] of places.entries()) if (place !== 0) expect(b[order[place - 1] as number]).toBe(a[item]);
        expect([...order].sort((x, y) => x - y)).toEqual(b.map((_, i) => i));
      }),
      { numRuns: 300 },
    );
    expect(cases).toBe(300);
  }, 60_000);

  it('has the parameters that its header claims', () => {
    expect(kkrtPlan(1 << 20, 1 << 20).tagBytes).toBe(10);
    expect(kkrtPlan(1 << 10, 1 << 20).tagBytes).toBe(9);
    expect(kkrtPlan(1 << 24, 1 << 24).tagBytes).toBe(11);
    for (const n of [1, 600, 1209, 1 << 14, 1 << 20]) {
      const { bins } = kkrtPlan(n, 5);
      expect(3 * bins).toBeGreaterThanOrEqual(Math.max(1536, 1.27 * n));
      expect(bins % 128).toBe(0);
    }
    // Lower tail of Binomial(448, 1/2) below 128, times three times 2^24 pairs.
    let [choose, tail] = [1n, 0n];
    for (let k = 0n; k < 128n; k++) {
      tail += choose;
      choose = (choose * (448n - k)) / (k + 1n);
    }
    expect((tail * 3n) << 24n).toBeLessThan(1n << (448n - 40n));
  });
});

describe('the kernels', () => {
  it('transpose bits', () => {
    const memory = new PsiMemory();
    const [groups, columnBytes] = [7, 48];
    const [columns, rows] = [memory.allocate(64 * groups * columnBytes), memory.allocate(64 * 8 * columnBytes)];
    const bits = random(3, 64 * groups * columnBytes);
    memory.bytes(columns, bits.byteLength).set(bits);
    memory.kernels.transposeBits(rows, 64, columns, groups, columnBytes, memory.scratch);
    const out = memory.bytes(rows, 64 * 8 * columnBytes);
    for (let column = 0; column < 64 * groups; column++)
      for (let row = 0; row < 8 * columnBytes; row++) {
        const expected = ((bits[column * columnBytes + (row >> 3)] as number) >> (row & 7)) & 1;
        if ((((out[64 * row + (column >> 3)] as number) >> (column & 7)) & 1) !== expected) expect.fail(`row ${row}, column ${column}`);
      }
  });

  it('hash and mask rows as the reference does', () => {
    const memory = new PsiMemory();
    const n = 8;
    const [key, codeKey] = [random(1, 32), random(2, 32)];
    const chainOf = (bytes: Uint8Array): number => {
      const [at, chain] = [memory.allocate(32), memory.allocate(128)];
      memory.bytes(at, 32).set(bytes);
      memory.kernels.spreadWords(chain, at, 8);
      return chain;
    };
    const place = (bytes: Uint8Array): number => {
      const at = memory.allocate(bytes.byteLength + 64);
      memory.bytes(at, bytes.byteLength).set(bytes);
      return at;
    };
    const [hashChain, codeChain] = [chainOf(key), chainOf(codeKey)];
    const [first, second, digests] = [random(4, 64 * n), random(5, 64 * n), random(6, 16 * 3)];
    const [firstAt, secondAt, digestsAt] = [place(first), place(second), place(digests)];
    const tags = memory.allocate(16 * n);
    memory.kernels.hashRows(tags, firstAt, n, 70_000, hashChain, memory.scratch);
    const tagOf = (row: Uint8Array, bin: number): string =>
      hex(blake3(Buffer.concat([row.subarray(0, 56), new Uint8Array(Uint32Array.of(bin, 0).buffer)]), { key, dkLen: 16 }));
    for (let i = 0; i < n; i++) {
      expect(hex(memory.bytes(tags + 16 * i, 16))).toBe(tagOf(first.subarray(64 * i, 64 * i + 64), 70_000 + i));
    }
    const items = Uint32Array.of(0, 2, 0, 1, 3, 0, 0, 0);
    const table = place(new Uint8Array(items.buffer));
    const masked = memory.allocate(56 * n + 8);
    memory.kernels.maskRows(masked, firstAt, secondAt, table, digestsAt, n, codeChain, memory.scratch);
    const codeOf = (item: number): Uint8Array =>
      blake3(item === 0 ? new Uint8Array(16) : digests.subarray(16 * item - 16, 16 * item), { key: codeKey, dkLen: 64 });
    for (let i = 0; i < n; i++) {
      const code = codeOf(items[i] as number);
      const expected = code.map((byte, at) => byte ^ (first[64 * i + at] as number) ^ (second[64 * i + at] as number));
      expect(hex(memory.bytes(masked + 56 * i, 56))).toBe(hex(expected.subarray(0, 56)));
    }
    // The sender's side of it, for a number of items that is no multiple of four.
    const secret = random(7, 56);
    const spread = memory.allocate(4 * 56);
    memory.kernels.spreadWords(spread, place(secret), 14);
    const bins = Uint32Array.of(5, 0, 0, 1, 0, 0, 7, 0, 0);
    const binsAt = place(new Uint8Array(bins.buffer));
    const out = memory.allocate(128);
    memory.kernels.hashCandidates(out, 9, binsAt, digestsAt, firstAt, spread, 3, 1_000, codeChain, hashChain, memory.scratch);
    for (let i = 0; i < 3; i++) {
      const bin = bins[3 * i] as number;
      const code = codeOf(i + 1);
      const row = first.slice(64 * bin, 64 * bin + 56).map((byte, at) => byte ^ ((code[at] as number) & (secret[at] as number)));
      expect(hex(memory.bytes(out + 9 * i, 9))).toBe(tagOf(row, 1_000 + bin).slice(0, 18));
    }
  });

  it('place every item in one of its bins, one a bin, and say when it cannot be', () => {
    const memory = new PsiMemory();
    const [n, bins] = [5_000, 2_176];
    const [locations, table] = [memory.allocate(12 * n), memory.allocate(12 * bins)];
    const chosen = memory.indexes(locations, 3 * n);
    const words = new Uint32Array(random(8, 12 * n).buffer);
    for (let i = 0; i < 3 * n; i++) chosen[i] = (words[i] as number) % bins;
    expect(memory.kernels.cuckoo(table, locations, n, bins, 20_000, 1)).toBe(1);
    const placed = new Map<number, number>();
    memory.indexes(table, 3 * bins).forEach((item, bin) => {
      if (item !== 0) placed.set(item - 1, bin);
    });
    expect(placed.size).toBe(n);
    for (const [item, bin] of placed) expect(chosen[3 * item + Math.floor(bin / bins)]).toBe(bin % bins);
    memory.bytes(table, 12 * bins).fill(0);
    for (let i = 0; i < 12; i++) chosen[i] = 7;
    expect(memory.kernels.cuckoo(table, locations, 4, bins, 100, 1)).toBe(0);
  });

  it('shuffle so that every order is as likely as any other', () => {
    const memory = new PsiMemory();
    const at = memory.allocate(16);
    const source = seededRandom(new Uint8Array(16).fill(9));
    const counts = new Map<string, number>();
    for (let i = 0; i < 4_800; i++) {
      shuffledOrder(memory, at, 4, source);
      const order = memory.indexes(at, 4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const statistic = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
    // 23 degrees of freedom: one in 10^6.
    expect(statistic).toBeLessThan(68);
    for (const n of [0, 1]) expect(() => shuffledOrder(memory, at, n, source)).not.toThrow();
  });

  it('find repeated digests wherever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 60 }), (values) => {
        const memory = new PsiMemory();
        const digests = memory.allocate(16 * values.length);
        values.forEach((value, i) => {
          memory.bytes(digests + 16 * i, 16).fill(value);
        });
        const [rows, table, repeat] = [memory.allocate(4 * values.length), memory.allocate(4 * 128), memory.allocate(8)];
        const kept = memory.kernels.keepFirst(digests, rows, values.length, table, 127, repeat);
        const firsts = values.flatMap((value, i) => (values.indexOf(value) === i ? [i] : []));
        expect([...memory.indexes(rows, kept)]).toEqual(firsts);
        firsts.forEach((row, i) => {
          expect(memory.bytes(digests + 16 * i, 1)[0]).toBe(values[row]);
        });
        const repeated = values.findIndex((value, i) => values.indexOf(value) < i);
        if (repeated >= 0) expect([...memory.indexes(repeat, 2)]).toEqual([repeated, values.indexOf(values[repeated] as number)]);
      }),
    );
  });

  it('would show a bias of the generators', () => {
    expect(chiSquare(random(1, 100_000))).toBeLessThan(chiSquareLimit);
  });
});
