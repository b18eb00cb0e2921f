import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareColumns } from '../../../src/privacy/regression/columns.js';
import { fitFixedHessianBank, fitFixedHessianDealer } from '../../../src/privacy/regression/fit-fixed-hessian.js';
import { fitLinearBank, fitLinearDealer } from '../../../src/privacy/regression/fit-linear.js';
import type { BankInput, FitResult } from '../../../src/privacy/regression/fit-sgd.js';
import { type FixedHessianOptions, fixedHessianOptions, powerBitsOf } from '../../../src/privacy/regression/fixed-hessian.js';
import { dampedInverse, damping, gramBits, inverseBits } from '../../../src/privacy/regression/joint-gram.js';
import { type LinearOptions, linearOptions } from '../../../src/privacy/regression/linear.js';
import type { HeldOutMetrics, LinearMetrics } from '../../../src/privacy/regression/metrics.js';
import { contributions, type ModelPart } from '../../../src/privacy/regression/model-part.js';
import { plaintextFixedHessian, plaintextLinear, scoresOf } from '../../../src/privacy/regression/plaintext-full-batch.js';
import { orderRows } from '../../../src/privacy/regression/row-order.js';
import { whitenColumns } from '../../../src/privacy/regression/whiten.js';
import { type JointTable, jointTable, numbers, weightsOf } from './joint-table.js';
import { RoundCounter } from './round-counter.js';
import { runArithmetic, testRandom, triangle } from './three-parties.js';

interface Run<Metrics> {
  readonly bank0: FitResult<Metrics>;
  readonly bank1: FitResult<Metrics>;
  readonly dealer: FitResult<Metrics>;
}

async function runHessian(table: JointTable, options: FixedHessianOptions, links = triangle()): Promise<Run<HeldOutMetrics>> {
  const [bank0, bank1, dealer] = await Promise.all([
    fitFixedHessianBank(links.bank0, options, table.bank0, testRandom(undefined, 0)),
    fitFixedHessianBank(links.bank1, options, table.bank1, testRandom(undefined, 1)),
    fitFixedHessianDealer(links.dealer, options, testRandom(undefined, 2)),
  ]);
  return { bank0, bank1, dealer };
}

async function runLinearFit(
  bank0Input: BankInput,
  bank1Input: BankInput,
  options: LinearOptions,
  links = triangle(),
): Promise<Run<LinearMetrics>> {
  const [bank0, bank1, dealer] = await Promise.all([
    fitLinearBank(links.bank0, options, bank0Input, testRandom(undefined, 0)),
    fitLinearBank(links.bank1, options, bank1Input, testRandom(undefined, 1)),
    fitLinearDealer(links.dealer, options, testRandom(undefined, 2)),
  ]);
  return { bank0, bank1, dealer };
}

function onlyPart({ parts }: FitResult<unknown>): ModelPart {
  if (parts.length !== 1) throw new Error(`${parts.length} parts`);
  return parts[0] as ModelPart;
}

/** Both banks' whitened columns side by side, as the joint part sees them. */
function whitenedPool(
  table: JointTable,
  options: FixedHessianOptions,
): { values: Float64Array; width: number; labels: Float64Array; order: Uint32Array } {
  const { rows } = table.bank0.columns;
  const { trainRows } = options;
  const order = orderRows({ ...options, rows });
  const power = 2 ** powerBitsOf(trainRows);
  const rule = { ...options, standardise: true };
  const [a, b] = [
    prepareColumns(table.bank0.columns, rule, order, trainRows, options.intercept),
    prepareColumns(table.bank1.columns, rule, order, trainRows),
  ];
  const [wa, wb] = [whitenColumns(a, trainRows, power, false), whitenColumns(b, trainRows, power, options.intercept)];
  const width = a.width + b.width;
  const values = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    values.set(wa.values.subarray(row * a.width, (row + 1) * a.width), row * width);
    values.set(wb.values.subarray(row * b.width, (row + 1) * b.width), row * width + a.width);
  }
  return { values, width, order, labels: Float64Array.from(order, (row) => table.bank0.labels.values[row] as number) };
}

describe('inverse on shares', () => {
  it('inverts the damped matrix of any coupling of the banks, almost full ones too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ min: -0.999, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 3 }), async (couplings) => {
        const n = couplings.length;
        const corner = BigInt64Array.from({ length: n * n }, (_, at) =>
          at % (n + 1) === 0 ? BigInt(Math.round((couplings[Math.floor(at / n)] as number) * 2 ** gramBits)) : 0n,
        );
        const [opened] = await runArithmetic(async ({ arithmetic }) => {
          const h = arithmetic.bordered(arithmetic.publicMatrix(n, n, corner), BigInt(Math.round((1 + damping) * 2 ** gramBits)));
          return arithmetic.open(await dampedInverse(arithmetic, h));
        });
        // Each pair of coupled columns has the inverse of [[d, c], [c, d]].
        couplings.forEach((c, i) => {
          const d = 1 + damping;
          const determinant = d * d - c * c;
          const at = (row: number, column: number): number => Number(opened[row * 2 * n + column]) / 2 ** inverseBits;
          const tolerance = 0.02 / (d - Math.abs(c));
          expect(Math.abs(at(i, i) - d / determinant)).toBeLessThan(tolerance);
          expect(Math.abs(at(i, n + i) + c / determinant)).toBeLessThan(tolerance);
        });
      }),
      { numRuns: 15 },
    );
  });
});

describe('joint logistic regression with a fixed Hessian', () => {
  it('follows its plaintext twin step by step and converges in tens of steps', async () => {
    const table = jointTable(21, 500, [4, 5]);
    const options = fixedHessianOptions({ jobDigest: '00', inDim: 9, trainRows: 400 }, { steps: 25, evaluateEvery: 1 });
    const { bank0, bank1, dealer } = await runHessian(table, options);
    const pool = whitenedPool(table, options);
    const twin = plaintextFixedHessian(pool, options);
    expect(bank0.evaluations).toHaveLength(25);
    expect(dealer.evaluations).toEqual(bank0.evaluations);
    bank0.evaluations.forEach((evaluation, i) => {
      expect(Math.abs(evaluation.loss - (twin.evaluations[i]?.loss ?? 9))).toBeLessThan(0.005);
    });
    const scores = scoresOf(pool, twin.weights, 0, 500);
    const [a, b] = [contributions(onlyPart(bank0), table.bank0.columns), contributions(onlyPart(bank1), table.bank1.columns)];
    pool.order.forEach((row, i) => {
      expect(Math.abs((a[row] as number) + (b[row] as number) - (scores[i] as number))).toBeLessThan(0.15);
    });
    const longer = plaintextFixedHessian(pool, { ...options, steps: 200 });
    expect(Math.abs((bank0.evaluations.at(-1)?.loss ?? 9) - (longer.evaluations.at(-1)?.loss ?? 0))).toBeLessThan(0.01);
  });

  it('handles columns that the banks share almost fully', async () => {
    const table = jointTable(22, 400, [3, 3]);
    const [a, b] = [table.bank0.columns.values, table.bank1.columns.values];
    const next = numbers(9);
    for (let row = 0; row < 400; row++) b[row * 3] = (a[row * 3] as number) + 0.01 * (next() - 0.5);
    const options = fixedHessianOptions({ jobDigest: '00', inDim: 6, trainRows: 300 });
    const { bank0 } = await runHessian(table, options);
    const twin = plaintextFixedHessian(whitenedPool(table, options), options);
    expect(Math.abs((bank0.evaluations.at(-1)?.loss ?? 9) - (twin.evaluations.at(-1)?.loss ?? 0))).toBeLessThan(0.01);
  });

  it('takes the rounds that its header states', async () => {
    const table = jointTable(23, 300, [2, 2]);
    const measure = async (steps: number): Promise<{ messages: number; rounds: number }> => {
      const counter = new RoundCounter();
      const links = triangle({}, counter.wrap);
      await runHessian(table, fixedHessianOptions({ jobDigest: '00', inDim: 4, trainRows: 260 }, { steps }), links);
      return { messages: links.bank0.otherBank.counters.messagesSent, rounds: counter.rounds };
    };
    const [short, long] = [await measure(10), await measure(20)];
    const ten = short.messages;
    expect(long.messages - ten).toBe(5 * 10);
    expect(long.rounds - short.rounds).toBe(5 * 10);
    // Terms, shape and columns (training and held-out rows apart) before; scoring, its metrics to one, the model and done after.
    expect(ten).toBe(42 + 5 * 10 + 4 + 2 + 1 + 1);
  });

  it.each([true, false])('gives the whole model in the units of the prepared columns, intercept %s', async (intercept) => {
    const table = jointTable(24, 300, [2, 3]);
    const required = { jobDigest: '00', inDim: 5, trainRows: 260 };
    const own = await runHessian(table, fixedHessianOptions(required, { intercept }));
    const whole = await runHessian(table, fixedHessianOptions(required, { intercept, modelTo: 'dealer' }));
    const [a, b] = [weightsOf([...own.bank0.parts, ...own.bank1.parts], intercept), weightsOf(whole.dealer.parts, intercept)];
    expect(b).toHaveLength(a.length);
    a.forEach((weight, j) => {
      expect(Math.abs(weight - (b[j] as number))).toBeLessThan(0.01);
    });
    expect(whole.bank0.parts).toEqual([]);
  });

  it('names a column that the others of its bank already give', async () => {
    const table = jointTable(25, 300, [3, 2]);
    const { values } = table.bank0.columns;
    for (let row = 0; row < 300; row++) values[row * 3 + 2] = 2 * (values[row * 3] as number) - (values[row * 3 + 1] as number);
    const options = fixedHessianOptions({ jobDigest: '00', inDim: 5, trainRows: 260 }, { clip: 1000 });
    const links = triangle();
    await expect(fitFixedHessianBank(links.bank0, options, table.bank0, testRandom(1, 0))).rejects.toMatchObject({
      code: 'DT_INPUT_COLUMN',
      details: { column: 'a2' },
    });
    expect(links.bank0.otherBank.counters.messagesSent).toBe(0);
    await expect(links.dealer.banks[0].receive()).rejects.toMatchObject({
      code: 'DT_PEER_ABORTED',
      message: expect.stringContaining('a2'),
    });
  });
});

describe('joint linear regression', () => {
  const ridge = fc.constantFrom(0, 0.5, 40, 1024 * 250);

  it('gives the least squares solution in the units of the target', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1 << 30), fc.boolean(), fc.constantFrom(0.001, 1, 50_000), ridge, async (seed, intercept, unit, l2) => {
        const table = jointTable(seed, 300, [3, 4]);
        const next = numbers(seed + 1);
        const [a, b] = [table.bank0.columns.values, table.bank1.columns.values];
        const target = Float64Array.from({ length: 300 }, (_, row) => {
          const signal = (a[row * 3] as number) - 2 * (b[row * 4 + 1] as number) + 0.5 * (b[row * 4 + 3] as number) + 3;
          return unit * (signal + next() - 0.5);
        });
        const options = linearOptions({ jobDigest: '00', inDim: 7, trainRows: 250 }, { intercept, l2 });
        const { bank0, bank1, dealer } = await runLinearFit(
          { columns: table.bank0.columns, labels: { name: 't', values: target } },
          table.bank1,
          options,
        );
        expect(dealer.evaluations).toEqual(bank0.evaluations);

        const rule = { ...options, standardise: true };
        const order = orderRows({ ...options, rows: 300 });
        const [pa, pb] = [
          prepareColumns(table.bank0.columns, rule, order, 250, intercept),
          prepareColumns(table.bank1.columns, rule, order, 250),
        ];
        const width = pa.width + pb.width;
        const values = new Float64Array(300 * width);
        for (let row = 0; row < 300; row++) {
          values.set(pa.values.subarray(row * pa.width, (row + 1) * pa.width), row * width);
          values.set(pb.values.subarray(row * pb.width, (row + 1) * pb.width), row * width + pa.width);
        }
        // Standardised columns have a mean of almost zero; what is left of it after clipping goes into the intercept without a penalty.
        const penalties = Array.from({ length: width }, (_, j) => (intercept && j === 0 ? 0 : l2));
        const exact = plaintextLinear({ values, width, labels: Float64Array.from(order, (row) => target[row] as number) }, 250, penalties);
        const found = weightsOf([...bank0.parts, ...bank1.parts], intercept);
        const scale = Math.max(...exact.map(Math.abs));
        found.forEach((weight, j) => {
          expect(Math.abs(weight - (exact[j] as number))).toBeLessThan(1e-3 * scale);
        });
        // Without an intercept the mean of the target is left unexplained.
        if (intercept && l2 < 10) expect(bank0.evaluations[0]?.r2).toBeGreaterThan(0.8);
      }),
      { numRuns: 16 },
    );
  });

  it('refuses a penalty that would drown the data', () => {
    const required = { jobDigest: '00', inDim: 7, trainRows: 250 };
    for (const l2 of [-1, Number.NaN, 1024 * 250 + 1]) expect(() => linearOptions(required, { l2 })).toThrow(/l2 is not valid/);
  });

  it('sends the same number of messages whatever the number of rows', async () => {
    const messages = async (rows: number): Promise<number> => {
      const table = jointTable(31, rows, [2, 2]);
      const links = triangle();
      await runLinearFit(table.bank0, table.bank1, linearOptions({ jobDigest: '00', inDim: 4, trainRows: rows - 50 }), links);
      return links.bank0.otherBank.counters.messagesSent;
    };
    expect(await messages(200)).toBe(await messages(3000));
    // The target's unit is told, too.
    expect(await messages(200)).toBe(44 + 4 * 12 + 4 + 2 + 1 + 1 + 1);
  });

  it('refuses a target that is constant or not finite before any message', async () => {
    const table = jointTable(32, 200, [2, 2]);
    for (const target of [new Float64Array(200).fill(3), new Float64Array(200).map((_, i) => (i === 7 ? Number.NaN : i))]) {
      const links = triangle();
      const options = linearOptions({ jobDigest: '00', inDim: 4, trainRows: 160 });
      const input = { columns: table.bank0.columns, labels: { name: 'amount', values: target } };
      await expect(fitLinearBank(links.bank0, options, input, testRandom(1, 0))).rejects.toMatchObject({
        code: 'DT_INPUT_COLUMN',
        details: { column: 'amount' },
      });
      expect(links.bank0.dealer.counters.messagesSent).toBe(0);
    }
  });
});
