import { describe, expect, it } from 'vitest';
import { flawsOf, isFixed, openPlaces, readConstraint } from '../../../src/constraints/constraint.js';
import type { Json } from '../../../src/documents/canonical.js';

describe('readConstraint and isFixed', () => {
  it.each<[Json, string, boolean]>([
    [{}, 'any', false],
    [{ $match: true }, 'match', false],
    [{ $match: {} }, 'unknown', false],
    [{ $x: 1 }, 'unknown', false],
    [{ a: {} }, 'keys', false],
    [{ a: 0 }, 'keys', true],
    [[], 'equals', true],
    [[{}], 'unknown', false],
    [[{ a: [] }], 'equals', true],
    [null, 'equals', true],
    [false, 'equals', true],
    ['$match', 'equals', true],
    ['', 'equals', true],
    [{ a$: 1 }, 'keys', true],
    [{ a: { b: { c: [{ d: {} }] } } }, 'keys', false],
  ])('%j is %s, fixed: %s', (value, kind, fixed) => {
    expect(readConstraint(value).kind).toBe(kind);
    expect(isFixed(value)).toBe(fixed);
  });
});

describe('openPlaces and flawsOf', () => {
  it('name every place, as pointers into the value', () => {
    expect(openPlaces({ a: {}, 'b/c': [1, { d: { $match: true } }], e: 0 })).toEqual(['/a', '/b~1c/1/d']);
    expect(openPlaces({})).toEqual(['/']);
    expect(openPlaces([null, 0, '', false])).toEqual([]);
    expect(
      flawsOf({ a: { $in: [] }, b: { c: [{}] }, d: { $match: { $ref: '#' } }, e: { $match: true }, f: {} }).map(
        (flaw) => flaw.split(':')[0],
      ),
    ).toEqual(['/a', '/b/c', '/d']);
    expect(flawsOf({ $in: [] })).toEqual(['the keyword $in is not known; only $match is']);
  });
});
