import { describe, expect, it } from 'vitest';
import type { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { memoryChannelPair } from '../../../src/privacy/memory-channel.js';
import type { ModelPart } from '../../../src/privacy/regression/model-part.js';
import { meterRounds } from '../../../src/privacy/round-meter.js';
import { linearFit, logisticFit } from '../../../src/privacy/vertical/fit-arguments.js';
import { modelFile, parseModelFile, partFor } from '../../../src/privacy/vertical/model-file.js';
import { type InputPlan, joinTables, type PlannedTable, planInputs, type TableChoice } from '../../../src/privacy/vertical/table-choice.js';
import { dataSeats, verticalRoles } from '../../../src/privacy/vertical/vertical-roles.js';

const seat = (number: string, ...inputs: string[]): { seat: string; inputs: string[] } => ({ seat: number, inputs });
const original = [seat('0', '0', '2'), seat('1', '1'), seat('2')];
const plain = [seat('0', '0'), seat('1', '1'), seat('2')];
const six = { in_dim: 72, out_dim: 1, lr: 0.01, batch_size: 256, split: 40_000, epoch: 10_001 };

describe('who does what', () => {
  it.each([
    ['the original: who brings two inputs has the label', original, undefined, ['0', '1', '2']],
    ['the same at another seat', [seat('0'), seat('1', '1'), seat('2', '0', '2')], undefined, ['2', '1', '0']],
    ['one input each: the first', plain, undefined, ['0', '1', '2']],
    ['the input with the label is named', plain, '1', ['1', '0', '2']],
  ])('%s', (_, seats, labelInput, [bank0, bank1, dealer]) => {
    expect(verticalRoles(seats, labelInput)).toEqual({ bank0, bank1, dealer });
  });

  it.each([
    ['no helper', [seat('0', '0'), seat('1', '1')], undefined, /2 seats bring inputs and 0 bring none/],
    ['three owners', [seat('0', '0'), seat('1', '1'), seat('2', '2'), seat('3')], undefined, /3 seats bring inputs/],
    ['a label that no one brings', plain, '7', /no one brings input 7/],
    ['two with several inputs', [seat('0', '0', '1'), seat('1', '2', '3'), seat('2')], undefined, /label_input/],
  ])('%s is refused', (_, seats, labelInput, pattern) => {
    expect(() => verticalRoles(seats, labelInput)).toThrow(pattern);
  });

  it('numbers the owners by seat for a prediction', () => {
    expect(dataSeats([seat('0'), seat('1', '3'), seat('2', '0', '1')])).toEqual({ banks: ['1', '2'], third: '0' });
  });
});

describe('model_args', () => {
  it('of the original are those of its fit', () => {
    const { method, options, roles } = logisticFit(six, original, 'ab');
    expect([method, roles.bank0]).toEqual(['sgd', '0']);
    expect(options).toMatchObject({
      inDim: 72,
      trainRows: 40_000,
      steps: 10_001,
      batchSize: 256,
      learningRate: 0.01,
      reduction: 'mean',
      rowOrder: 'given',
      evaluateEvery: 1000,
      modelTo: 'owners',
      jobDigest: 'ab',
    });
  });

  it('take options in an object of their own, null for what is not given', () => {
    const args = {
      ...six,
      method: 'sgd',
      model_to: '2',
      options: { seed: 's', reduction: 'sum', clip: 4, evaluate_every: 0, label: null },
    };
    const { options, choice } = logisticFit(args, original, 'ab');
    expect(options).toMatchObject({ rowOrder: 'seeded', rowSeed: 's', reduction: 'sum', clip: 4, evaluateEvery: 0, modelTo: 'dealer' });
    expect(choice.label).toBeUndefined();
    expect(logisticFit({ ...six, options: null }, original, 'ab').options).toEqual(logisticFit(six, original, 'ab').options);
  });

  it('of a fixed-Hessian fit and of a linear one', () => {
    const fixed = logisticFit({ method: 'fixed_hessian', in_dim: 9, split: 100, epoch: 12, lr: null, model_to: '0' }, original, 'ab');
    expect(fixed.options).toMatchObject({ inDim: 9, trainRows: 100, steps: 12, modelTo: 'bank0', evaluateEvery: 0 });
    expect(linearFit({ in_dim: 9, split: 100, options: { intercept: false } }, original, 'ab').options).toMatchObject({ intercept: false });
  });

  const refused: [string, unknown, RegExp][] = [
    ['no object', [1], /model_args is not valid: it is no object/],
    ['an unknown option', { ...six, momentum: 1 }, /model_args\.momentum is not valid: there is no such option/],
    ['an unknown option inside of options', { ...six, options: { Seed: '1' } }, /model_args\.Seed/],
    ['an option in both places', { ...six, seed: '1', options: { seed: '1' } }, /options\.seed/],
    ['options that are no object', { ...six, options: 'x' }, /model_args\.options/],
    ['a number as text', { ...six, lr: '0.01' }, /model_args\.lr is not valid: it must be a number/],
    ['what is missing', { ...six, epoch: null }, /model_args\.epoch is not valid: it is missing/],
    ['half a step', { ...six, epoch: 1.5 }, /model_args\.epoch/],
    ['two outputs', { ...six, out_dim: 2 }, /model_args\.out_dim/],
    ['a batch larger than the training rows', { ...six, split: 200 }, /model_args\.batch_size/],
    ['too few rows for the columns', { ...six, batch_size: 8, split: 100 }, /model_args\.split is not valid: 100 rows are too few/],
    ['a negative learning rate', { ...six, lr: -1 }, /model_args\.lr/],
    ['a period that is no power of two', { ...six, period: 60 }, /model_args\.period/],
    ['an unknown method', { ...six, method: 'newton' }, /one of sgd, fixed_hessian/],
    ['a learning rate for a fixed Hessian', { ...six, method: 'fixed_hessian' }, /model_args\.lr/],
    ['a clip of nothing', { ...six, clip: 0 }, /model_args\.clip/],
    ['a recipient who is not there', { ...six, model_to: '3' }, /"owners" or a seat: 0, 1, 2/],
    ['features that are no lists', { ...six, features: ['a'] }, /model_args\.features/],
  ];
  it.each(refused)('%s is refused, by its name', (_, args, pattern) => {
    const failure = (): unknown => logisticFit(args, original, 'ab');
    expect(failure).toThrow(pattern);
    expect(failure).toThrow(expect.objectContaining({ code: 'DT_INPUT_INVALID' }) as ToolkitError);
  });
});

describe('which columns are read', () => {
  const choice = (changes: Partial<TableChoice> = {}): TableChoice => ({
    label: undefined,
    labelInput: undefined,
    id: [],
    features: new Map(),
    ...changes,
  });

  it.each([
    [
      'the original',
      choice(),
      ['0', '2'],
      true,
      [
        { input: '0', label: false },
        { input: '2', label: true },
      ],
    ],
    [
      'the label at the highest number, whatever the order',
      choice(),
      ['10', '9'],
      true,
      [
        { input: '10', label: true },
        { input: '9', label: false },
      ],
    ],
    ['without a label', choice({ id: ['id'] }), ['1'], false, [{ input: '1', without: ['id'], label: false }]],
    ['label and features in one file', choice({ label: 'y', id: ['id'] }), ['0'], true, [{ input: '0', without: ['id'], label: 'y' }]],
    [
      'named features in one file',
      choice({ label: 'y', features: new Map([['0', ['b', 'a']]]) }),
      ['0'],
      true,
      [{ input: '0', columns: ['b', 'a', 'y'], label: 'y' }],
    ],
    [
      'a label by name in a file of its own',
      choice({ label: 'y', id: ['id'] }),
      ['0', '2'],
      true,
      [
        { input: '0', without: ['id'], label: false },
        { input: '2', columns: ['y'], label: 'y' },
      ],
    ],
    [
      'a label in the first of two files',
      choice({ label: 'y', labelInput: '0', features: new Map([['0', ['a']]]) }),
      ['0', '2'],
      true,
      [
        { input: '0', columns: ['a', 'y'], label: 'y' },
        { input: '2', label: false },
      ],
    ],
  ] as [string, TableChoice, string[], boolean, InputPlan[]][])('%s', (_, given, inputs, hasLabel, plan) => {
    expect(planInputs(given, inputs, hasLabel)).toEqual(plan);
  });

  it('a label without a name in the only file is refused', () => {
    expect(() => planInputs(choice(), ['0'], true)).toThrow(/model_args\.label is not valid: it is needed/);
  });

  const table = (plan: InputPlan, names: string[], rows: number[][]): PlannedTable => ({
    plan,
    names,
    rows: rows.length,
    values: Float64Array.from(rows.flat()),
  });
  const features = table(
    { input: '0', label: false },
    ['a', 'b'],
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  );
  const label = table({ input: '2', label: true }, ['y'], [[0], [1], [1]]);

  it('inputs stand side by side, the label apart', () => {
    const more = table(
      { input: '3', label: 't' },
      ['c', 't', 'd'],
      [
        [7, 0, 70],
        [8, 1, 80],
        [9, 0, 90],
      ],
    );
    const joined = joinTables([features, more], 2, 10);
    expect(joined.columns.names).toEqual(['a', 'b', 'c', 'd']);
    expect([...joined.columns.values]).toEqual([1, 2, 7, 70, 3, 4, 8, 80, 5, 6, 9, 90]);
    expect(joined.labels).toEqual({ name: 't', values: Float64Array.of(0, 1, 0) });
    const simple = joinTables([features, label], 2, 3);
    expect(simple.columns.values).toBe(features.values);
    expect(simple.labels).toEqual({ name: 'y', values: Float64Array.of(0, 1, 1) });
    expect(joinTables([features], 2, 3).labels).toBeUndefined();
  });

  it.each([
    ['rows that differ', [features, table({ input: '2', label: true }, ['y'], [[0], [1]])], 2, 3, /input 0 has 3 rows and input 2 has 2/],
    ['nothing left to test on', [features, label], 3, 3, /model_args\.split is not valid: it is 3, and there are 3 rows/],
    ['all columns here', [features, label], 2, 2, /in_dim is not valid: it is 2 for both parties/],
    ['no feature', [label], 2, 3, /they hold no feature/],
    [
      'a label file with two columns',
      [
        table(
          { input: '2', label: true },
          ['y', 'z'],
          [
            [0, 1],
            [1, 1],
            [1, 0],
          ],
        ),
      ],
      2,
      3,
      /has 2 columns/,
    ],
    ['a label that is not there', [table({ input: '0', label: 'q' }, ['a'], [[0], [1], [2]])], 2, 3, /Column q/],
  ])('%s is refused', (_, tables, split, inDim, pattern) => {
    expect(() => joinTables(tables, split, inDim)).toThrow(pattern);
  });
});

describe('a model file', () => {
  const part = (owner: ModelPart['owner'], ...names: string[]): ModelPart => ({
    owner,
    intercept: 0.5,
    clip: 8,
    columns: names.map((name) => ({ name, weight: 1, mean: 0, deviation: 2 })),
  });
  const whole = modelFile('logistic', 'ab', [part('bank0', 'x', 'y'), part('bank1', 'z')]);

  it('comes back as it was written', () => {
    expect(parseModelFile(JSON.stringify(whole), 'm')).toEqual(whole);
  });

  it('gives the part that fits a table', () => {
    expect(partFor(whole, ['id', 'y', 'x'], 'm').owner).toBe('bank0');
    expect(partFor(whole, ['z'], 'm').owner).toBe('bank1');
    expect(() => partFor(whole, ['x', 'y', 'z'], 'm')).toThrow(/2 of its 2 parts/);
    expect(() => partFor(whole, ['q'], 'm')).toThrow(/0 of its 2 parts/);
  });

  const spoil = (change: (file: Record<string, unknown>) => void): string => {
    const copy = JSON.parse(JSON.stringify(whole)) as Record<string, unknown>;
    change(copy);
    return JSON.stringify(copy);
  };
  it.each([
    ['no JSON', '{', /cannot be parsed/],
    ['something else', '{"format":"x"}', /no model of a joint fit/],
    ['another version', spoil((file) => Object.assign(file, { version: 2 })), /version 2/],
    ['no fit', spoil((file) => Object.assign(file, { fit: '' })), /does not name the fit/],
    ['no parts', spoil((file) => Object.assign(file, { parts: [] })), /parts are not readable/],
    ['a weight that is no number', spoil((file) => Object.assign(file, { parts: [{ ...part('bank0', 'x'), intercept: null }] })), /parts/],
    ['a deviation of zero', JSON.stringify(whole).replaceAll('"deviation":2', '"deviation":0'), /parts/],
  ])('%s is refused', (_, text, pattern) => {
    expect(() => parseModelFile(text, 'Input 3')).toThrow(pattern);
  });
});

it('a round is a wait after something was said', async () => {
  const [left, right] = memoryChannelPair();
  const metered = meterRounds(left);
  const bytes = Uint8Array.of(1);
  for (let i = 0; i < 3; i++) {
    await right.send(bytes);
    await metered.receive();
  }
  expect(metered.rounds).toBe(0);
  for (let i = 0; i < 3; i++) {
    await metered.send(bytes);
    await metered.send(bytes);
    await right.send(bytes);
    await right.send(bytes);
    await metered.receive();
    await metered.receive();
  }
  expect(metered.rounds).toBe(3);
  expect(metered.counters.messagesSent).toBe(6);
});
