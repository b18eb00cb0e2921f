import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCredit } from '../../../samples/generate-credit.mjs';
import { checkTree } from '../../../src/constraints/check-tree.js';
import { checkArguments, resolveSteps } from '../../../src/constraints/resolve-steps.js';
import { openDataset } from '../../../src/datasets/open-dataset.js';
import type { Json, JsonObject } from '../../../src/documents/canonical.js';
import { buildDdo, type Ddo, parseAssetAttributes, parseDdo } from '../../../src/documents/ddo/ddo.js';
import type { Clause } from '../../../src/documents/decision/decision.js';
import { parseAddress, type TokenId, tokenIdOf } from '../../../src/documents/ids.js';
import { buildOperator, type OperatorDocument, parseOperatorAttributes, runtimeOf } from '../../../src/documents/operator/operator.js';
import { runOperator } from '../../integration/operators/run-operator.js';

const repository = resolve(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const creator = parseAddress(`0x${'ab'.repeat(20)}`);
const published = new Date(0);
const tokens: Readonly<Record<string, TokenId>> = Object.fromEntries(
  ['scorecard', 'profile', 'bank-a', 'bank-b', 'algorithm'].map((name, i) => [name, tokenIdOf(String(i + 1).repeat(64))]),
);
const token = (name: string): TokenId => tokens[name] ?? tokenIdOf('');

/** What `dt` does with an attribute file before anything is published: local names become token ids. */
const withTokens = (text: string): Json => JSON.parse(text.replaceAll(/"@([\w-]+)"/g, (_, name: string) => `"${token(name)}"`)) as Json;

const asset = (name: string, file: string): Ddo =>
  parseDdo(JSON.parse(JSON.stringify(buildDdo(parseAssetAttributes(withTokens(read(file))), token(name), creator, published))));

function operator(name: string): OperatorDocument {
  const attributes = parseOperatorAttributes(JSON.parse(read(`samples/op/${name}_attr.json`)));
  const params = JSON.parse(read(attributes.params)) as JsonObject;
  const content = { metadata: attributes.metadata, runtime: runtimeOf(attributes), operation: read(attributes.operation), params };
  return buildOperator(content, token(name), creator, published);
}

const operators = new Map(['scorecard', 'profile'].map((name) => [token(name), operator(name)]));
const banks = [asset('bank-a', 'samples/ddo/bank_a_attr.json'), asset('bank-b', 'samples/ddo/bank_b_attr.json')];
const algorithmText = read('samples/ddo/algorithm_attr.json');

function verdict(text: string): { readonly failed: readonly Clause[]; readonly passed: number } {
  const algorithm = buildDdo(parseAssetAttributes(withTokens(text)), token('algorithm'), creator, published);
  const documents = new Map([...banks, algorithm].map((ddo) => [ddo.dt, ddo]));
  const { steps, problems } = resolveSteps(algorithm, documents);
  const clauses = [
    ...problems,
    ...checkTree(algorithm.dt, documents, operators),
    ...steps.flatMap((step) => checkArguments(step, operators)),
  ];
  return { failed: clauses.filter(({ passed }) => !passed), passed: clauses.filter(({ passed }) => passed).length };
}

describe('the attribute files of the demo', () => {
  it('fit together: every clause of every level passes', () => {
    const { failed, passed } = verdict(algorithmText);
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(30);
  });

  it.each([
    ['test fraction above what bank A allows', '"test_fraction": 0.3', '"test_fraction": 0.6', '/split/test_fraction'],
    ['too small a group', '"min_group": 20', '"min_group": 9', '/privacy/min_group'],
    ['another file', './inputs/bank_b.csv', './inputs/bank_a.csv', '/inputs/data'],
    ['a feature that is not offered', '"bill"]', '"region"]', '/columns/features'],
    ['a parameter left open', '"seed": 42', '"seed": {}', '/split/seed'],
    ['a parameter left out', ', "seed": 42', '', '/split/seed'],
    ['a negative penalty', '"l2": 0', '"l2": -1', '/model/l2'],
  ])('%s is refused', (_, from, to, where) => {
    const compact = JSON.stringify(JSON.parse(algorithmText), null, 1)
      .replaceAll(/\n\s*/g, ' ')
      .replaceAll(/ ([}\]])/g, '$1');
    expect(compact).toContain(from);
    const { failed } = verdict(compact.replace(from, to));
    expect(failed.map(({ pointer }) => pointer).some((pointer) => pointer.endsWith(where))).toBe(true);
  });
});

describe('the data that the files describe', () => {
  let folder: string;
  let files: Readonly<Record<string, string>>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dt-ddo-'));
    const { bankA, bankB } = generateCredit({ folder });
    files = { 'bank_a.csv': bankA, 'bank_b.csv': bankB };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has the columns and the shape that they say', async () => {
    for (const service of banks.flatMap((bank) => [...bank.services])) {
      const name = String(service.attributes['path']).replace('./inputs/', '');
      const { columns, rows } = await (await openDataset(files[name] ?? '')).describe();
      expect(service.attributes['columns']).toEqual(columns);
      expect(service.attributes['shape']).toEqual([rows, columns.length]);
    }
  });

  it('runs with the very arguments that the algorithm fixes', async () => {
    const algorithm = buildDdo(parseAssetAttributes(withTokens(algorithmText)), token('algorithm'), creator, published);
    const { steps } = resolveSteps(algorithm, new Map([...banks, algorithm].map((ddo) => [ddo.dt, ddo])));
    const outputs = await Promise.all(
      steps.map(async (step) => {
        const name = step.service.descriptor.template === token('scorecard') ? 'scorecard' : 'profile';
        const file = String(step.service.attributes['path']).replace('./inputs/', '');
        const run = await runOperator(`${name}.mjs`, step.arguments, { [file]: { path: files[file] ?? '' } });
        expect([run.exit, run.complaint]).toEqual([0, '']);
        return JSON.parse(run.outputs[`${name}.json`] ?? '') as JsonObject;
      }),
    );
    expect(outputs.map(({ operator }) => operator)).toEqual(['scorecard', 'profile']);
    expect(outputs[0]).toMatchObject({ rows: { all: 10_000 }, skipped_columns: [] });
    expect(outputs[1]).toMatchObject({ rows: 10_000 });
  });
});
