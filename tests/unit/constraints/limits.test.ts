import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { newEffort } from '../../../src/constraints/effort.js';
import { evaluate } from '../../../src/constraints/evaluate.js';
import { narrowsSchema } from '../../../src/constraints/narrow-schema.js';
import { refuseSchema, schemaLimits } from '../../../src/constraints/refuse-schema.js';
import { matchSchema } from '../../../src/constraints/schema-match.js';
import { canonicalBytes, type Json } from '../../../src/documents/canonical.js';

const site = { of: 'a', by: 'b', pointer: '/p' };
const passes = (demand: Json, offer: Json): boolean => evaluate(demand, offer, site, true).every((clause) => clause.passed);

function elapsedMs(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

describe('patterns', { timeout: 60_000 }, () => {
  const evil = ['(a+)+$', '(a|a)*$', '(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)*x$', '(a?){60}a{60}$'];

  it.each(evil.map((pattern) => [pattern] as const))('%s is linear', (pattern) => {
    const run = (length: number): number =>
      Math.min(...[1, 2, 3].map(() => elapsedMs(() => matchSchema({ pattern }, `${'a'.repeat(length)}!`))));
    expect(matchSchema({ pattern: '(a+)+$' }, `${'a'.repeat(1000)}!`).accepted).toBe(false);
    run(4000);
    const short = run(4000);
    const long = run(16_000);
    // Four times the text: about four times the work. Back-tracking would not come back before the sun burns out.
    expect(long / Math.max(short, 1)).toBeLessThan(60);
  });

  it('that repeat too much are refused', () => {
    expect(refuseSchema({ pattern: 'a{1000}'.repeat(60) })).toBeTypeOf('string');
    expect(refuseSchema({ pattern: '((a{100}){100}){100}' })).toBeTypeOf('string');
    expect(refuseSchema({ pattern: '(\\pL?){1000}' })).toBeTypeOf('string');
    expect(refuseSchema({ allOf: [1, 2, 3, 4, 5].map((i) => ({ pattern: `a{50${i}}` })) })).toBeTypeOf('string');
    expect(refuseSchema({ allOf: [1, 2, 3].map((i) => ({ pattern: `a{50${i}}` })) })).toBeUndefined();
  });

  it('that are long are refused', () => {
    expect(refuseSchema({ pattern: 'a'.repeat(schemaLimits.patternLength + 1) })).toBeTypeOf('string');
    expect(refuseSchema({ pattern: 'a'.repeat(schemaLimits.patternLength) })).toBeUndefined();
  });

  it('with a hostile text are given up, not finished', () => {
    const schema: Json = { items: { pattern: '(\\pL?){400}$' } };
    const value: Json = Array.from({ length: 4000 }, () => 'xyz'.repeat(600));
    const verdict = matchSchema(schema, value);
    expect(verdict).toEqual({ accepted: false, reason: 'checking it takes more work than is allowed' });
    const negated = matchSchema({ not: schema }, value);
    expect(negated.accepted).toBe(false);
  });

  it('share one allowance in one evaluation', () => {
    const pattern = '(\\pL?){400}$';
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
    const demand: Json = Object.fromEntries(keys.map((key) => [key, { $match: { pattern } }]));
    const offer: Json = Object.fromEntries(keys.map((key) => [key, 'xyz'.repeat(300)]));
    const clauses = evaluate(demand, offer, site, true);
    expect(clauses).toHaveLength(1000);
    expect(clauses.some((clause) => !clause.passed)).toBe(true);
  });

  it('of honest size are not touched by the allowance', () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
    const demand: Json = Object.fromEntries(
      keys.map((key) => [key, { $match: { type: 'string', pattern: '^\\./inputs/[a-z0-9_]{1,40}\\.csv$' } }]),
    );
    const offer: Json = Object.fromEntries(keys.map((key) => [key, `./inputs/${key}.csv`]));
    expect(passes(demand, offer)).toBe(true);
  });
});

describe('schemas', () => {
  const nest = (levels: number): Json => (levels === 0 ? { type: 'string' } : { not: nest(levels - 1) });

  it('are refused when too deep', () => {
    expect(refuseSchema(nest(schemaLimits.depth))).toBeUndefined();
    expect(refuseSchema(nest(schemaLimits.depth + 1))).toContain('deeper than 8 levels');
    expect(refuseSchema(nest(60))).toBeTypeOf('string');
    expect(refuseSchema(nest(3000))).toBeTypeOf('string');
  });

  it('are refused when too large', () => {
    const oversize = { enum: Array.from({ length: 5000 }, (_, i) => i) };
    expect(canonicalBytes(oversize).byteLength).toBeGreaterThan(schemaLimits.bytes);
    expect(refuseSchema(oversize)).toContain('larger than 16384 bytes');
    expect(narrowsSchema(oversize, oversize)).toBe(false);
    expect(matchSchema(oversize, 1).accepted).toBe(false);
  });

  it('with references are refused everywhere', () => {
    for (const schema of [
      { $ref: '#' },
      { properties: { a: { $ref: '#/b' } } },
      { allOf: [{ $dynamicRef: '#a' }] },
      { items: { $anchor: 'x' } },
    ]) {
      expect(refuseSchema(schema)).toBeTypeOf('string');
      expect(passes({ p: { $match: schema } }, { p: 1 })).toBe(false);
      expect(passes({ p: {} }, { p: { $match: schema } })).toBe(false);
    }
  });

  it('that multiply with their value are given up at the allowance', () => {
    const known: Json = { items: { anyOf: Array.from({ length: 100 }, (_, i) => ({ const: i })) } };
    const all: Json = Array.from({ length: 100 }, () => 99);
    expect(matchSchema(known, all, { left: 1000 }).accepted).toBe(false);
    expect(matchSchema(known, all).accepted).toBe(true);
    const stranger: Json = [...all, 100];
    expect(matchSchema({ not: known }, stranger, { left: 1000 }).accepted).toBe(false);
    expect(matchSchema({ not: known }, stranger).accepted).toBe(true);
    expect(narrowsSchema({ minimum: 0 }, { enum: [1] }, { left: 3 })).toBe(false);
    expect(newEffort().left).toBeGreaterThan(0);
  });
});

describe('documents that are large or deep', { timeout: 60_000 }, () => {
  const wide = (count: number, value: Json): Json => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key_${i}`, value]));

  it('get one clause a key, of bounded length', () => {
    const clauses = evaluate(
      wide(4000, 1),
      { ...(wide(2000, 1) as object), ...Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`other_${i}`, 1])) },
      site,
      true,
    );
    expect(clauses).toHaveLength(6000);
    expect(clauses.filter((clause) => !clause.passed)).toHaveLength(4000);
    expect(canonicalBytes(clauses).byteLength).toBeLessThan(4_000_000);
  });

  it('grow the work in proportion', () => {
    const run = (count: number): number =>
      Math.min(...[1, 2, 3].map(() => elapsedMs(() => evaluate(wide(count, {}), wide(count, {}), site, true))));
    run(500);
    expect(run(8000) / Math.max(run(1000), 1)).toBeLessThan(80);
  });

  it('are denied when too deep, without a crash', () => {
    for (const depth of [65, 1000, 200_000]) {
      let deep: Json = 1;
      for (let i = 0; i < depth; i += 1) deep = { a: deep };
      for (const [demand, offer] of [
        [deep, deep],
        [{}, deep],
        [deep, 1],
        [{ $match: { const: deep } }, 1],
        [{ $match: true }, deep],
      ] as const) {
        const clauses = evaluate(demand, offer, site, true);
        expect(clauses.every((clause) => !clause.passed)).toBe(true);
        canonicalBytes(clauses);
      }
    }
  });
});
