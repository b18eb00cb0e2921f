import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { narrowsSchema } from '../../../src/constraints/narrow-schema.js';
import { matchSchema } from '../../../src/constraints/schema-match.js';
import type { Json } from '../../../src/documents/canonical.js';
import { anything, fixed, near, schema } from './arbitraries.js';

describe('narrowsSchema', () => {
  it.each<[Json, Json]>([
    [{ type: 'integer' }, { type: 'integer' }],
    [
      { minimum: 0, type: 'number' },
      { type: 'number', minimum: 0 },
    ],
    [true, { type: 'integer' }],
    [{ type: 'number' }, { type: 'integer', minimum: 0 }],
    [{ type: ['string', 'null'] }, { type: 'null' }],
    [{ minimum: 0 }, { minimum: 1 }],
    [{ minimum: 0 }, { exclusiveMinimum: 0 }],
    [{ exclusiveMinimum: 0 }, { minimum: 1e-9 }],
    [{ maximum: 10 }, { maximum: 9, minimum: 5 }],
    [{ maximum: 10 }, { exclusiveMaximum: 10 }],
    [
      { minLength: 1, maxLength: 5 },
      { minLength: 2, maxLength: 5, pattern: '^a' },
    ],
    [{ minimum: 0, maximum: 10 }, { const: 5 }],
    [{ minimum: 0, maximum: 10 }, { enum: [0, 5, 10] }],
    [{ enum: [1, 2, 3] }, { enum: [3, 1] }],
    [
      { minimum: 0, maximum: 10 },
      { enum: [5, 50], maximum: 20 },
    ],
    [
      { title: 'rate', minimum: 0 },
      { description: 'slow', minimum: 0.5 },
    ],
    [{ items: { type: 'number' } }, { items: { type: 'integer' }, maxItems: 3 }],
    [{ properties: { a: { minimum: 0 } } }, { properties: { a: { minimum: 1 } }, required: ['a'] }],
    [{ required: ['a'] }, { required: ['b', 'a'] }],
    [
      { properties: { a: {}, b: {} }, additionalProperties: false },
      { properties: { a: { type: 'string' } }, additionalProperties: false },
    ],
    [{ properties: { a: { type: 'string' } } }, { properties: { b: {} }, additionalProperties: false }],
    [{ additionalProperties: { type: 'number' } }, { properties: { a: { type: 'integer' } }, additionalProperties: { type: 'number' } }],
  ])('%j allows %j', (lower, upper) => {
    expect(narrowsSchema(lower, upper)).toBe(true);
  });

  it.each<[Json, Json]>([
    [{ type: 'integer' }, true],
    [{ type: 'integer' }, { type: 'number' }],
    [{ type: 'integer' }, { minimum: 0 }],
    [{ minimum: 0 }, { type: 'integer' }],
    [{ minimum: 1 }, { minimum: 0 }],
    [{ exclusiveMinimum: 0 }, { minimum: 0 }],
    [{ maximum: 10 }, { maximum: 11 }],
    [{ exclusiveMaximum: 10 }, { maximum: 10 }],
    [{ maxLength: 5 }, { maxLength: 6 }],
    [{ maxLength: 5 }, { maxItems: 4 }],
    [{ pattern: '^a' }, { pattern: '^b' }],
    [{ multipleOf: 2 }, { multipleOf: 3 }],
    [{ enum: [1, 2] }, { enum: [1, 2, 3] }],
    [{ const: 1 }, { enum: [1, 2] }],
    [{ not: { minimum: 0 } }, { not: { minimum: 1 } }],
    [{ required: ['a', 'b'] }, { required: ['a'] }],
    [{ items: { type: 'integer' } }, { maxItems: 3 }],
  ])('%j refuses %j', (lower, upper) => {
    expect(narrowsSchema(lower, upper)).toBe(false);
  });

  it('sees that the same keyword says something else beside others', () => {
    expect(narrowsSchema({ additionalProperties: false }, { additionalProperties: false, properties: { a: {} } })).toBe(false);
    expect(narrowsSchema({ items: { type: 'integer' } }, { items: { type: 'integer' }, prefixItems: [{ type: 'string' }] })).toBe(false);
    expect(narrowsSchema({ items: false, prefixItems: [true] }, { items: false })).toBe(false);
  });

  it('refuses schemas that cannot be used, also equal ones', () => {
    for (const broken of [null, {}, 'x', { $ref: '#' }, { type: 'strong' }, { pattern: '(?=a)' }] as const) {
      expect(narrowsSchema(broken, broken)).toBe(false);
      expect(narrowsSchema(true, broken)).toBe(false);
    }
  });

  it('is sound: whatever the narrower accepts, the wider accepts', { timeout: 60_000 }, () => {
    const pairs = fc.oneof(
      schema.chain((lower) => fc.record({ lower: fc.constant(lower), upper: near(lower) })),
      schema.chain((upper) => fc.record({ lower: near(upper), upper: fc.constant(upper) })),
    );
    let premises = 0;
    fc.assert(
      fc.property(pairs, fc.array(fixed, { minLength: 12, maxLength: 12 }), ({ lower, upper }, values) => {
        if (JSON.stringify(lower) === JSON.stringify(upper) || !narrowsSchema(lower, upper)) return;
        for (const value of values) {
          if (!matchSchema(upper, value).accepted) continue;
          premises += 1;
          expect(matchSchema(lower, value).accepted, JSON.stringify({ lower, upper, value })).toBe(true);
        }
      }),
      { numRuns: 4_000 },
    );
    expect(premises).toBeGreaterThan(200);
  });

  it('never throws', () => {
    fc.assert(fc.property(anything, anything, (lower, upper) => typeof narrowsSchema(lower, upper) === 'boolean'));
  });
});
