import { describe, expect, it } from 'vitest';
import type { MessageKind } from '../../../src/privacy/message-link.js';
import { fitFixedHessianBank, fitFixedHessianDealer } from '../../../src/privacy/regression/fit-fixed-hessian.js';
import { fixedHessianOptions } from '../../../src/privacy/regression/fixed-hessian.js';
import { RingMemory } from '../../../src/privacy/ring/ring-memory.js';
import { type CellMaker, type JointTable, jointTable, runSgd, smallOptions } from './joint-table.js';
import { chiSquare, chiSquareLimit, Recorder, wordStatistics } from './recording.js';
import { type ArithmeticParty, runArithmetic, testRandom, triangle } from './three-parties.js';

/** What the headers name as public, or as an output. All other kinds must look uniform. */
const openKinds: readonly MessageKind[] = ['terms', 'shape', 'publicKey', 'metrics', 'model', 'done'];

/** Two worlds of the same size: everyday values, and values at the edge of the range with labels that are almost all alike. */
const everyday: CellMaker = (next) => next() + next() - 1;
const extreme: CellMaker = (next, row, column) => (next() < 0.5 ? 8 : column === 0 ? -8 : 7.99) * (row % 50 === 0 ? -1 : 1);

function tables(): [JointTable, JointTable] {
  const [a, b] = [jointTable(50, 1000, [4, 5], everyday), jointTable(51, 1000, [4, 5], extreme)];
  const labels = { name: 'y', values: Float64Array.from({ length: 1000 }, (_, row) => (row % 25 === 3 ? 1 : 0)) };
  return [a, { ...b, bank0: { ...b.bank0, labels } }];
}

function expectUniform(recorder: Recorder): void {
  for (const receiver of ['bank0', 'bank1']) {
    for (const kind of recorder.kindsOf(receiver)) {
      if (openKinds.includes(kind)) continue;
      const bytes = recorder.bytesOf(receiver, [kind]);
      // Expected counts of five and more in every cell of the smallest statistic.
      if (bytes.byteLength < 8 * 256 * 5) continue;
      const { all, top, bottom } = wordStatistics(bytes);
      expect(all, `${receiver} ${kind}`).toBeLessThan(chiSquareLimit);
      expect(top, `${receiver} ${kind}, top bytes`).toBeLessThan(chiSquareLimit);
      expect(bottom, `${receiver} ${kind}, bottom bytes`).toBeLessThan(chiSquareLimit);
    }
  }
}

function shapeOf(recorder: Recorder): string[] {
  // The JSON of terms and models has the same length here but for digits; all else must be equal to the byte.
  const key = (name: string): string[] =>
    recorder.messages
      .filter(({ receiver, kind }) => receiver === name && kind !== 'model')
      .map(({ sender, kind, payload }) => `${sender} ${kind} ${payload.byteLength}`);
  return ['bank0', 'bank1', 'dealer'].map((name) => key(name).join('\n'));
}

describe('what each party receives in the joint fit by gradient steps', () => {
  it('is uniform for two very different inputs, with the same sizes and rounds', async () => {
    const shapes: string[][] = [];
    for (const table of tables()) {
      const recorder = new Recorder();
      await runSgd(table, smallOptions(table, { steps: 200, batchSize: 64, trainRows: 700, evaluateEvery: 20 }), {
        links: triangle({}, recorder.wrap),
      });
      expectUniform(recorder);
      shapes.push(shapeOf(recorder));
      for (const receiver of ['bank0', 'bank1']) {
        const tested = recorder.kindsOf(receiver).filter((kind) => recorder.bytesOf(receiver, [kind]).byteLength >= 8 * 256 * 5);
        expect(tested).toEqual(expect.arrayContaining(['maskedColumns', 'maskedLogits', 'maskedResiduals', 'stepMaterial']));
      }
    }
    expect(shapes[0]).toEqual(shapes[1]);
  });

  it('never shows the same word twice: no mask is used again', async () => {
    const [table] = tables();
    const recorder = new Recorder();
    // The same rows in every batch, and a learning rate so small that nothing moves: any mask used twice would repeat words.
    await runSgd(table, smallOptions(table, { steps: 100, batchSize: 700, trainRows: 700, learningRate: 1e-3 }), {
      links: triangle({}, recorder.wrap),
    });
    for (const receiver of ['bank0', 'bank1']) {
      const bytes = recorder.bytesOf(receiver, [
        'maskedColumns',
        'maskedLogits',
        'maskedResiduals',
        'stepMaterial',
        'blindedScores',
        'shuffledScores',
        'shuffleMaterial',
      ]);
      const words = new BigUint64Array(Uint8Array.from(bytes).buffer);
      expect(new Set(words).size).toBe(words.length);
    }
  });

  it("is uniform also where two senders' words belong together", async () => {
    // What bank 1 and the dealer send for the weights of bank 0 sums to old mask + transpose(X) rho - new mask: the pad is gone,
    // and bank 0 knows X.
    const [batch, columns, terms] = [16, 5, 8];
    for (const table of tables()) {
      const recorder = new Recorder();
      await runSgd(table, smallOptions(table, { steps: 800, batchSize: batch, trainRows: 700 }), { links: triangle({}, recorder.wrap) });
      const wordsOf = (kind: MessageKind): BigUint64Array => new BigUint64Array(Uint8Array.from(recorder.bytesOf('bank0', [kind])).buffer);
      const [residuals, material] = [wordsOf('maskedResiduals'), wordsOf('stepMaterial')];
      const sums = BigUint64Array.from({ length: 800 * columns }, (_, at) => {
        const [step, j] = [Math.floor(at / columns), at % columns];
        const fromBank = residuals[step * (batch + columns) + batch + j] as bigint;
        return fromBank + (material[step * (batch * terms + columns) + batch * terms + j] as bigint);
      });
      const { all, top, bottom } = wordStatistics(new Uint8Array(sums.buffer));
      for (const statistic of [all, top, bottom]) expect(statistic).toBeLessThan(chiSquareLimit);
      expect(new Set(sums).size).toBe(sums.length);
    }
  });

  it('would not pass the test without masks', () => {
    const table = jointTable(50, 1000, [4, 5], everyday);
    const ring = new RingMemory();
    const count = table.bank0.columns.values.length;
    const at = ring.allocate(count);
    ring.doubles(at, count).set(table.bank0.columns.values);
    ring.kernels.encode(at, at, 2 ** 8, count);
    const { all, top } = wordStatistics(ring.bytes(at, 8 * count));
    expect(all).toBeGreaterThan(10 * chiSquareLimit);
    expect(top).toBeGreaterThan(10 * chiSquareLimit);
  });
});

describe('what the dealer receives', () => {
  it('does not depend on the data, apart from the metrics that are an output', async () => {
    const views = await Promise.all(
      tables().map(async (table) => {
        const recorder = new Recorder();
        await runSgd(table, smallOptions(table, { steps: 40, trainRows: 700, evaluateEvery: 10 }), {
          links: triangle({}, recorder.wrap),
          seed: 77,
        });
        return recorder.messages
          .filter(({ receiver, kind }) => receiver === 'dealer' && kind !== 'metrics')
          .map(({ sender, kind, payload }) => [sender, kind, Buffer.from(payload).toString('hex')]);
      }),
    );
    expect(views[0]).toEqual(views[1]);
    expect([...new Set(views[0]?.map(([, kind]) => kind))].sort()).toEqual(['done', 'publicKey', 'shape', 'terms']);
  });
});

describe('what is opened', () => {
  it('is only what the headers name', async () => {
    const [table] = tables();
    const recorder = new Recorder();
    await runSgd(table, smallOptions(table, { steps: 20, trainRows: 700 }), { links: triangle({}, recorder.wrap) });
    const setUp = ['terms', 'shape', 'maskedColumns'];
    const training = ['maskedLogits', 'maskedResiduals'];
    const end = ['model', 'done'];
    const sorted = (kinds: string[]): string[] => [...kinds].sort();
    expect(sorted(recorder.kindsOf('bank0'))).toEqual(
      sorted([...setUp, ...training, 'publicKey', 'stepMaterial', 'shuffledScores', 'shuffleMaterial', ...end]),
    );
    expect(sorted(recorder.kindsOf('bank1'))).toEqual(
      sorted([...setUp, ...training, 'publicKey', 'stepMaterial', 'blindedScores', 'metrics', ...end]),
    );
    expect(sorted(recorder.kindsOf('dealer'))).toEqual(sorted(['terms', 'shape', 'publicKey', 'metrics', 'done']));
  });

  it('shows bank 0 the scores in another order than its rows', async () => {
    const [table] = tables();
    const orders = new Set<string>();
    for (const seed of [1, 2]) {
      const recorder = new Recorder();
      await runSgd(table, smallOptions(table, { steps: 1, trainRows: 700 }), { links: triangle({}, recorder.wrap), seed });
      const [shuffled, correction] = [recorder.bytesOf('bank0', ['shuffledScores']), recorder.bytesOf('bank0', ['shuffleMaterial'])];
      const [a, b] = [new BigUint64Array(Uint8Array.from(shuffled).buffer), new BigUint64Array(Uint8Array.from(correction).buffer)];
      const labels = Array.from(a.subarray(300), (word, i) => Number(BigInt.asUintN(64, word + (b[300 + i] as bigint))));
      const own = Array.from({ length: 300 }, (_, i) => table.bank0.labels.values[700 + i] as number);
      expect([...labels].sort()).toEqual([...own].sort());
      expect(labels).not.toEqual(own);
      orders.add(labels.join(''));
    }
    expect(orders.size).toBe(2);
  });
});

describe('what each party receives in the fixed-Hessian fit', () => {
  it('is uniform for two very different inputs, with the same sizes and rounds', async () => {
    const shapes: string[][] = [];
    for (const [index, table] of tables().entries()) {
      // A column of two values only would be constant in some draw: both worlds vary in every column.
      const recorder = new Recorder();
      const links = triangle({}, recorder.wrap);
      const options = fixedHessianOptions({ jobDigest: '00', inDim: 9, trainRows: 700 }, { steps: 6, evaluateEvery: 1 });
      await Promise.all([
        fitFixedHessianBank(links.bank0, options, table.bank0, testRandom(index, 0)),
        fitFixedHessianBank(links.bank1, options, table.bank1, testRandom(index, 1)),
        fitFixedHessianDealer(links.dealer, options, testRandom(index, 2)),
      ]);
      expectUniform(recorder);
      shapes.push(shapeOf(recorder));
    }
    expect(shapes[0]).toEqual(shapes[1]);
  });
});

describe('what each bank receives in a comparison', () => {
  it('is uniform in every bit that carries something, for all-equal and for random inputs', async () => {
    const count = 4000;
    for (const make of [() => 5n, (i: number) => BigInt.asIntN(64, BigInt(i) * 0x9e3779b97f4a7c15n)]) {
      const recorder = new Recorder();
      await runArithmetic(
        async ({ arithmetic, ring, bank }: ArithmeticParty) => {
          const secret = arithmetic.zero(count, 1);
          if (bank === 0) ring.words(secret.at, count).set(Array.from({ length: count }, (_, i) => make(i)));
          await arithmetic.isNonNegative(secret);
        },
        triangle({}, recorder.wrap),
      );
      for (const receiver of ['bank0', 'bank1']) {
        const openings = recorder.messages
          .filter((message) => message.receiver === receiver && message.kind === 'opening')
          .map(({ payload }) => payload);
        expect(openings.map((payload) => payload.byteLength / count)).toEqual([8, 4, 2, 2, 2, 1]);
        expect(chiSquare(openings[0] as Uint8Array)).toBeLessThan(chiSquareLimit);
        // The folds carry 24, 12, 6 and 3 bits, the last opening one: each bit is a fair coin to six standard deviations.
        [64, 24, 12, 6, 3, 1].forEach((bits, fold) => {
          const payload = openings[fold] as Uint8Array;
          const width = payload.byteLength / count;
          for (let bit = 0; bit < bits; bit++) {
            let ones = 0;
            for (let i = 0; i < count; i++) ones += ((payload[i * width + (bit >> 3)] as number) >> (bit & 7)) & 1;
            expect(Math.abs(ones - count / 2)).toBeLessThan(6 * Math.sqrt(count / 4));
          }
        });
      }
      expect(chiSquare(recorder.bytesOf('bank1', ['material']).subarray(0, 64 * count))).toBeLessThan(chiSquareLimit);
    }
  });
});
