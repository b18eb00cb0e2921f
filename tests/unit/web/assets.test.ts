import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/documents/canonical.js';
import { parseAssetAttributes } from '../../../src/documents/ddo/ddo.js';
import type { TokenId } from '../../../src/documents/ids.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { constraintText } from '../../../web/src/pages/assets/constraint-text.js';
import { constraintWords } from '../../../web/src/pages/assets/constraint-words.js';
import { attributesOf, type Draft } from '../../../web/src/pages/assets/draft.js';
import { constraintOf, newEntry, rulesFor } from '../../../web/src/pages/assets/rules.js';
import { newOutput, noTerms, type TermsDraft, termsOf } from '../../../web/src/pages/assets/terms.js';

const say = (constraint: Json, language: 'en' | 'zh' = 'en'): readonly string[] =>
  constraintWords(constraint, constraintText[language]).map(({ path, words }) => `${path.join('.')}: ${words}`);

describe('a constraint in plain words', () => {
  it.each<[Json, string, string]>([
    [{ a: {} }, 'a: any value', 'a: 任意值'],
    [{ a: { b: 0 } }, 'a.b: exactly 0', 'a.b: 必须是 0'],
    [{ a: 'x' }, 'a: exactly “x”', 'a: 必须是 “x”'],
    [{ a: null }, 'a: exactly null', 'a: 必须是 null'],
    [{ a: { $match: { maximum: 9, minimum: 1, type: 'integer' } } }, 'a: a whole number, from 1 to 9', 'a: 整数，介于 1 与 9 之间'],
    [{ a: { $match: { maximum: 9 } } }, 'a: at most 9', 'a: 不大于 9'],
    [{ a: { $match: { enum: ['x', 2] } } }, 'a: one of “x”, 2', 'a: 以下之一：“x”，2'],
    [
      { a: { $match: { type: 'array', minItems: 1, items: { enum: ['x'] } } } },
      'a: a list, at least 1 entries, each entry one of “x”',
      'a: 列表，至少 1 项，每一项：以下之一：“x”',
    ],
    [{ a: { $match: { not: { const: 3 } } } }, 'a: not exactly 3', 'a: 不可为：必须是 3'],
    [
      { a: { $match: { anyOf: [{ type: 'null' }, { type: 'string', maxLength: 5 }] } } },
      'a: null, or text, at most 5 characters',
      'a: 空值，或 文本，至多 5 个字符',
    ],
  ])('%j', (constraint, en, zh) => {
    expect(say(constraint)).toEqual([en]);
    expect(say(constraint, 'zh')).toEqual([zh]);
  });

  it('what this page does not know is shown as it is written, never left out', () => {
    expect(say({ a: { $other: 1 } })).toEqual(['a: {"$other":1}']);
    expect(say({ a: { $match: { type: 'number', contains: { const: 1 } } } })).toEqual(['a: a number, contains {"const":1}']);
    expect(say({ a: { $match: false } })).toEqual(['a: false']);
  });
});

describe('the form of an asset', () => {
  const params: JsonObject = {
    inputs: { data: {} },
    model: { l2: {}, kind: 'linear' },
    privacy: { $match: { type: 'integer', minimum: 3 } },
    odd: { $match: { pattern: 'a' } },
  };
  const operator = {
    id: `dt:ownership:${'1'.repeat(64)}` as TokenId,
    version: 1,
    name: 'scorecard',
    runtime: 'node',
    params,
    joint: false,
  };
  const draft: Draft = {
    name: ' customers <img> ',
    description: '',
    file: '/srv/data/bank.csv',
    operator,
    rules: rulesFor(params, '/srv/data/bank.csv'),
    tellsColumns: false,
    terms: { ...noTerms, isDeclared: true, outputs: [{ ...newOutput, name: '*', hold: 'usual' }], approval: 'usual' },
  };

  it('starts as wide as the operator, with the file as its input', () => {
    expect(draft.rules.map(({ path, mode, value }) => `${path.join('.')} ${mode} ${value}`)).toEqual([
      'inputs.data exact ./inputs/bank.csv',
      'model.l2 any ',
      'model.kind exact "linear"',
      'privacy whole 3',
      'odd json {"$match":{"pattern":"a"}}',
    ]);
  });

  it('is an attribute file that can be published, without where the file lies', () => {
    const attributes = attributesOf(draft, { columns: [{ name: 'secret', type: 'text' }], rows: 5 });
    expect(() => parseAssetAttributes(attributes)).not.toThrow();
    expect(attributes).toMatchObject({
      metadata: { main: { type: 'Dataset', name: 'customers <img>' } },
      services: [
        {
          index: 'scorecard',
          descriptor: {
            template: operator.id,
            constraint: {
              inputs: { data: './inputs/bank.csv' },
              model: { l2: {}, kind: 'linear' },
              privacy: { $match: { type: 'integer', minimum: 3 } },
              odd: { $match: { pattern: 'a' } },
            },
          },
          attributes: { path: './inputs/bank.csv' },
          approval: 'manual',
          outputs: [{ name: '*', hold: true }],
        },
      ],
    });
    expect(JSON.stringify(attributes)).not.toMatch(/srv|secret/);
    expect(
      JSON.stringify(attributesOf({ ...draft, tellsColumns: true }, { columns: [{ name: 'age', type: 'integer' }], rows: 5 })),
    ).toContain('"shape":[5,1]');
  });

  it.each<[Parameters<typeof constraintOf>[0]['mode'], string, string, Json]>([
    ['any', 'x', '', {}],
    ['exact', '5', '', 5],
    ['exact', 'five', '', 'five'],
    ['oneOf', 'a, 2，true', '', { $match: { enum: ['a', 2, true] } }],
    ['range', '1', '2.5', { $match: { type: 'number', minimum: 1, maximum: 2.5 } }],
    ['range', '', '2', { $match: { type: 'number', maximum: 2 } }],
    ['json', '{"$match":{"const":1}}', '', { $match: { const: 1 } }],
  ])('%s of %j and %j', (mode, value, most, constraint) => {
    expect(constraintOf({ path: ['a'], mode, value, most })).toEqual(constraint);
  });

  it('has fields for what an operator demands of a parameter, and says the same with them', () => {
    const demands: readonly Json[] = [
      { $match: { type: 'integer', minimum: 0 } },
      { $match: { type: 'number', minimum: 0.1, maximum: 0.5 } },
      { $match: { enum: ['both', 2, '2', null, true] } },
      { $match: { enum: ['a, b'] } },
      { $match: { type: 'integer', multipleOf: 2 } },
      { $match: true },
    ];
    const modes = demands.map((demand) => {
      const [rule] = rulesFor({ a: demand }, '');
      expect(rule && constraintOf(rule)).toEqual(demand);
      return rule?.mode;
    });
    expect(modes).toEqual(['whole', 'range', 'oneOf', 'json', 'json', 'json']);
  });

  it('asks for the entries of an object, such as the least common rows of a joint computation', () => {
    const entries = [
      { ...newEntry('join_on', 'exact'), value: 'id' },
      { ...newEntry('min_intersection', 'whole'), value: '2000' },
      { ...newEntry('join_normalize', 'oneOf'), value: 'none, trim' },
      newEntry('seed'),
    ];
    expect(constraintOf({ path: ['options'], mode: 'entries', value: '', most: '', entries })).toEqual({
      $match: {
        type: 'object',
        properties: {
          join_on: { const: 'id' },
          min_intersection: { type: 'integer', minimum: 2000 },
          join_normalize: { enum: ['none', 'trim'] },
          seed: {},
        },
        required: ['join_on', 'min_intersection', 'join_normalize', 'seed'],
      },
    });
  });

  it.each<[string, Partial<TermsDraft>, JsonObject]>([
    ['nothing', {}, {}],
    ['that nothing leaves', { isDeclared: true }, { outputs: [] }],
    [
      'all of a file',
      {
        isDeclared: true,
        outputs: [
          {
            name: ' groups-*.csv ',
            mediaType: 'text/csv',
            mostKB: '1.5',
            groupColumn: 'n',
            groupSize: '10',
            schema: '',
            recipient: 'owner',
            hold: 'hours',
            holdHours: '24',
          },
          { ...newOutput, name: 'model.json', schema: '{"type":"object"}', hold: 'usual' },
        ],
      },
      {
        outputs: [
          {
            name: 'groups-*.csv',
            mediaType: 'text/csv',
            maxBytes: 1500,
            minGroupSize: { column: 'n', size: 10 },
            recipient: 'owner',
            hold: { deadlineHours: 24 },
          },
          { name: 'model.json', schema: { type: 'object' }, hold: true },
        ],
      },
    ],
    [
      'when it runs',
      { approval: 'hours', approvalHours: '12', runLimit: '5', runHours: '24', isPerConsumer: true, retentionHours: '0.5' },
      { approval: { deadlineHours: 12 }, runs: { limit: 5, perHours: 24, per: 'consumer' }, retentionHours: 0.5 },
    ],
    ['an approval', { approval: 'usual', isPerConsumer: true }, { approval: 'manual' }],
  ])('says %s', (_, terms, said) => {
    expect(termsOf({ ...noTerms, ...terms })).toEqual(said);
    expect(() => parseAssetAttributes(attributesOf({ ...draft, terms: { ...noTerms, ...terms } }, undefined))).not.toThrow();
  });

  it.each<[string, Partial<TermsDraft>]>([
    ['/services/0/outputs/0/name', { isDeclared: true, outputs: [newOutput] }],
    ['/services/0/outputs/0/name', { isDeclared: true, outputs: [{ ...newOutput, name: '../x' }] }],
    ['/services/0/outputs/0/maxBytes', { isDeclared: true, outputs: [{ ...newOutput, name: 'a', mostKB: 'much' }] }],
    ['/services/0/outputs/0/minGroupSize', { isDeclared: true, outputs: [{ ...newOutput, name: 'a', groupSize: '3.5' }] }],
    ['/services/0/outputs/0/minGroupSize', { isDeclared: true, outputs: [{ ...newOutput, name: 'a', groupColumn: 'n' }] }],
    ['/services/0/outputs/0/hold', { isDeclared: true, outputs: [{ ...newOutput, name: 'a', hold: 'hours' }] }],
    ['/services/0/approval', { approval: 'hours', approvalHours: '-1' }],
    ['/services/0/retentionHours', { retentionHours: 'long' }],
    ['/services/0/runs', { runHours: '24' }],
    ['/services/0/runs/limit', { runLimit: '0' }],
  ])('leaves it to the checks what is wrong at %s', (place, terms) => {
    const attributes = attributesOf({ ...draft, terms: { ...noTerms, ...terms } }, undefined);
    let found: unknown;
    try {
      parseAssetAttributes(attributes);
    } catch (error) {
      found = error instanceof ToolkitError ? error.details['pointer'] : error;
    }
    expect(found).toMatch(new RegExp(`^${place}`));
  });

  it('keeps parameters that are called as what objects have', () => {
    const odd = JSON.parse('{"__proto__": {"x": {}}, "constructor": {}}') as JsonObject;
    const { services } = attributesOf({ ...draft, rules: rulesFor(odd, '') }, undefined) as {
      services: [{ descriptor: { constraint: object } }];
    };
    expect(JSON.stringify(services[0].descriptor.constraint)).toBe('{"__proto__":{"x":{}},"constructor":{}}');
  });
});
