import { describe, expect, it } from 'vitest';
import { contributions, type ModelPart } from '../../../src/privacy/regression/model-part.js';
import { type PredictInput, type PredictOptions, predictBank, predictThird } from '../../../src/privacy/regression/predict.js';
import { jointTable } from './joint-table.js';
import { testRandom, triangle } from './three-parties.js';

const table = jointTable(40, 500, [3, 2]);

function part(owner: 'bank0' | 'bank1', names: readonly string[]): ModelPart {
  return {
    owner,
    intercept: owner === 'bank0' ? -0.25 : 0.125,
    clip: 1.5,
    columns: names.map((name, j) => ({ name, weight: j - 0.7, mean: 0.1, deviation: 0.8 })),
  };
}

const parts = [part('bank0', ['a0', 'a2']), part('bank1', ['b1', 'b0'])] as const;
const inputs = [
  { part: parts[0], columns: table.bank0.columns, model: 'fit 1' },
  { part: parts[1], columns: table.bank1.columns, model: 'fit 1' },
] as const;

async function predict(
  options: PredictOptions,
  changes: Partial<PredictOptions> = {},
  inputOf1: Partial<PredictInput> = {},
): Promise<(Float64Array | undefined)[]> {
  const links = triangle();
  return Promise.all([
    predictBank(links.bank0, 0, options, inputs[0], testRandom(undefined, 0)),
    predictBank(links.bank1, 1, { ...options, ...changes }, { ...inputs[1], ...inputOf1 }, testRandom(undefined, 1)),
    predictThird(links.dealer, options),
  ]);
}

describe('joint prediction', () => {
  const expected = contributions(parts[0], table.bank0.columns).map(
    (score, i) => score + (contributions(parts[1], table.bank1.columns)[i] as number),
  );

  it.each([
    ['bank0', 0],
    ['bank1', 1],
    ['dealer', 2],
  ] as const)('gives the scores to %s alone', async (scoresTo, index) => {
    const results = await predict({ jobDigest: '00', scoresTo });
    results.forEach((scores, party) => {
      if (party !== index) expect(scores).toBeUndefined();
    });
    results[index]?.forEach((score, i) => {
      expect(Math.abs(score - (expected[i] as number))).toBeLessThan(2 ** -30);
    });
    expect(results[index]).toHaveLength(500);
  });

  it('clips and standardises as the fit did', () => {
    const columns = { names: ['x'], rows: 3, values: Float64Array.of(2, 100, -100) };
    const model: ModelPart = { owner: 'bank0', intercept: 1, clip: 2, columns: [{ name: 'x', weight: 3, mean: 1, deviation: 2 }] };
    expect([...contributions(model, columns)]).toEqual([1 + 3 * 0.5, 1 + 3 * 2, 1 - 3 * 2]);
  });

  it('names a column that is missing or not finite', async () => {
    const links = triangle();
    const options = { jobDigest: '00', scoresTo: 'bank0' } as const;
    const renamed = { ...table.bank0.columns, names: ['a0', 'a1', 'zz'] };
    await expect(predictBank(links.bank0, 0, options, { ...inputs[0], columns: renamed }, testRandom(1, 0))).rejects.toMatchObject({
      details: { column: 'a2' },
    });
    const holed = {
      ...table.bank0.columns,
      values: table.bank0.columns.values.map((value, i) => (i === 2 ? Number.POSITIVE_INFINITY : value)),
    };
    await expect(predictBank(triangle().bank0, 0, options, { ...inputs[0], columns: holed }, testRandom(1, 0))).rejects.toMatchObject({
      details: { column: 'a2' },
    });
    expect(links.bank0.otherBank.counters.messagesSent).toBe(0);
  });

  it('stops when the parties differ on who gets the scores', async () => {
    await expect(predict({ jobDigest: '00', scoresTo: 'bank0' }, { scoresTo: 'bank1' })).rejects.toMatchObject({
      code: 'DT_PEER_TERMS',
      details: { field: 'scoresTo' },
    });
  });

  it.each([
    ['bring the same part', { part: parts[0], columns: table.bank0.columns }, 'DT_PEER_TERMS', /partOfBank0/],
    ['bring parts of two fits', { model: 'fit 2' }, 'DT_PEER_TERMS', /fit 2/],
    [
      'have different numbers of rows',
      { columns: { ...table.bank1.columns, rows: 499, values: table.bank1.columns.values.subarray(0, 998) } },
      'DT_INPUT_INVALID',
      /500.*499|499.*500/,
    ],
  ])('stops when the banks %s', async (_, change, code, pattern) => {
    const failure = predict({ jobDigest: '00', scoresTo: 'dealer' }, {}, change);
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.toThrow(pattern);
  });

  it('takes the parts the other way round: who is bank 0 is only a number', async () => {
    const links = triangle();
    const options = { jobDigest: '00', scoresTo: 'dealer' } as const;
    const [, , scores] = await Promise.all([
      predictBank(links.bank0, 0, options, inputs[1], testRandom(undefined, 0)),
      predictBank(links.bank1, 1, options, inputs[0], testRandom(undefined, 1)),
      predictThird(links.dealer, options),
    ]);
    scores?.forEach((score, i) => {
      expect(Math.abs(score - (expected[i] as number))).toBeLessThan(2 ** -30);
    });
    expect(scores).toHaveLength(500);
  });
});
