import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refuseSchema } from '../../../src/constraints/refuse-schema.js';
import { sameValue } from '../../../src/constraints/same-value.js';
import { matchSchema } from '../../../src/constraints/schema-match.js';
import { canonicalBytes, type Json } from '../../../src/documents/canonical.js';
import { anything, fixed, mutated, schema } from './arbitraries.js';

const accepts = (one: Json, value: Json): boolean => matchSchema(one, value).accepted;
const reasonOf = (one: Json, value: Json): string => {
  const verdict = matchSchema(one, value);
  return verdict.accepted ? '' : verdict.reason;
};

describe('matchSchema', () => {
  it.each<[Json, Json, boolean]>([
    [true, 1, true],
    [false, 1, false],
    [{ type: 'integer' }, 1, true],
    [{ type: 'integer' }, 1.0, true],
    [{ type: 'integer' }, 1.5, false],
    [{ type: 'number' }, 1, true],
    [{ type: 'number' }, '1', false],
    [{ type: 'object' }, [], false],
    [{ type: 'object' }, null, false],
    [{ type: 'array' }, [], true],
    [{ type: ['null', 'string'] }, null, true],
    [{ type: ['null', 'string'] }, 0, false],
    [{ const: null }, null, true],
    [{ const: null }, 0, false],
    [{ const: 0 }, false, false],
    [{ const: 0 }, '', false],
    [{ const: { a: 1, b: [2] } }, { b: [2], a: 1 }, true],
    [{ enum: [0, '', false] }, '', true],
    [{ enum: [0, '', false] }, null, false],
    [{ minimum: 0, maximum: 1 }, 0, true],
    [{ minimum: 0, maximum: 1 }, 1, true],
    [{ minimum: 0, maximum: 1 }, -1e-9, false],
    [{ exclusiveMinimum: 0 }, 0, false],
    [{ exclusiveMaximum: 0 }, 0, false],
    [{ minimum: 5 }, 'not a number', true],
    [{ multipleOf: 0.5 }, 1.5, true],
    [{ multipleOf: 0.5 }, 1.25, false],
    [{ minLength: 1, maxLength: 1 }, '😀', true],
    [{ maxLength: 1 }, 'e\u0301', false],
    [{ pattern: '^a+$' }, 'aaa', true],
    [{ pattern: '^a+$' }, 'aab', false],
    [{ pattern: '^a+$' }, 'a\n', false],
    [{ pattern: 'b' }, 'abc', true],
    [{ items: { type: 'integer' } }, [1, 2], true],
    [{ items: { type: 'integer' } }, [1, '2'], false],
    [{ prefixItems: [{ const: 'a' }], items: { type: 'integer' } }, ['a', 1], true],
    [{ prefixItems: [{ const: 'a' }], items: { type: 'integer' } }, [1, 1], false],
    [{ prefixItems: [{ const: 'a' }], items: false }, ['a', 1], false],
    [{ prefixItems: [{ const: 'a' }, { const: 'b' }] }, ['a'], true],
    [{ minItems: 1 }, [], false],
    [{ maxItems: 1 }, [1, 2], false],
    [{ required: ['a'] }, { a: null }, true],
    [{ required: ['a'] }, {}, false],
    [{ properties: { a: { type: 'string' } } }, {}, true],
    [{ properties: { a: { type: 'string' } } }, { a: 1 }, false],
    [{ properties: { a: {} }, additionalProperties: false }, { a: 1, b: 1 }, false],
    [{ additionalProperties: { type: 'integer' } }, { a: 1, b: 'x' }, false],
    [{ minProperties: 1 }, {}, false],
    [{ maxProperties: 1 }, { a: 1, b: 1 }, false],
    [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, 3, false],
    [{ anyOf: [{ const: 1 }, { const: 2 }] }, 2, true],
    [{ oneOf: [{ minimum: 1 }, { minimum: 2 }] }, 3, false],
    [{ oneOf: [{ minimum: 1 }, { minimum: 2 }] }, 1, true],
    [{ not: { type: 'null' } }, null, false],
    [{ title: 'a title', description: 'and more', const: 1 }, 1, true],
  ])('%j on %j: %s', (one, value, expected) => {
    expect(accepts(one, value)).toBe(expected);
  });

  it('does not see what an object inherits', () => {
    expect(accepts({ required: ['toString'] }, {})).toBe(false);
    expect(accepts({ required: ['constructor'] }, {})).toBe(false);
    expect(accepts({ required: [''] }, {})).toBe(false);
    expect(accepts({ properties: { constructor: false } }, {})).toBe(true);
    expect(accepts({ properties: { constructor: { const: 1 } }, additionalProperties: false }, { constructor: 1 })).toBe(true);
    expect(accepts({ additionalProperties: false }, { hasOwnProperty: 1 })).toBe(false);
    expect(accepts({ const: {} }, { toString: 1 })).toBe(false);
    expect(accepts({ enum: [{ a: 1 }] }, { toString: 1 })).toBe(false);
  });

  it('says where and why', () => {
    expect(reasonOf({ properties: { 'a/b': { items: { maximum: 1 } } } }, { 'a/b': [0, 5] })).toBe('/a~1b/1 must be at most 1');
    expect(reasonOf({ required: ['x'] }, {})).toBe('must have the key "x"');
    expect(reasonOf({ type: 'strong' }, 1)).toContain('$match cannot be used');
  });

  it('accepts and refuses as ajv does', { timeout: 60_000 }, () => {
    const ajv = new Ajv2020({ strict: false, ownProperties: true, validateFormats: false });
    const value = fc.oneof(fixed, fixed.chain(mutated), fc.constantFrom<Json>({}, [], { a: {} }, [[]]));
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(schema, fc.array(value, { minLength: 8, maxLength: 8 }), (one, values) => {
        // The comparison that ajv uses calls toString and reads constructor of what it is given.
        // Its multipleOf reads 1e21 as 1, and it takes the key "" for given when it is required.
        const whole = JSON.stringify([one, values]);
        fc.pre(
          !/"(toString|constructor)"/.test(whole) &&
            !(whole.includes('multipleOf') && whole.includes('1e+21')) &&
            !/"required":\[[^\]]*""/.test(whole),
        );
        const theirs = ajv.compile(one as object | boolean);
        for (const candidate of values) {
          const ours = accepts(one, candidate);
          expect(ours, JSON.stringify({ one, candidate })).toBe(theirs(candidate));
          if (ours) accepted += 1;
          else refused += 1;
        }
      }),
      { numRuns: 600 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(300);
  });
});

describe('refuseSchema', () => {
  it.each<[string, Json]>([
    ['null', null],
    ['a number', 1],
    ['a text', 'string'],
    ['a list', [{ type: 'string' }]],
    ['empty', {}],
    ['$ref', { $ref: '#' }],
    ['$ref inside', { properties: { a: { $ref: 'https://example.org/schema' } } }],
    ['$dynamicRef', { $dynamicRef: '#x' }],
    ['$defs', { $defs: {}, type: 'string' }],
    ['$id', { $id: 'x', type: 'string' }],
    ['$schema', { $schema: 'https://json-schema.org/draft/2020-12/schema' }],
    ['format', { format: 'email' }],
    ['patternProperties', { patternProperties: { a: true } }],
    ['an invention', { type: 'string', looksNice: true }],
    ['a keyword of the prototype', JSON.parse('{"constructor": true}') as Json],
    ['__proto__', JSON.parse('{"type": "string", "__proto__": {}}') as Json],
    ['an unknown type', { type: 'strong' }],
    ['no type', { type: [] }],
    ['a type twice', { type: ['string', 'string'] }],
    ['type null', { type: null }],
    ['an enum that is no list', { enum: 'a' }],
    ['an empty enum', { enum: [] }],
    ['a bound that is a text', { minimum: '5' }],
    ['a bound that is null', { maximum: null }],
    ['a size below 0', { minLength: -1 }],
    ['a broken size', { maxItems: 1.5 }],
    ['a multiple of 0', { multipleOf: 0 }],
    ['required as a flag', { required: true }],
    ['required twice', { required: ['a', 'a'] }],
    ['required with a number', { required: [1] }],
    ['properties as a list', { properties: [] }],
    ['properties that are no schemas', { properties: { a: 'string' } }],
    ['items as a list', { items: [{ type: 'string' }] }],
    ['items null', { items: null }],
    ['anyOf as an object', { anyOf: { a: true } }],
    ['an empty allOf', { allOf: [] }],
    ['not as a list', { not: [] }],
    ['a title that is a number', { title: 5 }],
    ['a pattern that is no text', { pattern: 1 }],
    ['a pattern with look-ahead', { pattern: '(?=a)b' }],
    ['a pattern with a back reference', { pattern: '(a)\\1' }],
    ['a broken pattern', { pattern: '(' }],
    ['a broken pattern inside', { items: { anyOf: [{ pattern: '[' }] } }],
    ['half of a surrogate pair', { const: '\ud800' }],
    ['more than a double holds', { minimum: Number.POSITIVE_INFINITY }],
  ])('refuses %s, and then nothing is accepted', (_, one) => {
    expect(refuseSchema(one)).toBeTypeOf('string');
    for (const value of [null, 0, '', 'a', [], {}, { a: 1 }]) expect(accepts(one, value)).toBe(false);
  });

  it('agrees with the meta-schema of ajv about what is well formed', { timeout: 60_000 }, () => {
    const ajv = new Ajv2020({ strict: false });
    const keywords = [
      'type',
      'enum',
      'minimum',
      'maxLength',
      'multipleOf',
      'items',
      'prefixItems',
      'properties',
      'required',
      'anyOf',
      'not',
      'title',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...keywords), anything, (keyword, value) => {
        fc.pre(!JSON.stringify(value).includes('$'));
        if (refuseSchema({ [keyword]: value }) === undefined)
          expect(ajv.validateSchema({ [keyword]: value }), JSON.stringify({ [keyword]: value })).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anything, anything, (one, value) => {
        canonicalBytes(matchSchema(one, value));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('sameValue', () => {
  it('is equality of canonical bytes', { timeout: 60_000 }, () => {
    const pair = fixed.chain((a) =>
      fc.record({
        a: fc.constant(a),
        b: fc.oneof(fc.constant(a), mutated(a), fixed, fc.constant<Json>(JSON.parse(JSON.stringify(a)) as Json)),
      }),
    );
    fc.assert(
      fc.property(pair, ({ a, b }) => {
        expect(sameValue(a, b)).toBe(Buffer.from(canonicalBytes(a)).equals(Buffer.from(canonicalBytes(b))));
      }),
      { numRuns: 2000 },
    );
  });

  it('is not fooled by inherited keys', () => {
    expect(sameValue({ constructor: null }, {})).toBe(false);
    expect(sameValue({ toString: null }, { a: null })).toBe(false);
  });
});
