import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choosePsiProtocol } from '../../../src/privacy/psi/choose-protocol.js';
import type { PsiResult } from '../../../src/privacy/psi/run-psi.js';
import { idsAt, type PsiRun, runPsiPair, startPsi } from './psi-parties.js';

const protocols = ['kkrt', 'ecdh'] as const;

function expectCommon(a: readonly string[], b: readonly string[], [first, second]: readonly [PsiResult, PsiResult]): void {
  const inB = new Set(b);
  const common = a.filter((id) => inB.has(id));
  expect(idsAt(a, first)).toEqual(common);
  expect(new Set(idsAt(b, second))).toEqual(new Set(common));
  expect([...(second.rows ?? [])]).toEqual([...(second.rows ?? [])].sort((x, y) => x - y));
  expect([first.size, second.size]).toEqual([common.length, common.length]);
}

const numbered = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${from + i}`);

describe.each(protocols)('private set intersection by %s', (protocol) => {
  const run = (a: readonly string[], b: readonly string[], options: PsiRun = {}) => runPsiPair(a, b, { protocol, ...options });

  it.each([
    ['digits with 5 to 14', numbered(0, 10), numbered(5, 15)],
    ['nothing in common', numbered(0, 20), numbered(20, 35)],
    ['all in common, in another order', numbered(0, 30), numbered(0, 30).reverse()],
    ['one and one, equal', ['a'], ['a']],
    ['one and one, different', ['a'], ['b']],
    ['one in many', ['77'], numbered(0, 90)],
    ['many and one', numbered(0, 90), ['13']],
    ['unicode', ['Zoë', '東京', '😀', 'é', 'ß', '\u0000', ' '], ['東京', 'e\u0301', '😀', 'ss', '\u0000', '  ']],
    ['none and some', [], ['a', 'b']],
    ['some and none', ['a', 'b'], []],
    ['none and none', [], []],
  ])('finds %s', async (_, a, b) => {
    expectCommon(a, b, await run(a, b));
  });

  it('tells one side only, whichever it is', async () => {
    const [a, b] = [
      ['1', '2', '3'],
      ['2', '3'],
    ];
    const [toFirst, silent] = await run(a, b, { result: 'one', to: 0 });
    expect([...(toFirst.rows ?? [])]).toEqual([1, 2]);
    expect(silent).toMatchObject({ rows: undefined, size: undefined });
    const [quiet, toSecond] = await run(a, b, { result: 'one', to: 1 });
    expect([...(toSecond.rows ?? [])]).toEqual([0, 1]);
    expect(quiet).toMatchObject({ rows: undefined, size: undefined });
  });

  it('aligns the rows of both sides, in an order that differs from run to run', async () => {
    const [a, b] = [numbered(0, 60), numbered(20, 100).reverse()];
    const orders = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const [first, second] = await run(a, b, { result: 'aligned' });
      expect(idsAt(a, first)).toEqual(idsAt(b, second));
      expect([...idsAt(a, first)].sort()).toEqual(numbered(20, 60).sort());
      expect(idsAt(a, first)).not.toEqual(numbered(20, 60));
      orders.add(idsAt(a, first).join());
    }
    expect(orders.size).toBe(2);
  });

  it('shows the declared sizes instead of the true ones', async () => {
    const sides = [
      { ids: numbered(0, 10), padTo: 50 },
      { ids: numbered(5, 30), padTo: 40 },
    ] as const;
    for (const result of ['both', 'aligned'] as const) {
      const [first, second] = await Promise.all(startPsi(sides[0], sides[1], { protocol, result }));
      expect(idsAt(sides[0].ids, first).sort()).toEqual(numbered(5, 10));
      expect(idsAt(sides[1].ids, second).sort()).toEqual(numbered(5, 10));
      expect([first.peerDeclared, second.peerDeclared, first.count]).toEqual([40, 50, 10]);
    }
    const [padded] = startPsi({ ids: numbered(0, 10), padTo: 9 }, { ids: ['1'] }, { protocol });
    await expect(padded).rejects.toMatchObject({ code: 'DT_PSI_SIZE' });
  });

  it.each([
    ['both', undefined],
    ['aligned', undefined],
    ['one', 0],
    ['one', 1],
  ] as const)('ends without a result where fewer are common than either side demands (%s, %s)', async (result, to) => {
    const [a, b] = [numbered(0, 10), numbered(5, 20)];
    const options = { protocol, result, ...(to === undefined ? {} : { to }) };
    for (const demands of [
      [6, 0],
      [0, 6],
    ] as const) {
      const sides = startPsi({ ids: a, minIntersection: demands[0] }, { ids: b, minIntersection: demands[1] }, options);
      for (const outcome of await Promise.allSettled(sides)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'DT_PSI_TOO_FEW', details: { minimum: 6 } } });
      }
    }
    const enough = await Promise.all(startPsi({ ids: a, minIntersection: 5 }, { ids: b, minIntersection: 4 }, options));
    expect(enough.map(({ size }) => size)).toContain(5);
  });

  it('refuses repeated ids, or keeps the first and says so', async () => {
    const ids = ['a', 'b', 'a', 'c', 'b', 'a'];
    const [refused, other] = startPsi({ ids }, { ids: ['a', 'c'] }, { protocol });
    await expect(refused).rejects.toMatchObject({ code: 'DT_PSI_DUPLICATE', details: { count: 3, row: 3, first: 1 } });
    // The peer learns that it ended, and no row.
    await expect(other).rejects.toMatchObject({ code: 'DT_PEER_ABORTED', message: expect.not.stringMatching(/row/) });
    const [first, second] = await Promise.all(startPsi({ ids, duplicates: 'keep-first' }, { ids: ['c', 'x', 'b'] }, { protocol }));
    expect([...(first.rows ?? [])]).toEqual([1, 3]);
    expect([...(second.rows ?? [])]).toEqual([0, 2]);
    expect([first.duplicatesDropped, first.declared, second.peerDeclared]).toEqual([3, 3, 3]);
  });
});

describe('private set intersection', () => {
  it('counts without telling which', async () => {
    const [a, b] = [numbered(0, 25), numbered(10, 40)];
    const both = await runPsiPair(a, b, { result: 'cardinality' });
    expect(both.map(({ size, rows }) => [size, rows])).toEqual([
      [15, undefined],
      [15, undefined],
    ]);
    const one = await runPsiPair(a, b, { result: 'cardinality', to: 1 });
    expect(one.map(({ size }) => size)).toEqual([undefined, 15]);
    expect((await runPsiPair([], b, { result: 'cardinality' })).map(({ size }) => size)).toEqual([0, 0]);
    const few = startPsi({ ids: a, minIntersection: 16 }, { ids: b }, { result: 'cardinality' });
    for (const outcome of await Promise.allSettled(few)) expect(outcome).toMatchObject({ reason: { code: 'DT_PSI_TOO_FEW' } });
    await expect(runPsiPair(a, b, { result: 'cardinality', protocol: 'kkrt' })).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
  });

  it('counts large sets without telling which, where a third party deals', async () => {
    let dealt: Promise<number> | undefined;
    const dealer: PsiRun = { result: 'cardinality', dealer: true, onDealt: (promise) => (dealt = promise) };
    const [a, b] = [numbered(0, 5_000), numbered(1_766, 9_000)];
    const both = await runPsiPair(a, b, dealer);
    expect(both.map(({ size, rows, choice }) => [size, rows, choice.protocol])).toEqual([
      [3_234, undefined, 'kkrt'],
      [3_234, undefined, 'kkrt'],
    ]);
    expect(await dealt).toBeGreaterThan(5_000);
    const one = await runPsiPair(a, b, { ...dealer, to: 1 });
    expect(one.map(({ size }) => size)).toEqual([undefined, 3_234]);
    // Small ones do without it, and it hears so.
    const few = await runPsiPair(['1', '2'], ['2'], dealer);
    expect([few.map(({ size, choice }) => [size, choice.protocol]), await dealt]).toEqual([Array(2).fill([1, 'ecdh']), 0]);
    expect((await runPsiPair([], b, { ...dealer, protocol: 'kkrt' })).map(({ size }) => size)).toEqual([0, 0]);
    expect((await runPsiPair(['x'], b, { ...dealer, protocol: 'kkrt' })).map(({ size }) => size)).toEqual([0, 0]);
    expect((await runPsiPair(['8999'], b, { ...dealer, protocol: 'kkrt' })).map(({ size }) => size)).toEqual([1, 1]);
    const padded = startPsi({ ids: a, padTo: 6_000 }, { ids: b, padTo: 8_000 }, { ...dealer, seed: 3 });
    expect((await Promise.all(padded)).map(({ size, declared }) => [size, declared])).toEqual([
      [3_234, 6_000],
      [3_234, 8_000],
    ]);
    const demanding = startPsi({ ids: a, minIntersection: 3_235 }, { ids: b }, dealer);
    for (const outcome of await Promise.allSettled(demanding)) expect(outcome).toMatchObject({ reason: { code: 'DT_PSI_TOO_FEW' } });
  });

  it('finds one id in 100,000, from either side', async () => {
    const many = Int32Array.from({ length: 100_000 }, (_, i) => 3 * i);
    for (const one of [['299997'], ['299998']]) {
      const size = one[0] === '299997' ? 1 : 0;
      const [small, large] = await Promise.all(startPsi({ ids: one }, { ids: many }, {}));
      expect([small.size, large.size, small.choice.protocol]).toEqual([size, size, 'kkrt']);
      expect([...(large.rows ?? [])]).toEqual(size === 1 ? [99_999] : []);
    }
    const [large] = await Promise.all(startPsi({ ids: many }, { ids: ['0'] }, { result: 'one', to: 0, protocol: 'kkrt' }));
    expect([...(large.rows ?? [])]).toEqual([0]);
  });

  it('joins 50,000 with 70,000 by composite keys of text and number, read in batches', async () => {
    const batches = function* (from: number, to: number, step: number) {
      for (let at = from; at < to; at += step) {
        const n = Math.min(step, to - at);
        yield [
          Array.from({ length: n }, (_, i) => ` Name ${(at + i) % 1000}`),
          Float64Array.from({ length: n }, (_, i) => at + i),
        ] as const;
      }
    };
    const normalize = ['trim', 'none'];
    const [a, b] = await Promise.all(
      startPsi({ ids: batches(0, 50_000, 7_000) }, { ids: batches(40_000, 110_000, 9_999) }, { normalize, result: 'aligned' }),
    );
    expect(a.size).toBe(10_000);
    expect([...(a.rows ?? [])].map((row) => row - 40_000)).toEqual([...(b.rows ?? [])]);
    expect([...(b.rows ?? [])].sort((x, y) => x - y)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });

  it('repeats bit for bit from the same random source', async () => {
    const results = [await runPsiPair(numbered(0, 50), numbered(25, 99), { result: 'aligned', seed: 5, protocol: 'kkrt' })];
    results.push(await runPsiPair(numbered(0, 50), numbered(25, 99), { result: 'aligned', seed: 5, protocol: 'kkrt' }));
    expect(results[0]?.map(({ rows }) => rows)).toEqual(results[1]?.map(({ rows }) => rows));
  });

  it('stops before anything is sent where the sides disagree, and names it on both', async () => {
    const disagreements = [
      [{ normalize: ['trim'] }, /normalization/],
      [{ normalize: ['none', 'none'] }, /normalization/],
      [{ result: 'aligned' }, /result/],
      [{ protocol: 'ecdh' }, /demandedProtocol/],
      [{ jobDigest: '01' }, /jobDigest/],
    ] as const;
    for (const [terms, field] of disagreements) {
      const sides = startPsi({ ids: ['a'] }, { ids: ['a'], terms });
      for (const outcome of await Promise.allSettled(sides)) {
        expect(outcome).toMatchObject({ reason: { code: 'DT_PEER_TERMS', message: expect.stringMatching(field) } });
      }
    }
  });

  it('refuses options that say nothing', async () => {
    for (const terms of [{ result: 'one' }, { result: 'both', to: 1 }, { normalize: [] }, { normalize: ['x'] }] as const) {
      await expect(startPsi({ ids: ['a'] }, { ids: ['a'] }, terms)[0]).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
    }
    for (const own of [{ minIntersection: -1 }, { minIntersection: 1.5 }, { padTo: 0.5 }]) {
      await expect(startPsi({ ids: ['a'], ...own }, { ids: ['a'] })[0]).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
    }
    await expect(startPsi({ ids: ['a'], padTo: 2 ** 24 + 1 }, { ids: ['a'] })[0]).rejects.toMatchObject({ code: 'DT_PSI_SIZE' });
  });

  it('agrees with Set for 680 random pairs of sets', async () => {
    const id = fc.oneof(fc.nat(40).map(String), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }));
    const set = fc.uniqueArray(id, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(set, set, fc.boolean(), async (a, b, aligned) => {
        const results = await runPsiPair(a, b, { result: aligned ? 'aligned' : 'both' });
        if (aligned) {
          expect(idsAt(a, results[0])).toEqual(idsAt(b, results[1]));
          expect(new Set(idsAt(a, results[0]))).toEqual(new Set(a.filter((value) => b.includes(value))));
        } else expectCommon(a, b, results);
      }),
      { numRuns: 680 },
    );
  }, 60_000);

  it('agrees with Set for 20 random pairs of larger sets by kkrt', async () => {
    const set = fc.uniqueArray(fc.nat(3_000), { maxLength: 1_500 }).map((values) => values.map(String));
    await fc.assert(
      fc.asyncProperty(set, set, async (a, b) => expectCommon(a, b, await runPsiPair(a, b, { protocol: 'kkrt' }))),
      { numRuns: 20 },
    );
  }, 60_000);
});

describe('the choice of the protocol', () => {
  const choose = (receiverCount: number, senderCount: number, demanded: 'auto' | 'kkrt' | 'ecdh' = 'auto', count?: 'alone' | 'dealt') =>
    choosePsiProtocol({ receiverCount, senderCount, demanded, countOnly: count !== undefined, dealer: count === 'dealt' });

  it('takes ecdh for small sets, kkrt for large or unequal ones, and says why', () => {
    expect(choose(10, 10)).toMatchObject({ protocol: 'ecdh', reason: expect.stringMatching(/10 and 10 ids.*against/) });
    expect(choose(1 << 20, 1 << 20)).toMatchObject({ protocol: 'kkrt', reason: expect.stringMatching(/against/) });
    expect(choose(1 << 10, 1 << 20).protocol).toBe('kkrt');
    expect(choose(1, 1 << 20).protocol).toBe('kkrt');
    expect(choose(10, 10, 'kkrt')).toEqual({ protocol: 'kkrt', reason: 'demanded by the job' });
    expect(choose(1 << 20, 1 << 20, 'auto', 'alone').protocol).toBe('ecdh');
    expect(choose(1 << 20, 1 << 20, 'auto', 'dealt').protocol).toBe('kkrt');
    expect(choose(10, 10, 'auto', 'dealt').protocol).toBe('ecdh');
  });

  it('goes over once as the sets grow', () => {
    const chosen = Array.from({ length: 1000 }, (_, n) => choose(n, n).protocol);
    expect(chosen.indexOf('kkrt')).toBeGreaterThan(50);
    expect(chosen.slice(chosen.indexOf('kkrt')).every((protocol) => protocol === 'kkrt')).toBe(true);
  });
});
