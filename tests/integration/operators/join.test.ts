import { describe, expect, it } from 'vitest';
import { heldOutMetrics } from '../../../src/privacy/regression/metrics.js';
import { contributions } from '../../../src/privacy/regression/model-part.js';
import type { ModelFile } from '../../../src/privacy/vertical/model-file.js';
import { numbers } from '../../unit/privacy/joint-table.js';
import { csv, jointFiles } from './joint-files.js';
import { type JointParty, type JointRun, runJoint } from './run-joint.js';

const rows = 4000;
const files = jointFiles(91, rows, [3, 4]);
const id = (i: number): string => `C${String(i).padStart(6, '0')}`;
/** Customers of each bank: 3,000 of both, 300 of A alone, 700 of B alone. */
const ofA = Array.from({ length: 3300 }, (_, i) => i);
const ofB = [...Array.from({ length: 3000 }, (_, i) => i), ...Array.from({ length: 700 }, (_, i) => 3300 + i)];
const common = 3000;

function shuffled<Value>(list: readonly Value[], seed: number): Value[] {
  const next = numbers(seed);
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j] as Value, order[i] as Value];
  }
  return order;
}

const orderA = shuffled(ofA, 5);
const orderB = shuffled(ofB, 6);
const cells = (table: readonly (readonly string[])[], i: number): readonly string[] => table[i] ?? [];
const tableA = csv(
  ['id', ...files.namesA],
  orderA.map((i) => [id(i), ...cells(files.a, i)]),
);
const tableB = csv(
  [...files.namesB, 'customer'],
  orderB.map((i) => [...cells(files.b, i), ` ${id(i).toLowerCase()} `]),
);
const labelsOf = (order: readonly number[], withId = true): string =>
  csv(
    withId ? ['id', 'y'] : ['y'],
    order.map((i) => (withId ? [id(i), files.labels[i] ?? ''] : [files.labels[i] ?? ''])),
  );

const parties = (label: string, a = tableA, b = tableB): [JointParty, JointParty, JointParty] => [
  { name: 'Bank A', inputs: { 0: { file: 'a.csv', data: a }, 2: { file: 'label.csv', data: label } } },
  { name: 'Bank B', inputs: { 1: { file: 'b.csv', data: b } } },
  { name: 'Fintech C', inputs: {} },
];

type Args = Readonly<Record<string, unknown>>;
const joinOn = { join_on: { 0: 'id', 1: ['customer'], 2: 'id' }, join_normalize: 'fold' };
const model = (changes: Args = {}, options: Args = joinOn): Args => ({
  method: 'fixed_hessian',
  in_dim: 7,
  out_dim: 1,
  lr: null,
  batch_size: null,
  split: 0.8,
  epoch: 15,
  model_to: 'owners',
  options: { evaluate_every: 0, ...options },
  ...changes,
});
const args = (modelArgs: Args): Args => ({
  party_id: 0,
  inputs: {},
  exec_endpoints: { 0: 'a', 1: 'b', 2: 'c' },
  model_args: modelArgs,
  outputs: { metrics: './outputs/metrics.json', model: './outputs/model.json' },
});

interface Metrics {
  readonly auc: number;
  readonly r2: number;
  readonly rows: { readonly all: number; readonly train: number; readonly test: number };
  readonly join?: { readonly rows: number; readonly ids: { readonly own: number; readonly peer: number }; readonly protocol: string };
}
const json = <Value>(run: JointRun | undefined, name: string): Value => JSON.parse(run?.outputs[name] ?? 'null') as Value;
const exits = (runs: readonly JointRun[]): unknown[] => runs.map(({ exit, complaint }) => [exit, complaint]);
const allWell = [0, 1, 2].map(() => [0, '']);

/** Over all common customers, so that models of other training rows can be compared. */
function aucOf(runs: readonly JointRun[]): number {
  const scores = new Float64Array(common);
  [files.a, files.b].forEach((table, bank) => {
    const names = bank === 0 ? files.namesA : files.namesB;
    const values = Float64Array.from(table.slice(0, common).flatMap((row) => row.map(Number)));
    const part = json<ModelFile>(runs[bank], 'model.json').parts[0];
    if (part === undefined) throw new Error('no part');
    contributions(part, { names, rows: common, values }).forEach((score, i) => {
      scores[i] = (scores[i] as number) + score;
    });
  });
  return heldOutMetrics(scores, files.labels.slice(0, common).map(Number)).auc;
}

const aligned = (): [JointParty, JointParty, JointParty] => {
  const both = Array.from({ length: common }, (_, i) => i);
  return parties(
    labelsOf(both, false),
    csv(
      files.namesA,
      both.map((i) => cells(files.a, i)),
    ),
    csv(
      files.namesB,
      both.map((i) => cells(files.b, i)),
    ),
  );
};

describe('a joint fit on files that nobody aligned', () => {
  it('is the fit of the files that somebody had aligned', async () => {
    const before = await runJoint('vertical_lr.mjs', args(model({ split: 2400 }, {})), aligned());
    expect(exits(before)).toEqual(allWell);
    // The label file has an order of its own, and rows of people who are in no other file.
    const label = labelsOf(
      shuffled(
        Array.from({ length: rows }, (_, i) => i),
        7,
      ),
    );
    const runs = await runJoint('vertical_lr.mjs', args(model()), parties(label));
    expect(exits(runs)).toEqual(allWell);
    const metrics = json<Metrics>(runs[0], 'metrics.json');
    expect(metrics.rows).toEqual({ all: common, train: 2400, test: 600 });
    expect(metrics.join).toMatchObject({ rows: common, ids: { own: 3300, peer: 3700 }, protocol: 'kkrt' });
    expect(json<Metrics>(before[0], 'metrics.json').join).toBeUndefined();
    expect(runs.map(({ stdout }) => stdout.split('\n')[0])).toEqual([
      'Bank A brings 3300 ids, Bank B 3700',
      'Bank B brings 3700 ids, Bank A 3300',
      expect.stringMatching(/^AUC at round 14: /),
    ]);
    expect(runs[0]?.stdout).toContain(`\n${common} rows are joined\n`);
    // The dealer's log has the held-out figures, and nothing of the join.
    expect(runs[2]?.stdout).not.toMatch(/ids|join/);
    const [joint, plain] = [aucOf(runs), aucOf(before)];
    expect(plain).toBeGreaterThan(0.85);
    expect(Math.abs(joint - plain)).toBeLessThan(0.002);
    expect(Math.abs(metrics.auc - joint)).toBeLessThan(0.05);
  });

  it('takes the label in the order of the rows where its file has no ids, a number as split, and a seed', async () => {
    const options = { join_on: { 0: ['id'], 1: ['customer'] }, join_normalize: ['fold'], seed: 'x', min_intersection: common };
    const runs = await runJoint('vertical_lr.mjs', args(model({ split: 2500 }, options)), parties(labelsOf(orderA, false)));
    expect(exits(runs)).toEqual(allWell);
    expect(json<Metrics>(runs[0], 'metrics.json').rows).toEqual({ all: common, train: 2500, test: 500 });
    expect(aucOf(runs)).toBeGreaterThan(0.85);
  });

  it('leaves out whom an own file does not know, and takes one name for all', async () => {
    const tableOfB = tableB.replace('customer', 'id');
    const known = labelsOf(
      shuffled(
        orderA.filter((i) => i >= 100),
        8,
      ),
    );
    const runs = await runJoint(
      'vertical_lr.mjs',
      args(model({}, { join_on: 'id', join_normalize: 'fold' })),
      parties(known, tableA, tableOfB),
    );
    expect(exits(runs)).toEqual(allWell);
    expect(runs[0]?.stdout).toMatch(/^100 rows of input 0 have no row in another input here and were left out\nBank A brings 3200 ids/);
    expect(json<Metrics>(runs[0], 'metrics.json').rows.all).toBe(common - 100);
    expect(aucOf(runs)).toBeGreaterThan(0.85);
  });

  it('runs by gradient steps, and with the label among the columns of bank A', async () => {
    const whole = csv(
      ['y', 'id', ...files.namesA],
      orderA.map((i) => [files.labels[i] ?? '', id(i), ...cells(files.a, i)]),
    );
    const [, b, c] = parties('');
    const changes = { method: 'sgd', lr: 0.1, batch_size: 64, epoch: 1001 };
    const runs = await runJoint('vertical_lr.mjs', args(model(changes, { ...joinOn, label: 'y' })), [
      { name: 'Bank A', inputs: { 0: { file: 'a.csv', data: whole } } },
      b,
      c,
    ]);
    expect(exits(runs)).toEqual(allWell);
    expect(aucOf(runs)).toBeGreaterThan(0.85);
  });

  it('fits a number', async () => {
    const target = (i: number): string => (1000 * (Number(files.a[i]?.[0]) - 2 * Number(files.b[i]?.[1])) + 5000).toFixed(2);
    const label = csv(
      ['id', 'y'],
      shuffled(orderA, 9).map((i) => [id(i), target(i)]),
    );
    const runs = await runJoint(
      'vertical_linear.mjs',
      args({ in_dim: 7, split: 0.5, model_to: 'owners', options: joinOn }),
      parties(label),
    );
    expect(exits(runs)).toEqual(allWell);
    expect(json<Metrics>(runs[0], 'metrics.json')).toMatchObject({ rows: { all: common, train: 1500 }, join: { rows: common } });
    expect(json<Metrics>(runs[0], 'metrics.json').r2).toBeGreaterThan(0.999);
  });
});

describe('scores of files that nobody aligned', () => {
  it.each(['0', '1', '2'])('by the rows of the owner that gets them, or in no order: seat %s', async (recipient) => {
    const part = (owner: 'bank0' | 'bank1', names: readonly string[]): string => {
      const columns = names.map((name, j) => ({ name, weight: j + 1, mean: 0, deviation: 1 }));
      const file: ModelFile = {
        format: 'compute-to-data/joint-model',
        version: 1,
        kind: 'linear',
        fit: 'f',
        parts: [{ owner, intercept: 0, clip: 100, columns }],
      };
      return JSON.stringify(file);
    };
    const runs = await runJoint(
      'vertical_predict.mjs',
      {
        ...args({ scores_to: recipient, as: 'score', id: null, options: { join_on: { 0: 'id', 1: 'customer' }, join_normalize: 'fold' } }),
        outputs: { scores: './outputs/scores.csv' },
      },
      [
        { inputs: { 0: { file: 'a.csv', data: tableA }, 2: { file: 'm.json', data: part('bank0', files.namesA) } } },
        { inputs: { 1: { file: 'b.csv', data: tableB }, 3: { file: 'm.json', data: part('bank1', files.namesB) } } },
        { inputs: {} },
      ],
    );
    expect(exits(runs)).toEqual(allWell);
    const sum = (row: readonly string[] | undefined): number => (row ?? []).reduce((total, cell, j) => total + (j + 1) * Number(cell), 0);
    const expected = (i: number): number => sum(files.a[i]) + sum(files.b[i]);
    const found = (runs[Number(recipient)]?.outputs['scores.csv'] ?? '')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number));
    expect(found).toHaveLength(common);
    if (recipient === '2') {
      expect(found.map(([row]) => row)).toEqual(found.map((_, i) => i + 1));
      const sorted = found.map(([, score]) => score ?? 0).sort((x, y) => x - y);
      const wanted = Array.from({ length: common }, (_, i) => expected(i)).sort((x, y) => x - y);
      expect(Math.max(...sorted.map((score, i) => Math.abs(score - (wanted[i] as number))))).toBeLessThan(1e-6);
      return;
    }
    const order = recipient === '0' ? orderA : orderB;
    const rowsInBoth = order.flatMap((i, row) => (i < common ? [row + 1] : []));
    expect(found.map(([row]) => row)).toEqual(rowsInBoth);
    for (const [row = 0, score = 0] of found) expect(Math.abs(score - expected(order[row - 1] as number))).toBeLessThan(1e-6);
  });
});

describe('what cannot be joined ends the fit everywhere, before it begins', () => {
  const label = labelsOf(orderA);
  const tooFew = /^DT_PSI_TOO_FEW: .*fewer ids in common than the 3220 that one of them demands/;
  const cases: [string, Args, JointParty[], readonly [RegExp, RegExp, RegExp]][] = [
    [
      'too few rows for the split',
      model({ split: 3200 }),
      parties(label),
      [tooFew, tooFew, /^DT_PEER_ABORTED: .*fewer ids in common than the 3220/],
    ],
    [
      'a smallest intersection that is not met',
      model({}, { ...joinOn, min_intersection: 3001 }),
      parties(label),
      [/^DT_PSI_TOO_FEW: .*3001/, /^DT_PSI_TOO_FEW: .*3001/, /^DT_PEER_ABORTED: .*3001/],
    ],
    [
      'repeated ids',
      model(),
      parties(label, tableA, `${tableB}${tableB.split('\n')[1]}\n`),
      [/^DT_PEER_ABORTED: .*ids cannot be joined/, /^DT_PSI_DUPLICATE: 1 rows repeat.*row 3701.*row 1\./, /^DT_PEER_ABORTED/],
    ],
    [
      'repeated ids in the label file',
      model(),
      parties(`${label}${id(0)},1\n`),
      [/^DT_PSI_DUPLICATE: .*row 3301/, /^DT_PEER_ABORTED: .*Bank A/, /^DT_PEER_ABORTED/],
    ],
    [
      'a missing id column',
      model({}, { ...joinOn, join_on: { 0: 'id', 1: 'ident' } }),
      parties(labelsOf(orderA, false)),
      [/^DT_PEER_ABORTED: .*ident/, /^DT_INPUT_COLUMN: Column ident/, /^DT_PEER_ABORTED: .*ident/],
    ],
    [
      'a side without id columns',
      model({}, { join_on: 'id' }),
      parties(label),
      [/^DT_PEER_ABORTED/, /^DT_INPUT_INVALID: model_args\.join_on .*input 1/, /^DT_PEER_ABORTED: .*join_on/],
    ],
    [
      'a label file of another length without ids',
      model({}, { ...joinOn, join_on: { 0: 'id', 1: 'customer' } }),
      parties(labelsOf(orderA.slice(1), false)),
      [/^DT_INPUT_INVALID: .*input 2, which has no id column, has 3299/, /^DT_PEER_ABORTED/, /^DT_PEER_ABORTED/],
    ],
    [
      'a fraction without a join',
      model({}, {}),
      parties(label),
      [/^DT_INPUT_INVALID: model_args\.split /, /^DT_INPUT_INVALID: model_args\.split /, /^DT_INPUT_INVALID: model_args\.split /],
    ],
    [
      'rules of a join that there is none of',
      model({ split: 2000 }, { join_normalize: 'fold' }),
      parties(label),
      [/^DT_INPUT_INVALID: model_args\.join_normalize /, /^DT_INPUT_INVALID/, /^DT_INPUT_INVALID/],
    ],
  ];

  it.each(cases)('%s', async (_, modelArgs, who, patterns) => {
    const runs = await runJoint('vertical_lr.mjs', args(modelArgs), who);
    expect(runs.map(({ exit, outputs }) => [exit, outputs])).toEqual([0, 1, 2].map(() => [1, {}]));
    patterns.forEach((pattern, i) => {
      expect(runs[i]?.complaint).toMatch(pattern);
      expect(runs[i]?.stdout).not.toMatch(/common|joined\n/);
      expect(`${runs[i]?.stdout}${runs[i]?.stderr}`).not.toMatch(/\b3000\b/);
    });
  });

  it('sides that disagree on the rules of the join', async () => {
    const [a, b, c] = parties(label);
    const other = { ...b, args: args(model({}, { ...joinOn, join_normalize: 'none' })) };
    const runs = await runJoint('vertical_lr.mjs', args(model()), [a, other, c]);
    for (const { exit, complaint } of runs) {
      expect(exit).toBe(1);
      expect(complaint).toMatch(/normalization/);
    }
  });
});
