import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateParameters } from '../../../src/constraints/evaluate.js';
import type { JsonObject } from '../../../src/documents/canonical.js';
import { type JointParty, type JointRun, runJoint } from './run-joint.js';

const vectors = resolve(import.meta.dirname, '../../vectors/psi');
const endpoints = { 0: 'Bank A', 1: 'Bank B' };
const outputs = { 0: './outputs/a.csv', 1: './outputs/b.csv', metrics: './outputs/metrics.json', log: './outputs/log.txt' };

type Args = Readonly<Record<string, unknown>>;
const psiArgs = (modelArgs: Args = {}, changes: Args = {}): Args => ({
  party_id: 0,
  inputs: {},
  exec_endpoints: endpoints,
  model_args: { columns: 'id', ...modelArgs },
  outputs,
  ...changes,
});

const party = (number: 0 | 1, data: string, file = number === 0 ? 'a.csv' : 'b.csv'): JointParty => ({
  name: number === 0 ? 'Bank A' : 'Bank B',
  inputs: { [number]: { file, data } },
});

const run = (a: string, b: string, modelArgs: Args = {}, changes: Args = {}): Promise<readonly JointRun[]> =>
  runJoint('psi.mjs', psiArgs(modelArgs, changes), [party(0, a), party(1, b)]);

const column = (ids: readonly unknown[], name = 'id'): string => `${name}\n${ids.join('\n')}${ids.length > 0 ? '\n' : ''}`;
const exits = (runs: readonly JointRun[]): unknown[] => runs.map(({ exit, complaint }) => [exit, complaint]);
const well = [
  [0, ''],
  [0, ''],
];

interface Report {
  readonly result: string;
  readonly protocol: string;
  readonly reason: string;
  readonly ids: { readonly own: number; readonly peer: number };
  readonly size: number | null;
  readonly duplicates_dropped?: number;
  readonly seconds: number;
  readonly phases_ms: Readonly<Record<string, number>>;
  readonly bytes_sent: number;
  readonly bytes_received: number;
}
const reports = (runs: readonly JointRun[]): readonly Report[] =>
  runs.map((one) => JSON.parse(one.outputs['metrics.json'] ?? 'null') as Report);

/** Both sides' rows, when all went well. */
async function rowsOf(a: string, b: string, modelArgs: Args = {}): Promise<readonly [string, string]> {
  const runs = await run(a, b, modelArgs);
  expect(exits(runs)).toEqual(well);
  return [runs[0]?.outputs['a.csv'] ?? '', runs[1]?.outputs['b.csv'] ?? ''];
}

describe('the cases of PETPlatform', () => {
  it.each(['kkrt', 'ecdh'])('breast cancer tables by id, %s: all 569 rows, as they stand in the files', async (protocol) => {
    const [a, b] = ['server', 'client'].map((side) => readFileSync(`${vectors}/breast_hetero_mini_${side}.csv`, 'utf8'));
    const runs = await run(a ?? '', b ?? '', { columns: { 0: 'id', 1: 'id' }, protocol });
    expect(exits(runs)).toEqual(well);
    const withEnd = (text: string): string => `${text.replaceAll('\r\n', '\n').trimEnd()}\n`;
    expect(withEnd(runs[0]?.outputs['a.csv'] ?? '')).toBe(withEnd(a ?? ''));
    expect(withEnd(runs[1]?.outputs['b.csv'] ?? '')).toBe(withEnd(b ?? ''));
    const ids = (runs[0]?.outputs['a.csv'] ?? '')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => Number(line.split(',')[0]));
    expect(ids.reduce((sum, id) => sum + id, 0)).toBe(161_596);
    for (const report of reports(runs))
      expect(report).toMatchObject({ protocol, reason: 'demanded by the job', size: 569, ids: { own: 569, peer: 569 } });
  });

  it('the request of the peer, in the words of this one', async () => {
    const { mission_params: mission } = JSON.parse(readFileSync(join(vectors, 'psi@1.json'), 'utf8')) as {
      mission_params: Record<'party_a' | 'party_b', { column_name: string; inputs: { data: string }; outputs: { data: string } }>;
    };
    const { party_a: a, party_b: b } = mission;
    const data = (path: string) => ({ path: join(vectors, path.replace('data/', '')) });
    const file = (path: string): string => path.replace('data/', '');
    const args = {
      party_id: 0,
      inputs: { 0: `./inputs/${file(a.inputs.data)}`, 1: `./inputs/${file(b.inputs.data)}` },
      exec_endpoints: endpoints,
      model_args: { columns: { 0: a.column_name, 1: b.column_name } },
      outputs: { 0: `./outputs/a/${a.outputs.data}`, 1: `./outputs/b/${b.outputs.data}` },
    };
    const runs = await runJoint('psi.mjs', args, [
      { name: 'party_a', inputs: { 0: { file: file(a.inputs.data), data: data(a.inputs.data) } } },
      { name: 'party_b', inputs: { 1: { file: file(b.inputs.data), data: data(b.inputs.data) } } },
    ]);
    expect(exits(runs)).toEqual(well);
    for (const [i, name] of ['a/data/psi_result.csv', 'b/data/psi_result.csv'].entries())
      expect(runs[i]?.outputs[name]?.trimEnd().split('\n')).toHaveLength(570);
  });

  it('digits 0 to 9 with 5 to 14', async () => {
    const digits = (from: number): string => column(Array.from({ length: 10 }, (_, i) => from + i));
    const runs = await run(digits(0), digits(5));
    expect(exits(runs)).toEqual(well);
    for (const [i, name] of ['a.csv', 'b.csv'].entries()) expect(runs[i]?.outputs[name]).toBe(column([5, 6, 7, 8, 9]));
    for (const { outputs: written, stdout } of runs) {
      expect(Object.keys(written).sort()).toHaveLength(3);
      expect(written['log.txt']).toBe(stdout);
      expect(stdout).toMatch(
        /^Bank [AB] brings 10 ids, Bank [AB] 10\njoined by \w+: 10 and 10 ids: about \d+ ms against \d+ ms with \w+\n5 of them in common\n$/,
      );
    }
  });

  it.each(['kkrt', 'ecdh'])('one-sided: {1,2,3} with {2,3}, only party 0 learns, %s', async (protocol) => {
    const { 1: _, ...named } = outputs;
    const runs = await run(column([1, 2, 3]), column([2, 3]), { result: 'one', to: '0', protocol }, { outputs: named });
    expect(exits(runs)).toEqual(well);
    expect(runs[0]?.outputs['a.csv']).toBe(column([2, 3]));
    expect(Object.keys(runs[1]?.outputs ?? {}).sort()).toEqual(['log.txt', 'metrics.json']);
    expect(reports(runs).map(({ size }) => size)).toEqual([2, null]);
    expect(runs[1]?.stdout).not.toMatch(/common/);
  });

  it('the number alone: 50 with 50, 5 in common', async () => {
    const a = column(Array.from({ length: 50 }, (_, i) => `x${i}`));
    const b = column(Array.from({ length: 50 }, (_, i) => `x${i + 45}`));
    const named = { metrics: outputs.metrics };
    const cardinality = (model: Args): Promise<readonly JointRun[]> =>
      runJoint('psi_cardinality.mjs', psiArgs(model, { outputs: named }), [party(0, a), party(1, b)]);
    const both = await cardinality({});
    expect(exits(both)).toEqual(well);
    expect(both.map(({ outputs: written }) => Object.keys(written))).toEqual([['metrics.json'], ['metrics.json']]);
    expect(reports(both).map(({ size, protocol }) => [size, protocol])).toEqual([
      [5, 'ecdh'],
      [5, 'ecdh'],
    ]);
    const seats = { exec_endpoints: { ...endpoints, 2: 'Fintech C' } };
    const helped = await runJoint('psi_cardinality.mjs', psiArgs({ protocol: 'kkrt' }, { outputs: named, ...seats }), [
      party(0, a),
      party(1, b),
      { name: 'Fintech C', inputs: {} },
    ]);
    expect(exits(helped)).toEqual([...well, [0, '']]);
    expect(helped.map(({ outputs: written }) => Object.keys(written))).toEqual([['metrics.json'], ['metrics.json'], []]);
    expect(reports(helped.slice(0, 2)).map(({ size, protocol }) => [size, protocol])).toEqual([
      [5, 'kkrt'],
      [5, 'kkrt'],
    ]);
    expect(helped[0]?.stdout).toContain('joined by kkrt, with random numbers of Fintech C: demanded by the job\n');
    const one = await cardinality({ to: '1' });
    expect(reports(one).map(({ size }) => size)).toEqual([null, 5]);
    const same = await run(a, b, { result: 'cardinality' }, { outputs: named });
    expect(reports(same).map(({ size }) => size)).toEqual([5, 5]);
  });
});

describe('what is common', () => {
  it('aligned: row i of both files is the same customer', async () => {
    const a = `id,age\n${Array.from({ length: 300 }, (_, i) => `c${(i * 7) % 300},${i}`).join('\n')}\n`;
    const b = `income,id\n${Array.from({ length: 200 }, (_, i) => `${i * 10},c${(i * 11 + 150) % 400}`).join('\n')}\n`;
    const [rowsA, rowsB] = await rowsOf(a, b, { result: 'aligned' });
    const idsA = rowsA
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[0]);
    const idsB = rowsB
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[1]);
    expect(idsA).toEqual(idsB);
    const inA = new Set(
      a
        .split('\n')
        .slice(1)
        .map((line) => line.split(',')[0]),
    );
    const common = b
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[1] ?? '')
      .filter((id) => inA.has(id));
    expect(common.length).toBeGreaterThan(50);
    expect([...idsA].sort()).toEqual([...common].sort());
    expect(idsA).not.toEqual([...idsA].sort());
    // The rows themselves are those of the files.
    for (const line of rowsA.trim().split('\n').slice(1)) expect(a).toContain(`\n${line}\n`);
  });

  it('ids of any script, quoted fields byte for byte, Windows line ends', async () => {
    const a = 'name,id\r\n"Doe, ""Jane""",Zoë\r\nplain,李雷\r\n"two\r\nlines",😀\r\n,Ω';
    const b = 'id\nΩ\n"李雷"\n😀\nZoe\n';
    const [rowsA, rowsB] = await rowsOf(a, b);
    expect(rowsA).toBe('name,id\r\nplain,李雷\r\n"two\r\nlines",😀\r\n,Ω\r\n');
    expect(rowsB).toBe('id\nΩ\n"李雷"\n😀\n');
  });

  it('two columns together, with a rule for each', async () => {
    const a = 'first,last,v\nAnn, SMITH ,1\nAnn,Smithe,2\nBo,Li,3\n';
    const b = 'surname,w,given\nsmith,10,Ann\nLI,20,Bo\nli,30,bo\n';
    const [rowsA, rowsB] = await rowsOf(a, b, { columns: { 0: ['first', 'last'], 1: ['given', 'surname'] }, normalize: ['none', 'fold'] });
    expect(rowsA).toBe('first,last,v\nAnn, SMITH ,1\nBo,Li,3\n');
    expect(rowsB).toBe('surname,w,given\nsmith,10,Ann\nLI,20,Bo\n');
  });

  it.each([
    ['mail', ['Ann@Example.com ', 'bo@x.org'], ['ann@example.com', 'BO@X.ORG', 'c@d'], 2],
    ['phone:49', ['0171 / 234-5678', '+49 30 1234'], ['+49 171 2345678', '0049301234', '030999'], 2],
    ['none', ['Ann@Example.com', '7'], ['ann@example.com', '07', '7'], 1],
  ])('%s', async (rule, a, b, size) => {
    const runs = await run(column(a), column(b), { normalize: rule });
    expect(exits(runs)).toEqual(well);
    expect(reports(runs).map((report) => report.size)).toEqual([size, size]);
    expect(runs[0]?.outputs['a.csv']).toBe(column(a.slice(a.length - size)));
  });

  it('nothing: no row, and a file without rows', async () => {
    expect(await rowsOf(column([1, 2]), column([3]))).toEqual([column([]), column([])]);
    expect(await rowsOf(column([1, 2]), 'id\n')).toEqual([column([]), column([])]);
  });

  it('without padding showing how many there are', async () => {
    const runs = await run(column([1, 2, 3, 3]), column([2, 3, 4]), { pad_to: { 0: 100 }, duplicates: 'keep-first' });
    expect(exits(runs)).toEqual(well);
    expect(reports(runs).map(({ ids, size }) => [ids, size])).toEqual([
      [{ own: 100, peer: 3 }, 2],
      [{ own: 3, peer: 100 }, 2],
    ]);
    for (const { outputs: written } of runs)
      expect(`${written['log.txt']}${written['metrics.json']}`).not.toMatch(/\b4 ids|duplicates_dropped": 1/);
    expect(runs[0]?.stdout).toMatch(/some rows here repeat/);
  });

  it('of repeated ids the first, said aloud, where that was chosen', async () => {
    const runs = await run('id,v\n1,a\n2,b\n1,c\n1,d\n', 'id,w\n1,x\n3,y\n', { duplicates: 'keep-first' });
    expect(exits(runs)).toEqual(well);
    expect(runs[0]?.outputs['a.csv']).toBe('id,v\n1,a\n');
    expect(runs[0]?.stdout).toContain('2 rows here repeat the id of an earlier row and were left out\n');
    expect(reports(runs).map((report) => report.duplicates_dropped)).toEqual([2, 0]);
  });

  it('is nothing to a helper, who learns no size', async () => {
    const args = psiArgs({}, { exec_endpoints: { ...endpoints, 2: 'Fintech C' } });
    const runs = await runJoint('psi.mjs', args, [party(0, column([1, 2])), party(1, column([2, 3])), { name: 'Fintech C', inputs: {} }]);
    expect(exits(runs)).toEqual([...well, [0, '']]);
    expect(runs[0]?.outputs['a.csv']).toBe(column([2]));
    expect([runs[2]?.outputs, runs[2]?.stdout]).toEqual([{}, '']);
  });

  it('only what is named is written', async () => {
    const runs = await run(column([1]), column([1]), {}, { outputs: {} });
    expect(exits(runs)).toEqual(well);
    expect(runs.map(({ outputs: written }) => written)).toEqual([{}, {}]);
  });
});

describe('what cannot be joined ends both sides, by name', () => {
  const [a, b] = [column([1, 2, 3]), column([2, 3, 4])];
  const both = (pattern: RegExp): readonly [RegExp, RegExp] => [pattern, pattern];

  it.each([
    [
      'a missing column',
      () => run(a, column([2, 3], 'ident')),
      [/^DT_PEER_ABORTED: .*Column id .*b\.csv/, /^DT_INPUT_COLUMN: Column id .*among the 1 columns of b\.csv/],
    ],
    [
      'repeated ids',
      () => run(column([1, 2, 1, 2]), b),
      [/^DT_PSI_DUPLICATE: 2 rows repeat.*row 3.*repeats row 1/, /^DT_PEER_ABORTED: .*Bank A.*ids cannot be joined/],
    ],
    [
      'an empty id',
      () => run(column([1, 2]), 'id,v\n2,x\n,y\n'),
      [/^DT_PEER_ABORTED: .*Bank B.*ids cannot be joined/, /^DT_PSI_ID: The id in row 2, column 1 .*empty/],
    ],
    [
      'no mail address',
      () => run(column(['x@y', 'nobody']), column(['x@y']), { normalize: 'mail' }),
      [/^DT_PSI_ID: .*row 2.*no mail address/, /^DT_PEER_ABORTED/],
    ],
    ['an empty file', () => run('', b), [/^DT_DATASET_INVALID: .*a\.csv.*empty/, /^DT_PEER_ABORTED: .*a\.csv.*empty/]],
    ['a broken file', () => run(a, 'id,v\n1,"x\n'), [/^DT_PEER_ABORTED/, /^DT_DATASET_INVALID: .*b\.csv.*quote/]],
    ['too few in common', () => run(a, b, { min_intersection: 3 }), both(/^DT_PSI_TOO_FEW: .*fewer ids in common than the 3 /)],
    [
      'more ids than declared',
      () => run(a, b, { pad_to: { 1: 2 } }),
      [/^DT_PEER_ABORTED: .*Bank B.*ids cannot be joined/, /^DT_PSI_SIZE: /],
    ],
    ['columns of a wrong type', () => run(a, b, { columns: { 0: 7 } }), both(/^DT_INPUT_INVALID: model_args\.columns /)],
    ['columns of one input only', () => run(a, b, { columns: { 0: 'id' } }), both(/^DT_INPUT_INVALID: model_args\.columns .*input 1/)],
    [
      'keys of different width',
      () => run(a, b, { columns: { 0: ['id', 'x'], 1: 'id' } }),
      both(/^DT_INPUT_INVALID: model_args\.columns .*equally many/),
    ],
    ['an unknown rule', () => run(a, b, { normalize: 'lower' }), both(/^DT_INPUT_INVALID: .*normalization.*"lower"/)],
    ['an unknown result', () => run(a, b, { result: 'union' }), both(/^DT_INPUT_INVALID: model_args\.result /)],
    ['one side without saying which', () => run(a, b, { result: 'one' }), both(/^DT_INPUT_INVALID: .*say which/)],
    ['an unknown seat', () => run(a, b, { result: 'one', to: '2' }), both(/^DT_INPUT_INVALID: model_args\.to /)],
    ['rows where none are learned', () => run(a, b, { result: 'one', to: '1' }), both(/^DT_INPUT_INVALID: outputs\.0 .*does not learn/)],
    ['an unknown option', () => run(a, b, { join: 1 }), both(/^DT_INPUT_INVALID: model_args\.join .*no such option/)],
    [
      'kkrt for a number alone',
      () => run(a, b, { result: 'cardinality', protocol: 'kkrt' }, { outputs: {} }),
      both(/^DT_INPUT_INVALID: .*protocol of the join/),
    ],
  ])('%s', async (_, start, patterns) => {
    const runs = await start();
    patterns.forEach((pattern, i) => {
      expect([runs[i]?.exit, runs[i]?.outputs]).toEqual([1, {}]);
      expect(runs[i]?.complaint).toMatch(pattern);
    });
  });

  it('sides that disagree on the normalization, with both values', async () => {
    const other = { ...party(1, b), args: psiArgs({ normalize: 'fold' }) };
    const runs = await runJoint('psi.mjs', psiArgs(), [party(0, a), other]);
    for (const { exit, complaint, outputs: written } of runs) {
      expect([exit, written]).toEqual([1, {}]);
      expect(complaint).toMatch(/^DT_PEER_(TERMS|ABORTED): .*normalization.*(none.*fold|fold.*none)/);
    }
    expect(runs.some(({ complaint }) => complaint.startsWith('DT_PEER_TERMS'))).toBe(true);
  });

  it('too few in common says nothing of how many, to anyone', async () => {
    const runs = await run(column(Array.from({ length: 100 }, (_, i) => i)), column(Array.from({ length: 100 }, (_, i) => i + 63)), {
      min_intersection: 50,
    });
    for (const { exit, stdout, stderr, outputs: written } of runs) {
      expect([exit, written]).toEqual([1, {}]);
      expect(`${stdout}${stderr}`).not.toMatch(/37|13/);
    }
  });

  it('a peer that stops', async () => {
    const runs = await runJoint('psi.mjs', psiArgs(), [
      party(0, a),
      { name: 'Bank B', inputs: { 1: { file: 'b.csv', data: b } }, args: 'nothing' },
    ]);
    expect(runs.map(({ exit, outputs: written }) => [exit, written])).toEqual([
      [1, {}],
      [1, {}],
    ]);
    expect(runs[0]?.complaint).toMatch(/^DT_PEER_\w+: .*Bank B/);
  });
});

describe('what an owner demands in the constraint of its token', () => {
  const template = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../samples/op/psi_params.json'), 'utf8')) as JsonObject;
  const open = { party_id: 0, inputs: {}, exec_endpoints: {}, outputs: {} };
  const demanded = (minimum: JsonObject): JsonObject => ({
    ...open,
    model_args: {
      columns: 'id',
      normalize: {},
      result: 'both',
      to: {},
      duplicates: 'refuse',
      min_intersection: { $match: minimum },
      pad_to: {},
      protocol: { $match: { enum: ['kkrt', 'ecdh'] } },
    },
  });
  const demand = demanded({ type: 'integer', minimum: 100 });
  const offer = {
    columns: 'id',
    normalize: 'none',
    result: 'both',
    to: null,
    pad_to: null,
    duplicates: 'refuse',
    min_intersection: 100,
    protocol: 'kkrt',
  };
  const site = { of: 'the leaf', by: 'the algorithm', pointer: '' };
  /** Keys that fail, of the arguments against the owner's demand and against the operator's template. */
  const failed = (modelArgs: JsonObject, of = demand): readonly string[] => {
    const args = { ...open, inputs: { 0: 'a' }, exec_endpoints: { 0: 'x' }, outputs: { 0: 'o' }, model_args: modelArgs };
    const clauses = [...evaluateParameters(of, args, site, true), ...evaluateParameters(template, args, site, true)];
    return [...new Set(clauses.filter(({ passed }) => !passed).map(({ pointer }) => pointer.split('/').at(-1) ?? ''))];
  };

  it('fits the template of the operator', () => {
    const refused = (minimum: JsonObject): readonly string[] =>
      evaluateParameters(template, demanded(minimum), site, false).flatMap(({ passed, pointer }) => (passed ? [] : [pointer]));
    expect(refused({ type: 'integer', minimum: 100 })).toEqual([]);
    // Without its type it would also let null pass, which is no number at all.
    expect(refused({ minimum: 100 })).toEqual(['/model_args/min_intersection']);
    const [clause] = evaluateParameters(template, demanded({ minimum: 100 }), site, false).filter(({ passed }) => !passed);
    expect(clause?.wouldPass).toBe(
      'a $match that is provably within {"minimum":0,"type":"integer"}; without "type": "integer" it also lets other types pass, as null',
    );
  });

  it.each([
    ['all of it', {}, []],
    ['more than demanded', { min_intersection: 5000 }, []],
    ['a smaller intersection', { min_intersection: 99 }, ['min_intersection']],
    ['none', { min_intersection: null }, ['min_intersection']],
    ['repeated ids', { duplicates: 'keep-first' }, ['duplicates']],
    ['a protocol by size', { protocol: 'auto' }, ['protocol']],
  ])('%s', (_, changes, pointers) => {
    expect(failed({ ...offer, ...changes })).toEqual(pointers);
    expect(failed({ ...offer, ...changes }, demanded({ minimum: 100 }))).toEqual(pointers);
  });

  it('leaving the demand out is a failure too', () => {
    const { min_intersection: _, ...without } = offer;
    expect(failed(without)).not.toEqual([]);
  });
});
