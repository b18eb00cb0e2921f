import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/privacy/random-stream.js';
import { prepareColumns, prepareLabels, prepareTarget } from '../../../src/privacy/regression/columns.js';
import { fitSgdBank } from '../../../src/privacy/regression/fit-sgd.js';
import { fixedHessianOptions } from '../../../src/privacy/regression/fixed-hessian.js';
import { linearOptions } from '../../../src/privacy/regression/linear.js';
import { heldOutMetrics, linearMetrics } from '../../../src/privacy/regression/metrics.js';
import { drawPermutation, orderRows } from '../../../src/privacy/regression/row-order.js';
import { sgdOptionsFromModelArgs, sgdScales } from '../../../src/privacy/regression/sgd-options.js';
import { isEvaluated } from '../../../src/privacy/regression/sine-options.js';
import { whitenColumns } from '../../../src/privacy/regression/whiten.js';
import { jointTable, smallOptions } from './joint-table.js';
import { testRandom, triangle } from './three-parties.js';

const rule = { clip: 8, outOfRange: 'clip', standardise: false } as const;
const args = { in_dim: 5, out_dim: 1, lr: 0.01, batch_size: 16, split: 160, epoch: 100 };

describe('data that cannot be used', () => {
  const table = jointTable(70, 200, [2, 3]);
  const spoiled: [
    string,
    (values: Float64Array, labels: Float64Array) => void,
    Partial<Parameters<typeof smallOptions>[1]>,
    string,
    RegExp,
  ][] = [
    ['NaN', (values) => values.fill(Number.NaN, 11, 12), {}, 'a1', /row 6 is missing, NaN or infinite/],
    ['infinity', (values) => values.fill(Number.NEGATIVE_INFINITY, 2 * 199, 2 * 199 + 1), {}, 'a0', /row 200/],
    [
      'a constant column',
      (values) => values.set(values.map((value, i) => (i % 2 === 1 ? 3 : value))),
      {},
      'a1',
      /constant over the 160 training rows/,
    ],
    [
      'values out of range where they are refused',
      (values) => values.fill(9, 20, 21),
      { outOfRange: 'refuse' },
      'a0',
      /row 11 is outside of \+-8/,
    ],
    ['labels that are not 0 or 1', (_, labels) => labels.fill(2, 3, 4), {}, 'y', /the label in row 4 is neither 0 nor 1/],
    ['labels of one class', (_, labels) => labels.fill(1), {}, 'y', /training rows hold one class only/],
    ['held-out labels of one class', (_, labels) => labels.fill(0, 160), {}, 'y', /held-out rows hold one class only/],
  ];

  it.each(spoiled)('%s: refused before any message, naming the column', async (_, spoil, changes, column, pattern) => {
    const values = table.bank0.columns.values.slice();
    const labels = Float64Array.from(table.bank0.labels.values);
    spoil(values, labels);
    const links = triangle();
    const input = { columns: { ...table.bank0.columns, values }, labels: { name: 'y', values: labels } };
    const failure = fitSgdBank(links.bank0, smallOptions(table, changes), input, testRandom(1, 0));
    await expect(failure).rejects.toMatchObject({ code: 'DT_INPUT_COLUMN', details: { column } });
    await expect(failure).rejects.toThrow(pattern);
    expect(links.bank0.otherBank.counters.messagesSent + links.bank0.dealer.counters.messagesSent).toBe(0);
    await expect(links.bank1.otherBank.receive()).rejects.toMatchObject({
      code: 'DT_PEER_ABORTED',
      details: { peer: 'bank0' },
      message: expect.stringContaining(column),
    });
  });

  it.each([
    ['no column', { names: [], rows: 200, values: new Float64Array(0) }, /no column/],
    ['a name twice', { names: ['x', 'x'], rows: 200, values: new Float64Array(400) }, /same name/],
    ['a wrong number of values', { names: ['x'], rows: 200, values: new Float64Array(199) }, /199 values are not 200 rows of 1/],
  ])('a table with %s', (_, columns, pattern) => {
    expect(() => prepareColumns(columns, rule, Uint32Array.of(0, 1), 2)).toThrow(pattern);
  });

  it('too few rows', async () => {
    const links = triangle();
    const few = jointTable(71, 100, [2, 3]);
    await expect(fitSgdBank(links.bank0, sgdOptionsFromModelArgs('00', args), few.bank0, testRandom(1, 0))).rejects.toMatchObject({
      code: 'DT_INPUT_INVALID',
      message: expect.stringContaining('100 rows leave -60'),
    });
    await expect(
      fitSgdBank(triangle().bank0, sgdOptionsFromModelArgs('00', { ...args, split: 90 }), few.bank0, testRandom(1, 0)),
    ).rejects.toThrow(/100 rows leave 10/);
    expect(() => sgdOptionsFromModelArgs('00', { ...args, split: 31 })).toThrow(/31 rows are too few/);
    expect(() => fixedHessianOptions({ jobDigest: '00', inDim: 40, trainRows: 60 })).toThrow(/82 are needed/);
  });

  it.each([
    [{ out_dim: 2 }, {}, /out_dim/],
    [{ lr: 0 }, {}, /learningRate/],
    [{ lr: Number.NaN }, {}, /learningRate/],
    [{ batch_size: 161 }, {}, /batchSize/],
    [{ epoch: 0 }, {}, /steps/],
    [{ epoch: 1.5 }, {}, /steps/],
    [{ in_dim: -1 }, {}, /inDim/],
    [{}, { period: 48 }, /period/],
    [{}, { sineTerms: 2 }, /sineTerms/],
    [{}, { clip: 0.5 }, /clip/],
    [{}, { evaluateEvery: -1 }, /evaluateEvery/],
    [{}, JSON.parse('{"reduction": "avg"}'), /reduction.*"avg"/],
    [{}, JSON.parse('{"modelTo": "everyone"}'), /modelTo/],
    [{}, JSON.parse('{"intercept": 1}'), /intercept/],
    [{}, JSON.parse('{"rowSeed": 7}'), /rowSeed/],
  ])('options %j %j', (change, options, pattern) => {
    expect(() => sgdOptionsFromModelArgs('00', { ...args, ...change }, options)).toThrow(pattern);
  });

  it('a learning rate whose weights the ring could not hold', () => {
    expect(() => sgdScales(sgdOptionsFromModelArgs('00', { ...args, lr: 1e6, epoch: 1e6 }))).toThrow(/fixed point leaves/);
    expect(() => linearOptions({ jobDigest: '00', inDim: 3, trainRows: 100 }, { featureBits: 30 })).toThrow(/featureBits/);
  });
});

describe('prepared columns', () => {
  it('are clipped, counted and standardised over the training rows', () => {
    const values = Float64Array.of(1, 100, 3, -100, 5, 2, 7, 0);
    const columns = { names: ['u', 'v'], rows: 4, values };
    const prepared = prepareColumns(columns, { ...rule, clip: 10 }, Uint32Array.of(3, 0, 1, 2), 3, true);
    expect([...prepared.values]).toEqual([1, 7, 0, 1, 1, 10, 1, 3, -10, 1, 5, 2]);
    expect(prepared.clipped).toEqual([0, 2]);
    const standard = prepareColumns(columns, { ...rule, standardise: true }, Uint32Array.of(0, 1, 2, 3), 4);
    const [u] = [0, 1].map((j) => [0, 1, 2, 3].map((i) => standard.values[i * 2 + j] as number));
    expect(u?.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 12);
    expect(u?.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(4, 12);
    expect([standard.means[0], standard.deviations[0]]).toEqual([4, Math.sqrt(5)]);
  });

  it('labels and targets come in the order of the run', () => {
    expect([...prepareLabels('y', [0, 1, 1, 0], Uint32Array.of(2, 0, 3, 1), 2)]).toEqual([1, 0, 0, 1]);
    const target = prepareTarget('t', [1, 2, 3, 10], Uint32Array.of(0, 2, 3, 1), 2, true);
    expect(target).toMatchObject({ mean: 2, deviation: 1 });
    expect([...target.values]).toEqual([-1, 1, 8, 0]);
  });

  it('whiten to orthonormal columns that give the same fits', () => {
    fc.assert(
      fc.property(fc.nat(1 << 30), fc.integer({ min: 1, max: 6 }), fc.boolean(), (seed, width, center) => {
        const { columns } = jointTable(seed, 90, [width, 1]).bank0;
        const prepared = prepareColumns(
          columns,
          { ...rule, standardise: true },
          orderRows({ rows: 90, trainRows: 60, rowOrder: 'given', rowSeed: '1' }),
          60,
          !center,
        );
        const white = whitenColumns(prepared, 60, 64, center);
        const w = prepared.width;
        for (let i = 0; i < w; i++) {
          for (let j = 0; j <= i; j++) {
            let sum = 0;
            for (let row = 0; row < 60; row++) sum += (white.values[row * w + i] as number) * (white.values[row * w + j] as number);
            expect(sum).toBeCloseTo(i === j ? 64 : 0, 8);
          }
        }
        // X_white u = (X - centers) (transform u) for a vector u.
        const u = Array.from({ length: w }, (_, j) => Math.sin(seed + j));
        const turned = Array.from({ length: w }, (_, i) => u.reduce((sum, x, j) => sum + (white.transform[i * w + j] as number) * x, 0));
        for (const row of [0, 59, 60, 89]) {
          const left = u.reduce((sum, x, j) => sum + x * (white.values[row * w + j] as number), 0);
          const right = turned.reduce((sum, x, j) => sum + x * ((prepared.values[row * w + j] as number) - (white.centers?.[j] ?? 0)), 0);
          expect(left).toBeCloseTo(right, 8);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('row order', () => {
  it('is a permutation, trains on the first rows where they are given, and depends on the seed alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.string(), (rows, rowSeed) => {
        const trainRows = Math.ceil(rows / 2);
        const given = orderRows({ rows, trainRows, rowOrder: 'given', rowSeed });
        expect([...given].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
        expect(Math.max(...given.subarray(0, trainRows))).toBe(trainRows - 1);
        expect(given).toEqual(orderRows({ rows, trainRows, rowOrder: 'given', rowSeed }));
        const seeded = orderRows({ rows, trainRows, rowOrder: 'seeded', rowSeed });
        expect([...seeded].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
      }),
    );
  });

  it('draws all permutations alike', () => {
    const stream = new RandomStream(new Uint8Array(16).fill(3));
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const key = drawPermutation(stream, 3).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    // 1000 each, give or take six standard deviations of 29. The stream is fixed, so this is no matter of luck.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(180);
    expect(counts.size).toBe(6);
  });
});

describe('metrics', () => {
  it('are those of their definitions, ties included', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -6, max: 6 }), fc.boolean()), { minLength: 2, maxLength: 60 }), (pairs) => {
        const labels = pairs.map(([, positive]) => (positive ? 1 : 0));
        fc.pre(labels.includes(1) && labels.includes(0));
        const scores = Float64Array.from(pairs, ([score]) => score / 2);
        const metrics = heldOutMetrics(scores, labels);
        let wins = 0;
        let duels = 0;
        let ks = 0;
        let right = 0;
        let loss = 0;
        const share = (label: number, most: number): number => {
          const own = [...scores].filter((_, i) => labels[i] === label);
          return own.filter((score) => score <= most).length / own.length;
        };
        scores.forEach((score, i) => {
          ks = Math.max(ks, Math.abs(share(1, score) - share(0, score)));
          right += (score > 0 ? 1 : 0) === labels[i] ? 1 : 0;
          loss += Math.log(1 + Math.exp(labels[i] === 1 ? -score : score));
          scores.forEach((other, j) => {
            if (labels[i] !== 1 || labels[j] !== 0) return;
            duels += 1;
            wins += score > other ? 1 : score === other ? 0.5 : 0;
          });
        });
        expect(metrics.auc).toBeCloseTo(wins / duels, 10);
        expect(metrics.ks).toBeCloseTo(ks, 10);
        expect(metrics.accuracy).toBeCloseTo(right / scores.length, 10);
        expect(metrics.loss).toBeCloseTo(loss / scores.length, 10);
      }),
    );
  });

  it('of a linear fit are in the unit of the target', () => {
    const kind = linearMetrics(10);
    const metrics = kind.compute(Float64Array.of(1, 2, 3), Float64Array.of(1, 2, 5));
    expect(metrics.rmse).toBeCloseTo(10 * Math.sqrt(4 / 3), 12);
    expect(metrics.mae).toBeCloseTo(20 / 3, 12);
    expect(metrics.r2).toBeCloseTo(1 - 4 / (26 / 3), 12);
    expect(kind.fromFigures(kind.toFigures(metrics))).toEqual(metrics);
  });

  it('are taken after step 0, every n-th and the last', () => {
    const rounds = (steps: number, evaluateEvery: number): number[] =>
      Array.from({ length: steps }, (_, step) => step).filter((step) => isEvaluated({ steps, evaluateEvery }, step));
    expect(rounds(10, 0)).toEqual([9]);
    expect(rounds(10, 4)).toEqual([0, 4, 8, 9]);
  });
});
