import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/documents/canonical.js';
import { parseAssetAttributes } from '../../../src/documents/ddo/ddo.js';
import type { TokenId } from '../../../src/documents/ids.js';
import { constraintText } from '../../../web/src/pages/assets/constraint-text.js';
import { constraintWords } from '../../../web/src/pages/assets/constraint-words.js';
import { attributesOf, constraintOf, type Draft, rulesFor } from '../../../web/src/pages/assets/draft.js';

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
  const params: JsonObject = { inputs: { data: {} }, model: { l2: {}, kind: 'linear' }, privacy: { $match: { type: 'integer' } } };
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
    isApproved: true,
    isHeld: true,
  };

  it('starts as wide as the operator, with the file as its input', () => {
    expect(draft.rules.map(({ path, mode, value }) => `${path.join('.')} ${mode} ${value}`)).toEqual([
      'inputs.data exact ./inputs/bank.csv',
      'model.l2 any ',
      'model.kind exact "linear"',
      'privacy json {"$match":{"type":"integer"}}',
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
              privacy: { $match: { type: 'integer' } },
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

  it('keeps parameters that are called as what objects have', () => {
    const odd = JSON.parse('{"__proto__": {"x": {}}, "constructor": {}}') as JsonObject;
    const { services } = attributesOf({ ...draft, rules: rulesFor(odd, '') }, undefined) as {
      services: [{ descriptor: { constraint: object } }];
    };
    expect(JSON.stringify(services[0].descriptor.constraint)).toBe('{"__proto__":{"x":{}},"constructor":{}}');
  });
});
