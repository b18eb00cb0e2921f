import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCredit } from '../../../samples/generate-credit.mjs';
import { splitForJoint } from '../../../samples/split-for-joint.mjs';
import { checkTree } from '../../../src/constraints/check-tree.js';
import { checkArguments, resolveSteps } from '../../../src/constraints/resolve-steps.js';
import { openDataset } from '../../../src/datasets/open-dataset.js';
import type { Json, JsonObject } from '../../../src/documents/canonical.js';
import { buildDdo, type Ddo, parseAssetAttributes, parseDdo } from '../../../src/documents/ddo/ddo.js';
import { parseAddress, type TokenId, tokenIdOf } from '../../../src/documents/ids.js';
import { buildOperator, type OperatorDocument, parseOperatorAttributes, runtimeOf } from '../../../src/documents/operator/operator.js';
import { runJoint } from '../../integration/operators/run-joint.js';
import { runOperator, sharedFile } from '../../integration/operators/run-operator.js';

const repository = resolve(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const creator = parseAddress(`0x${'ab'.repeat(20)}`);
const published = new Date(0);
const tokens: Readonly<Record<string, TokenId>> = Object.fromEntries(
  ['vertical-lr', 'scorecard', 'profile', 'bank-a', 'bank-a-features', 'bank-a-label', 'bank-b-features', 'joint', 'alone'].map(
    (name, i) => [name, tokenIdOf(String(i + 1).repeat(64))],
  ),
);
const token = (name: string): TokenId => tokens[name] ?? tokenIdOf('');
const withTokens = (text: string): Json => JSON.parse(text.replaceAll(/"@([\w-]+)"/g, (_, name: string) => `"${token(name)}"`)) as Json;

const asset = (id: TokenId, attributes: Json): Ddo =>
  parseDdo(JSON.parse(JSON.stringify(buildDdo(parseAssetAttributes(attributes), id, creator, published))));
const sample = (name: string, file: string): Ddo => asset(token(name), withTokens(read(`samples/ddo/${file}`)));

function operator(id: TokenId, attributesFile: string, params?: JsonObject): OperatorDocument {
  const attributes = parseOperatorAttributes(JSON.parse(read(attributesFile)));
  const content = { metadata: attributes.metadata, runtime: runtimeOf(attributes), operation: read(attributes.operation) };
  return buildOperator({ ...content, params: params ?? (JSON.parse(read(attributes.params)) as JsonObject) }, id, creator, published);
}

function verdict(algorithm: Ddo, leaves: readonly Ddo[], operators: ReadonlyMap<TokenId, OperatorDocument>) {
  const documents = new Map([...leaves, algorithm].map((ddo) => [ddo.dt, ddo]));
  const { steps, problems } = resolveSteps(algorithm, documents);
  const clauses = [
    ...problems,
    ...checkTree(algorithm.dt, documents, operators),
    ...steps.flatMap((step) => checkArguments(step, operators)),
  ];
  return { steps, failed: clauses.filter(({ passed }) => !passed), passed: clauses.filter(({ passed }) => passed).length };
}

/** The arguments of the seats: all the same but for party_id. */
const argumentsOf = (steps: readonly { readonly arguments: JsonObject }[]): JsonObject => steps[0]?.arguments ?? {};

const operators = new Map([
  [token('vertical-lr'), operator(token('vertical-lr'), 'samples/op/vertical_lr_attr.json')],
  [token('scorecard'), operator(token('scorecard'), 'samples/op/scorecard_attr.json')],
  [token('profile'), operator(token('profile'), 'samples/op/profile_attr.json')],
]);
const leaves = [
  sample('bank-a-features', 'joint/bank_a_features_attr.json'),
  sample('bank-a-label', 'joint/bank_a_label_attr.json'),
  sample('bank-b-features', 'joint/bank_b_features_attr.json'),
];
const algorithmText = read('samples/ddo/joint/algorithm_attr.json');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-joint-ddo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the attribute files of the joint model', () => {
  it('fit together: every clause of every level passes, and the operator is a joint one', () => {
    const { failed, passed } = verdict(asset(token('joint'), withTokens(algorithmText)), leaves, operators);
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(50);
    expect(operators.get(token('vertical-lr'))?.joint).toBe(true);
    const alone = asset(token('alone'), withTokens(read('samples/ddo/joint/alone_attr.json')));
    expect(verdict(alone, [sample('bank-a', 'bank_a_attr.json')], operators).failed).toEqual([]);
  });

  it.each([
    ['a model for someone else', '"model_to": "owners"', '"model_to": "2"', '/model_args/model_to'],
    ['fewer rows than the owners want', '"split": 7000', '"split": 100', '/model_args/split'],
    ['an option that they do not know', '"evaluate_every": 5', '"clip": 2', '/model_args/options'],
    ['another file', './inputs/bank_a_label.csv', './inputs/other.csv', '/inputs/2'],
    ['an output that they do not allow', '"metrics": "', '"rows": "', '/outputs'],
    ['a parameter left open', '"in_dim": 16', '"in_dim": {}', '/model_args/in_dim'],
    ['another method', '"fixed_hessian"', '"newton"', '/model_args/method'],
  ])('%s is refused', (_, from, to, where) => {
    expect(algorithmText).toContain(from);
    const { failed } = verdict(asset(token('joint'), withTokens(algorithmText.replaceAll(from, to))), leaves, operators);
    expect(failed.map(({ pointer }) => pointer).some((pointer) => pointer.endsWith(where))).toBe(true);
  });

  it('describe the files that are made, and give a joint AUC well above that of bank A alone on the same rows', async () => {
    const { bankA } = generateCredit({ folder });
    const made = splitForJoint({ folder });
    const files: Readonly<Record<string, string>> = {
      'bank_a_features.csv': made.featuresA,
      'bank_a_label.csv': made.labelA,
      'bank_b_features.csv': made.featuresB,
    };
    for (const { services } of leaves)
      for (const { attributes } of services) {
        const { columns, rows } = await (await openDataset(files[String(attributes['path']).replace('./inputs/', '')] ?? '')).describe();
        expect(attributes['columns']).toEqual(columns);
        expect(attributes['shape']).toEqual([rows, columns.length]);
      }
    const input = (file: string) => ({ file, data: { path: files[file] ?? '' } });
    const { steps } = verdict(asset(token('joint'), withTokens(algorithmText)), leaves, operators);
    const runs = await runJoint('vertical_lr.mjs', argumentsOf(steps), [
      { name: 'Bank A', inputs: { 0: input('bank_a_features.csv'), 2: input('bank_a_label.csv') } },
      { name: 'Bank B', inputs: { 1: input('bank_b_features.csv') } },
      { name: 'Fintech C', inputs: {} },
    ]);
    expect(runs.map(({ exit, complaint }) => [exit, complaint])).toEqual([0, 1, 2].map(() => [0, '']));
    expect(runs.map(({ outputs }) => Object.keys(outputs).sort())).toEqual([
      ['joint_log.txt', 'metrics.json', 'model.json'],
      ['model.json'],
      [],
    ]);
    const joint = JSON.parse(runs[0]?.outputs['metrics.json'] ?? '') as { auc: number; rows: { test: number } };

    const alone = asset(token('alone'), withTokens(read('samples/ddo/joint/alone_attr.json')));
    const own = verdict(alone, [sample('bank-a', 'bank_a_attr.json')], operators).steps[0]?.arguments ?? {};
    const scorecard = await runOperator('scorecard.mjs', own, { 'bank_a.csv': { path: bankA } });
    const { evaluation } = JSON.parse(scorecard.outputs['scorecard.json'] ?? '') as { evaluation: { auc: number; rows: number } };
    expect(evaluation.rows).toBe(joint.rows.test);
    expect(evaluation.auc).toBeGreaterThan(0.7);
    expect(joint.auc).toBeGreaterThan(evaluation.auc + 0.05);
  });
});

describe('cutting files for the joint model', () => {
  const cut = (a: string, b: string) => {
    const target = mkdtempSync(join(folder, 'cut-'));
    writeFileSync(join(target, 'bank_a.csv'), a);
    writeFileSync(join(target, 'bank_b.csv'), b);
    return splitForJoint({ folder: target });
  };

  it('keeps rows in their order, and numbers only', () => {
    const files = cut('\ufeffid,y,n,t,m\r\n"a,1",0,1.5,"x ""y""",1\r\n\r\nb,1,-2e3,z,\r\n', 'id,p,q\n1,2,"3"\n4,5,6');
    expect(readFileSync(files.featuresA, 'utf8')).toBe('n\n1.5\n-2e3\n');
    expect(readFileSync(files.labelA, 'utf8')).toBe('y\n0\n1\n');
    expect(readFileSync(files.featuresB, 'utf8')).toBe('p\n2\n5\n');
    expect([files.rows, files.columnsA, files.columnsB]).toEqual([2, ['n'], ['p']]);
  });

  it.each([
    ['rows that differ', 'id,y,n\n1,0,1\n', 'id,p\n1,2\n2,3\n', /bank_a\.csv has 1 rows and bank_b\.csv has 2/],
    ['no label', 'id,n\n1,0\n', 'id,p\n1,2\n', /no column y/],
    ['a row that is too short', 'id,y,n\n1,0\n', 'id,p\n1,2\n', /row 1 .* 2 fields/],
    ['a comma at the end', 'id,y,n\n1,0,1,', 'id,p\n1,2\n', /row 1 .* 4 fields/],
    ['an open quote', 'id,y,n\n1,0,"1\n', 'id,p\n1,2\n', /no CSV file/],
  ])('%s is refused', (_, a, b, pattern) => {
    expect(() => cut(a, b)).toThrow(pattern);
  });
});

const original = (name: string): string | undefined => sharedFile(`data/original/${name}`);
describe.skipIf(original('rtt_params.json') === undefined)('the files of the original (skipped without ../shared/data/original)', () => {
  const json = (name: string): Json => JSON.parse(readFileSync(original(name) ?? '', 'utf8')) as Json;

  it('fit together with the operator that takes the place of theirs, and are its arguments', () => {
    const id = (hex: string): TokenId => tokenIdOf(hex);
    const algorithm = asset(id('9'.repeat(64)), json('3rd_algo_attr.json'));
    const [a, b, label] = algorithm.child_dts ?? [];
    if (a === undefined || b === undefined || label === undefined) throw new Error('the algorithm has three children');
    const parts = [
      asset(a, json('org1_feature_attr.json')),
      asset(b, json('org2_feature_attr.json')),
      asset(label, json('org1_label_attr.json')),
    ];
    const { template } = (parts[0]?.services[0]?.descriptor ?? {}) as { template: TokenId };
    const theirs = operator(template, 'samples/op/rtt_op_attr.json', json('rtt_params.json') as JsonObject);
    const { steps, failed } = verdict(algorithm, parts, new Map([[template, theirs]]));
    expect(failed).toEqual([]);
    expect(steps.map((step) => step.arguments['party_id'])).toEqual([0, 1, 2]);
    expect(theirs.joint).toBe(true);
    expect(json('rtt_params.json')).toEqual(JSON.parse(read('samples/op/rtt_params.json')));
  });
});
