import { describe, expect, it } from 'vitest';
import { heldOutMetrics } from '../../../src/privacy/regression/metrics.js';
import type { ModelFile } from '../../../src/privacy/vertical/model-file.js';
import { numbers } from '../../unit/privacy/joint-table.js';
import { csv, type JointFiles, jointFiles, originalParties, wholeParties } from './joint-files.js';
import { type JointParty, type JointRun, runJoint } from './run-joint.js';

const [rows, split] = [700, 600];
const files = jointFiles(90, rows, [3, 4]);
const endpoints = { 0: '127.0.0.1:8911', 1: '127.0.0.1:8912', 2: '127.0.0.1:8913' };

/** What rtt_params.json of the original allows, and no more. */
const originalArgs = {
  party_id: 0,
  inputs: { 0: './inputs/org1_feature.csv', 1: './inputs/org2_feature.csv', 2: './inputs/org1_label.csv' },
  exec_endpoints: endpoints,
  model_args: { in_dim: 7, out_dim: 1, lr: 0.1, batch_size: 32, split, epoch: 2001 },
  outputs: { 0: './outputs/rtt_log.txt' } as Record<string, string>,
};

/** What vertical_lr_params.json asks for. */
const richArgs = {
  party_id: 0,
  inputs: { 0: './inputs/bank_a.csv', 1: './inputs/bank_b.csv' },
  exec_endpoints: endpoints,
  model_args: {
    method: 'fixed_hessian',
    in_dim: 7,
    out_dim: 1,
    lr: null,
    batch_size: null,
    split,
    epoch: 15,
    model_to: 'owners',
    options: { label: 'y', id: 'id', features: { 0: files.namesA }, seed: 'demo', evaluate_every: 5 },
  },
  outputs: { metrics: './outputs/metrics.json', model: './outputs/parts/model.json', 1: './outputs/b.log', 2: './outputs/c.log' },
};

const json = <Value>(run: JointRun | undefined, name: string): Value => JSON.parse(run?.outputs[name] ?? 'null') as Value;
const exits = (runs: readonly JointRun[]): unknown[] => runs.map(({ exit, complaint }) => [exit, complaint]);
const allWell = [0, 1, 2].map(() => [0, '']);

interface Metrics {
  readonly auc: number;
  readonly ks: number;
  readonly accuracy: number;
  readonly loss: number;
  readonly r2: number;
  readonly rmse: number;
  readonly curve: readonly { readonly round: number; readonly auc: number }[];
  readonly rounds: number;
  readonly train_ms: number;
  readonly links: Readonly<Record<string, { name: string; bytes_sent: number; bytes_received: number; messages_sent: number }>>;
}

describe('the joint risk model, one process for each party', () => {
  it('runs with the arguments of the original and writes its log, and nothing else', async () => {
    const runs = await runJoint('vertical_lr.mjs', originalArgs, originalParties(files));
    expect(exits(runs)).toEqual(allWell);
    expect(runs.map(({ outputs }) => Object.keys(outputs))).toEqual([['rtt_log.txt'], [], []]);
    const lines = (runs[0]?.outputs['rtt_log.txt'] ?? '').trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/0\.\d+$/, 'x'))).toEqual([
      'AUC at round 0: x',
      'AUC at round 1000: x',
      'AUC at round 2000: x',
    ]);
    expect(Number(lines[2]?.split(': ')[1])).toBeGreaterThan(0.85);
    for (const { stdout } of runs) expect(stdout).toBe(`${lines.join('\n')}\n`);
  });

  it('takes label and features from one file, leaves out text, and reports', async () => {
    const runs = await runJoint('vertical_lr.mjs', richArgs, wholeParties(files));
    expect(exits(runs)).toEqual(allWell);
    expect(runs.map(({ outputs }) => Object.keys(outputs).sort())).toEqual([
      ['metrics.json', 'parts/model.json'],
      ['b.log', 'parts/model.json'],
      ['c.log'],
    ]);
    const metrics = json<Metrics>(runs[0], 'metrics.json');
    expect(metrics).toMatchObject({
      method: 'fixed_hessian',
      rows: { all: rows, train: split, test: rows - split },
      features: { all: 7, own: 3 },
      steps: 15,
    });
    expect(metrics.curve.map(({ round }) => round)).toEqual([0, 5, 10, 14]);
    expect(metrics.curve.at(-1)?.auc).toBe(metrics.auc);
    expect(metrics.auc).toBeGreaterThan(0.85);
    expect(Object.keys(metrics.links)).toEqual(['1', '2']);
    expect(metrics.links['1']?.name).toBe('Bank B');
    expect(metrics.links['2']?.bytes_sent).toBeLessThan(2000);
    // Set-up 42, 5 a step, scoring and the last words.
    expect(metrics.rounds).toBeGreaterThan(42 + 15 * 5);
    expect(metrics.rounds).toBeLessThan(42 + 15 * 5 + 20);
    expect(runs[2]?.outputs['c.log']).toBe(runs[0]?.stdout);
  });

  it.each([
    ['2', 'score'],
    ['0', 'probability'],
    ['1', 'score'],
  ])('scores rows with the parts that its owners kept, for seat %s alone', async (recipient, as) => {
    const parties = wholeParties(files);
    const named = { ...richArgs, outputs: { metrics: './outputs/metrics.json', model: './outputs/model.json' } };
    const fit = await runJoint(
      'vertical_lr.mjs',
      { ...named, model_args: { ...named.model_args, options: { ...named.model_args.options, seed: null } } },
      parties,
    );
    expect(exits(fit)).toEqual(allWell);
    const [partA, partB] = fit.map(({ outputs }) => outputs['model.json'] ?? '');
    const [a, b] = parties;
    const runs = await runJoint(
      'vertical_predict.mjs',
      {
        party_id: 0,
        inputs: {},
        exec_endpoints: endpoints,
        model_args: { scores_to: recipient, as, id: null },
        outputs: { scores: './outputs/scores.csv', [recipient]: './outputs/log.txt' },
      },
      [
        { ...a, inputs: { ...a.inputs, 2: { file: 'model.json', data: partA ?? '' } } },
        { ...b, inputs: { ...b.inputs, 3: { file: 'part.json', data: partB ?? '' } } },
        { inputs: {} },
      ],
      'cd'.repeat(32),
    );
    expect(exits(runs)).toEqual(allWell);
    runs.forEach(({ outputs }, seat) => {
      expect(Object.keys(outputs).sort()).toEqual(String(seat) === recipient ? ['log.txt', 'scores.csv'] : []);
    });
    const lines = (runs[Number(recipient)]?.outputs['scores.csv'] ?? '').trimEnd().split('\n');
    expect(lines[0]).toBe('row,score');
    expect(lines).toHaveLength(rows + 1);
    const scores = Float64Array.from(lines.slice(1), (line) => Number(line.split(',')[1]));
    if (as === 'probability') expect(scores.every((score) => score > 0 && score < 1)).toBe(true);
    const test = { scores: scores.subarray(split), labels: files.labels.slice(split).map(Number) };
    const metrics = json<Metrics>(fit[0], 'metrics.json');
    const found = heldOutMetrics(test.scores, test.labels);
    expect(Math.abs(found.auc - metrics.auc)).toBeLessThan(0.001);
    expect(Math.abs(found.ks - metrics.ks)).toBeLessThan(0.03);
    if (as === 'score') expect(Math.abs(found.loss - metrics.loss)).toBeLessThan(0.002);
  });

  it('gives the whole model to the seat that is named', async () => {
    const args = {
      ...originalArgs,
      model_args: { ...originalArgs.model_args, epoch: 50, model_to: '2' },
      outputs: { model: './outputs/model.json' },
    };
    const runs = await runJoint('vertical_lr.mjs', args, originalParties(files));
    expect(runs.map(({ outputs }) => Object.keys(outputs))).toEqual([[], [], ['model.json']]);
    const model = json<ModelFile>(runs[2], 'model.json');
    expect(model).toMatchObject({ kind: 'logistic', fit: 'ab'.repeat(32) });
    expect(model.parts.map(({ owner, columns }) => [owner, columns.map(({ name }) => name)])).toEqual([
      ['bank0', files.namesA],
      ['bank1', files.namesB],
    ]);
  });

  it('fits a linear model of a number', async () => {
    const target = files.a.map((row, i) => (1000 * (Number(row[0]) - 2 * Number(files.b[i]?.[1])) + 5000).toFixed(2));
    const parties = originalParties({ ...files, labels: target });
    const args = {
      ...originalArgs,
      model_args: { in_dim: 7, split, model_to: 'owners', options: null },
      outputs: { metrics: './outputs/metrics.json', model: './outputs/model.json' },
    };
    const runs = await runJoint('vertical_linear.mjs', args, parties);
    expect(exits(runs)).toEqual(allWell);
    const metrics = json<Metrics>(runs[0], 'metrics.json');
    expect(metrics.r2).toBeGreaterThan(0.999);
    expect(metrics.rmse).toBeLessThan(20);
    const [a, b] = [json<ModelFile>(runs[0], 'model.json'), json<ModelFile>(runs[1], 'model.json')];
    const slope = (model: ModelFile, j: number): number => {
      const column = model.parts[0]?.columns[j];
      return (column?.weight ?? 0) / (column?.deviation ?? 1);
    };
    expect(Math.abs(slope(a, 0) - 1000)).toBeLessThan(10);
    expect(Math.abs(slope(b, 1) + 2000)).toBeLessThan(10);
    expect(Math.abs(slope(b, 0))).toBeLessThan(10);
  });
});

describe('at the size of the original', () => {
  it('50,000 x 72, batches of 256: no party needs 300 MB', async () => {
    const next = numbers(7);
    const half = (width: number, from: number) => {
      const names = Array.from({ length: width }, (_, j) => `x${from + j}`);
      const signal = new Float64Array(50_000);
      const lines = [names.join(',')];
      for (let i = 0; i < 50_000; i++) {
        const row: string[] = [];
        for (let j = 0; j < width; j++) {
          const value = Math.round((next() - 0.5) * 3.4e4) / 1e4;
          signal[i] = (signal[i] as number) + value * Math.sin(from + j + 1) * 0.4;
          row.push(String(value));
        }
        lines.push(row.join(','));
      }
      return { text: `${lines.join('\n')}\n`, signal };
    };
    const [a, b] = [half(30, 0), half(42, 30)];
    const label = `y\n${Array.from(a.signal, (value, i) => (value + (b.signal[i] as number) + next() - 0.5 > 0 ? '1' : '0')).join('\n')}\n`;
    const args = { ...originalArgs, model_args: { in_dim: 72, out_dim: 1, lr: 0.01, batch_size: 256, split: 40_000, epoch: 1001 } };
    const runs = await runJoint('vertical_lr.mjs', args, [
      { inputs: { 0: { file: 'org1_feature.csv', data: a.text }, 2: { file: 'org1_label.csv', data: label } } },
      { inputs: { 1: { file: 'org2_feature.csv', data: b.text } } },
      { inputs: {} },
    ]);
    expect(exits(runs)).toEqual(allWell);
    expect(runs[0]?.stdout).toMatch(/^AUC at round 0: 0\.\d+\nAUC at round 1000: 0\.9\d+\n$/);
    for (const { peakMiB } of runs) expect(peakMiB).toBeLessThan(300);
  }, 300_000);
});

describe('what cannot be used ends the job everywhere, with its name and before any message', () => {
  const changed = (change: (files: JointFiles) => void): JointFiles => {
    const copy = structuredClone(files);
    change(copy);
    return copy;
  };
  const cell = (table: 'a' | 'b', row: number, column: number, text: string): JointFiles =>
    changed((copy) => {
      (copy[table][row] as string[])[column] = text;
    });
  const model = (changes: Record<string, unknown>): Record<string, unknown> => ({ model_args: { ...originalArgs.model_args, ...changes } });

  const cases: [string, JointFiles, Record<string, unknown>, number, RegExp][] = [
    ['NaN', cell('a', 6, 1, 'NaN'), {}, 0, /^DT_INPUT_COLUMN: Column a1 .*row 7 \(line 8 of org1_feature\.csv\) is NaN/],
    ['infinity', cell('b', 0, 3, '-inf'), {}, 1, /^DT_INPUT_COLUMN: Column b3 .*row 1 .*is infinite/],
    ['an empty cell', cell('b', 699, 0, ''), {}, 1, /^DT_INPUT_COLUMN: Column b0 .*row 700 .*is empty/],
    ['text', cell('a', 3, 2, 'n/a'), {}, 0, /^DT_INPUT_COLUMN: Column a2 .*row 4 .*is no number/],
    [
      'a constant column',
      changed(({ b }) => void b.map((row) => row.splice(2, 1, '1.5'))),
      {},
      1,
      /^DT_INPUT_COLUMN: Column b2 .*constant/,
    ],
    [
      'labels that are not 0 or 1',
      changed(({ labels }) => labels.splice(10, 1, '2')),
      {},
      0,
      /^DT_INPUT_COLUMN: Column y .*row 11 is neither/,
    ],
    ['one class only', changed(({ labels }) => labels.fill('0')), {}, 0, /^DT_INPUT_COLUMN: Column y .*one class only/],
    [
      'a value out of range where such are refused',
      cell('b', 20, 1, '9.5'),
      model({ out_of_range: 'refuse' }),
      1,
      /^DT_INPUT_COLUMN: Column b1 .*row 21 is outside of \+-8/,
    ],
    ['too few rows', files, model({ split: 20, batch_size: 4 }), 0, /^DT_INPUT_INVALID: model_args\.split .*20 rows are too few/],
    ['a split at the end', files, model({ split: rows }), 0, /^DT_INPUT_INVALID: model_args\.split .*some must be left/],
    ['a split that leaves too few', files, model({ split: rows - 5 }), 0, /leave 5 .*at least 20/],
    ['rows that differ within a party', changed(({ labels }) => labels.pop()), {}, 0, /input 0 has 700 rows and input 2 has 699/],
    ['in_dim that one party exceeds', files, model({ in_dim: 4 }), 1, /^DT_INPUT_INVALID: model_args\.in_dim/],
    ['an unknown option', files, model({ momentum: 0.9 }), 0, /^DT_INPUT_INVALID: model_args\.momentum .*no such option/],
    ['an unknown output', files, { outputs: { report: './outputs/x' } }, 0, /^DT_INPUT_INVALID: outputs\.report/],
    ['an output elsewhere', files, { outputs: { 0: '../x' } }, 0, /^DT_INPUT_INVALID: outputs\.0/],
    ['two outputs with one path', files, { outputs: { 0: './outputs/x', metrics: 'outputs/x' } }, 0, /^DT_INPUT_INVALID: outputs\.metrics/],
  ];

  it.each(cases)('%s', async (_, data, changes, guilty, pattern) => {
    const runs = await runJoint('vertical_lr.mjs', { ...originalArgs, ...changes }, originalParties(data));
    expect(runs.map(({ exit }) => exit)).toEqual([1, 1, 1]);
    expect(runs[guilty]?.complaint).toMatch(pattern);
    const told = (runs[guilty]?.complaint ?? '').replace(/^DT_\w+: /, '');
    for (const run of runs) {
      // Each is told why, by the party that found it or, where the arguments are wrong, finds it itself.
      expect(run.complaint).toContain(told);
      expect(run.outputs).toEqual({});
      expect(run.stdout).toBe('');
    }
  });

  it('row counts that differ between the parties, and in_dim that fits neither, are named by all', async () => {
    const parties = originalParties(files);
    const short: JointParty = { name: 'Bank B', inputs: { 1: { file: 'b.csv', data: csv(files.namesB, files.b.slice(0, 650)) } } };
    const runs = await runJoint('vertical_lr.mjs', originalArgs, [parties[0], short, parties[2]]);
    for (const { exit, complaint } of runs) {
      expect(exit).toBe(1);
      expect(complaint).toMatch(/700 rows.*650|650 rows.*700/);
    }
    const wide = await runJoint('vertical_lr.mjs', { ...originalArgs, ...model({ in_dim: 9 }) }, parties);
    for (const { exit, complaint } of wide) {
      expect(exit).toBe(1);
      expect(complaint).toMatch(/in_dim.*it is 9, but the banks have 3 and 4/);
    }
  });

  it('arguments that differ are named with both values', async () => {
    const [a, b, c] = originalParties(files);
    const other = { ...originalArgs, ...model({ lr: 0.2 }) };
    const runs = await runJoint('vertical_lr.mjs', originalArgs, [a, { ...b, args: other }, c]);
    for (const { exit } of runs) expect(exit).toBe(1);
    expect(
      runs.some(({ complaint }) => /^DT_PEER_TERMS: .*learningRate.*0\.1.*0\.2|^DT_PEER_TERMS: .*learningRate.*0\.2.*0\.1/.test(complaint)),
    ).toBe(true);
  });

  it.each([
    ['a part of another fit', (model: ModelFile) => ({ ...model, fit: 'other' }), /model.*other/],
    [
      'the part of the other owner',
      (model: ModelFile) => ({ ...model, parts: model.parts.map((part) => ({ ...part, owner: 'bank0' })) }),
      /partOfBank0/,
    ],
    [
      'a part whose columns are not there',
      (model: ModelFile) => ({ ...model, parts: model.parts.map((part) => ({ ...part, columns: [{ ...part.columns[0], name: 'zz' }] })) }),
      /Column zz/,
    ],
    ['no model', () => ({}), /no model of a joint fit/],
  ])('%s is refused by a prediction', async (_, change, pattern) => {
    const part = (owner: 'bank0' | 'bank1', names: readonly string[]): ModelFile => ({
      format: 'compute-to-data/joint-model',
      version: 1,
      kind: 'logistic',
      fit: 'f',
      parts: [{ owner, intercept: 0, clip: 8, columns: names.map((name) => ({ name, weight: 1, mean: 0, deviation: 1 })) }],
    });
    const [a, b, c] = wholeParties(files);
    const args = {
      inputs: {},
      exec_endpoints: endpoints,
      model_args: { scores_to: '2', as: 'score', id: null },
      outputs: { scores: './outputs/scores.csv' },
    };
    const runs = await runJoint('vertical_predict.mjs', args, [
      { ...a, inputs: { ...a.inputs, 2: { file: 'm.json', data: JSON.stringify(part('bank0', files.namesA)) } } },
      { ...b, inputs: { ...b.inputs, 3: { file: 'm.json', data: JSON.stringify(change(part('bank1', files.namesB))) } } },
      c,
    ]);
    expect(runs.map(({ exit, outputs }) => [exit, outputs])).toEqual([0, 1, 2].map(() => [1, {}]));
    for (const { complaint } of runs) expect(complaint).toMatch(pattern);
  });
});
