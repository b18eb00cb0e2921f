import { describe, expect, it } from 'vitest';
import { contributions, type ModelPart } from '../../../src/privacy/regression/model-part.js';
import { type PredictOptions, predictBank, predictThird } from '../../../src/privacy/regression/predict.js';
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

async function predict(options: PredictOptions, changes: Partial<PredictOptions> = {}): Promise<(Float64Array | undefined)[]> {
  const links = triangle();
  return Promise.all([
    predictBank(links.bank0, 0, options, { part: parts[0], columns: table.bank0.columns }, testRandom(undefined, 0)),
    predictBank(links.bank1, 1, { ...options, ...changes }, { part: parts[1], columns: table.bank1.columns }, testRandom(undefined, 1)),
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
    const results = await predict({ jobDigest: '00', rows: 500, scoresTo });
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

  it('names a column that is missing or not finite, and a part of someone else', async () => {
    const links = triangle();
    const options = { jobDigest: '00', rows: 500, scoresTo: 'bank0' } as const;
    const renamed = { ...table.bank0.columns, names: ['a0', 'a1', 'zz'] };
    await expect(predictBank(links.bank0, 0, options, { part: parts[0], columns: renamed }, testRandom(1, 0))).rejects.toMatchObject({
      details: { column: 'a2' },
    });
    const holed = {
      ...table.bank0.columns,
      values: table.bank0.columns.values.map((value, i) => (i === 2 ? Number.POSITIVE_INFINITY : value)),
    };
    await expect(predictBank(triangle().bank0, 0, options, { part: parts[0], columns: holed }, testRandom(1, 0))).rejects.toMatchObject({
      details: { column: 'a2' },
    });
    await expect(
      predictBank(triangle().bank0, 0, options, { part: parts[1], columns: table.bank0.columns }, testRandom(1, 0)),
    ).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
    expect(links.bank0.otherBank.counters.messagesSent).toBe(0);
  });

  it('stops when the parties differ on who gets the scores', async () => {
    await expect(predict({ jobDigest: '00', rows: 500, scoresTo: 'bank0' }, { scoresTo: 'bank1' })).rejects.toMatchObject({
      code: 'DT_PEER_TERMS',
      details: { field: 'scoresTo' },
    });
  });
});
