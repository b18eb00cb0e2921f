import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plaintextSgd } from '../../../src/privacy/regression/plaintext-sgd.js';
import { residualErrorBound } from '../../../src/privacy/regression/scale-plan.js';
import { batchStart } from '../../../src/privacy/regression/sgd-layout.js';
import { type SgdOptions, sgdScales, stepOf } from '../../../src/privacy/regression/sgd-options.js';
import { evaluateSeries, sineSeries } from '../../../src/privacy/ring/sine-series.js';
import { type JointTable, jointTable, pooled, runSgd, smallOptions, weightsOf } from './joint-table.js';
import { RoundCounter } from './round-counter.js';
import { triangle } from './three-parties.js';

/** The twin on the same rounded columns with the same series: what is left is the rounding of residuals. */
function twinOf(table: JointTable, options: SgdOptions): ReturnType<typeof plaintextSgd> {
  const series = sineSeries(options.period, options.sineTerms);
  const scales = sgdScales(options);
  return plaintextSgd({ ...pooled(table, options, scales.featureBits), options, sigmoid: (z) => evaluateSeries(series, z) });
}

/**
 * What the rounding of residuals can do to the weights, in the Euclidean norm: each step adds at most batch rows x largest feature x bound of
 * one residual, and multiplies what there was by its spread. On a convex loss with a step below 2 / curvature that is 1.
 */
function provenWeightBound(options: SgdOptions, spreads: readonly number[] = new Array(options.steps).fill(1)): number {
  const scales = sgdScales(options);
  const residual = residualErrorBound(scales, sineSeries(options.period, options.sineTerms).coefficients, stepOf(options));
  const width = options.inDim + (options.intercept ? 1 : 0);
  const added = options.batchSize * options.clip * Math.sqrt(width) * residual;
  return spreads.reduce((error, spread) => error * spread + added, 0) + 2 ** -scales.weightBits;
}

/**
 * By how much each step can spread two near sets of weights: the largest |1 - step x slope x eigenvalue of the batch's rows|, over the slopes
 * that the series has at the logits of the run.
 */
function spreadsOf(table: JointTable, options: SgdOptions, largestLogit: number): readonly number[] {
  const { values, width } = pooled(table, options, sgdScales(options).featureBits);
  const { coefficients, period } = sineSeries(options.period, options.sineTerms);
  const slopes = Array.from({ length: 1001 }, (_, i) => {
    const angle = (2 * Math.PI * i * (largestLogit + 1)) / 1000 / period;
    return coefficients.reduce((sum, c, k) => sum + ((2 * Math.PI * (2 * k + 1)) / period) * c * Math.cos((2 * k + 1) * angle), 0);
  });
  return Array.from({ length: options.steps }, (_, round) => {
    const start = batchStart(round, options.batchSize, options.trainRows);
    const rows = Array.from({ length: options.batchSize }, (_, k) => {
      const at = ((start + k) % options.trainRows) * width;
      return [...(options.intercept ? [1] : []), ...values.subarray(at, at + width)];
    });
    const turned = stepOf(options) * largestEigenvalue(rows);
    return Math.max(1, turned * Math.max(...slopes) - 1, 1 - turned * Math.min(...slopes));
  });
}

/** Of the sum of the rows' outer products, from above: the trace of its 16th power, and the 16th root of that. */
function largestEigenvalue(rows: readonly (readonly number[])[]): number {
  const columns = (rows[0] as readonly number[]).map((_, j) => rows.map((row) => row[j] as number));
  let matrix = columns.map((a) => columns.map((b) => dot(a, b)));
  const scale = matrix.reduce((sum, row, j) => sum + (row[j] as number), 0);
  if (scale === 0) return 0;
  matrix = matrix.map((row) => row.map((value) => value / scale));
  for (let i = 0; i < 4; i++) matrix = matrix.map((row) => matrix.map((other) => dot(row, other)));
  return scale * matrix.reduce((sum, row, j) => sum + (row[j] as number), 0) ** (1 / 16);
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

function largestDifference(a: readonly number[], b: Float64Array): number {
  return a.reduce((most, value, j) => Math.max(most, Math.abs(value - (b[j] as number))), 0);
}

describe('joint logistic regression by stochastic gradient descent', () => {
  it('gives the weights of its plaintext twin, within the proven bound and far below', async () => {
    const table = jointTable(1, 300, [3, 4]);
    const options = smallOptions(table, { steps: 400 });
    const { bank0, bank1 } = await runSgd(table, options);
    const twin = twinOf(table, options);
    const off = largestDifference(weightsOf([...bank0.parts, ...bank1.parts], true), twin.weights);
    expect(off).toBeLessThan(provenWeightBound(options));
    expect(off).toBeLessThan(1e-4);
    expect(Math.max(...twin.weights.map(Math.abs))).toBeGreaterThan(0.5);
  });

  it('follows the exact sigmoid closely', async () => {
    const table = jointTable(2, 400, [4, 2]);
    const options = smallOptions(table, { steps: 300, featureBits: 12 });
    const { bank0, bank1 } = await runSgd(table, options);
    const exact = plaintextSgd({ ...pooled(table, options), options });
    expect(largestDifference(weightsOf([...bank0.parts, ...bank1.parts], true), exact.weights)).toBeLessThan(0.02);
    expect(Math.abs((bank0.evaluations[0]?.auc ?? 0) - (exact.evaluations[0]?.auc ?? 1))).toBeLessThan(0.005);
  });

  it('agrees with the twin over random shapes, options and extreme values', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(1 << 30),
          widths: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
          batchSize: fc.integer({ min: 1, max: 33 }),
          steps: fc.integer({ min: 1, max: 40 }),
          learningRate: fc.constantFrom(0.001, 0.01, 0.3),
          reduction: fc.constantFrom('mean' as const, 'sum' as const),
          intercept: fc.boolean(),
          rowOrder: fc.constantFrom('given' as const, 'seeded' as const),
          standardise: fc.boolean(),
          outlier: fc.constantFrom(1, 8, 1000),
        }),
        async ({ seed, widths, outlier, ...changes }) => {
          // Now and then a value far outside, which the clip cuts: its column still varies.
          const table = jointTable(seed, 120, widths, (next) => (next() < 0.05 ? (next() - 0.5) * outlier * 2 : next() - 0.5));
          const options = smallOptions(table, { ...changes, clip: 8 });
          const { bank0, bank1 } = await runSgd(table, options);
          const twin = twinOf(table, options);
          const off = largestDifference(weightsOf([...bank0.parts, ...bank1.parts], options.intercept), twin.weights);
          expect(off).toBeLessThan(Math.max(provenWeightBound(options, spreadsOf(table, options, twin.largestLogit)), 1e-9));
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  it('takes exactly the rounds and bytes that its header states', async () => {
    const table = jointTable(3, 300, [3, 4]);
    const run = async (steps: number): Promise<{ toBank1: number; fromDealer: number; messages: number }> => {
      const links = triangle();
      await runSgd(table, smallOptions(table, { steps, evaluateEvery: 0 }), { links });
      const { bytesSent: toBank1, messagesSent: messages } = links.bank0.otherBank.counters;
      return { toBank1, messages, fromDealer: links.bank0.dealer.counters.bytesReceived };
    };
    const [short, long] = [await run(100), await run(200)];
    expect(long.messages - short.messages).toBe(2 * 100);
    expect(long.toBank1 - short.toBank1).toBe(100 * (8 * (2 * 16 + 4) + 16));
    // One message of the dealer covers many steps here; apart from its 8 bytes of header the count is exact.
    const material = 100 * 8 * (16 * 8 + 4);
    expect(long.fromDealer - short.fromDealer - material).toBeLessThanOrEqual(8 * 8);
    expect(long.fromDealer - short.fromDealer).toBeGreaterThanOrEqual(material);
  });

  it('takes two rounds a step, one message after the other', async () => {
    const table = jointTable(4, 300, [3, 4]);
    const rounds = async (steps: number): Promise<number> => {
      const counter = new RoundCounter();
      await runSgd(table, smallOptions(table, { steps }), { links: triangle({}, counter.wrap) });
      return counter.rounds;
    };
    const [short, long] = [await rounds(5), await rounds(45)];
    expect(long - short).toBe(2 * 40);
    // Terms, shape, keys and columns before; scoring, the model and the last word after.
    expect(short - 2 * 5).toBeLessThanOrEqual(9);
  });

  it('tells everyone the held-out metrics and writes the line of the original', async () => {
    const table = jointTable(5, 400, [3, 3]);
    const lines: string[] = [];
    const { bank0, bank1, dealer } = await runSgd(table, smallOptions(table, { steps: 21, evaluateEvery: 10 }), {
      hooks: { log: (line) => lines.push(line) },
    });
    expect(bank0.evaluations.map(({ round }) => round)).toEqual([0, 10, 20]);
    expect(bank1.evaluations).toEqual(bank0.evaluations);
    expect(dealer.evaluations).toEqual(bank0.evaluations);
    expect(lines).toEqual(bank0.evaluations.map(({ round, auc }) => `AUC at round ${round}: ${auc}`));
    const [last] = bank0.evaluations.slice(-1);
    const twin = plaintextSgd({ ...pooled(table, smallOptions(table)), options: smallOptions(table, { steps: 21 }) }).evaluations[0];
    for (const name of ['auc', 'ks', 'accuracy', 'loss'] as const)
      expect(Math.abs((last?.[name] ?? 0) - (twin?.[name] ?? 1))).toBeLessThan(0.06);
  });

  it('scores more often than the dealer reads without a standstill', async () => {
    const table = jointTable(6, 300, [2, 2]);
    const { dealer, bank1 } = await runSgd(table, smallOptions(table, { steps: 200, evaluateEvery: 1 }));
    expect(dealer.evaluations).toHaveLength(200);
    expect(dealer.evaluations).toEqual(bank1.evaluations);
  });

  it.each(['bank0', 'bank1', 'dealer'] as const)('gives the whole model to %s alone where that is agreed', async (modelTo) => {
    const table = jointTable(7, 300, [3, 2]);
    const run = await runSgd(table, smallOptions(table, { standardise: true }), { seed: 5 });
    const whole = await runSgd(table, smallOptions(table, { standardise: true, modelTo }), { seed: 6 });
    const owned = weightsOf([...run.bank0.parts, ...run.bank1.parts], true);
    const got = whole[modelTo].parts;
    expect(got.map(({ owner }) => owner)).toEqual(['bank0', 'bank1']);
    expect(got.flatMap(({ columns }) => columns.map(({ name }) => name))).toEqual(['a0', 'a1', 'a2', 'b0', 'b1']);
    expect(largestDifference(weightsOf(got, true), Float64Array.from(owned))).toBeLessThan(1e-4);
    got.forEach((part, bank) => {
      const mine = (bank === 0 ? run.bank0 : run.bank1).parts[0];
      expect(part.columns.map(({ mean, deviation }) => [mean, deviation])).toEqual(
        mine?.columns.map(({ mean, deviation }) => [mean, deviation]),
      );
    });
    for (const other of ['bank0', 'bank1', 'dealer'] as const) if (other !== modelTo) expect(whole[other].parts).toEqual([]);
  });

  it('gives each owner only its own columns otherwise', async () => {
    const table = jointTable(8, 300, [3, 2]);
    const { bank0, bank1, dealer } = await runSgd(table, smallOptions(table));
    expect(bank0.parts.map(({ owner, columns }) => [owner, columns.length])).toEqual([['bank0', 3]]);
    expect(bank1.parts.map(({ owner, columns }) => [owner, columns.length])).toEqual([['bank1', 2]]);
    expect(dealer.parts).toEqual([]);
  });

  it('runs without held-out rows', async () => {
    const table = jointTable(9, 200, [2, 2]);
    const { bank0, dealer } = await runSgd(table, smallOptions(table, { trainRows: 200 }));
    expect(bank0.evaluations).toEqual([]);
    expect(dealer.evaluations).toEqual([]);
    expect(bank0.parts).toHaveLength(1);
  });

  it('warns when scores come close to the period', async () => {
    const table = jointTable(10, 300, [2, 2]);
    const lines: string[] = [];
    await runSgd(table, smallOptions(table, { steps: 200, learningRate: 30, period: 16 }), { hooks: { log: (line) => lines.push(line) } });
    expect(lines.join('\n')).toMatch(/use a longer period/);
  });

  it('repeats bit for bit from the same seeds', async () => {
    const table = jointTable(11, 200, [2, 3]);
    const [one, two] = [await runSgd(table, smallOptions(table), { seed: 42 }), await runSgd(table, smallOptions(table), { seed: 42 })];
    expect(one.bank0.parts).toEqual(two.bank0.parts);
    expect(one.bank1.parts).toEqual(two.bank1.parts);
  });
});
