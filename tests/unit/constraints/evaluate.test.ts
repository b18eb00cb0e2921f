import { describe, expect, it } from 'vitest';
import { isFixed } from '../../../src/constraints/constraint.js';
import { evaluate, evaluateParameters } from '../../../src/constraints/evaluate.js';
import type { Json } from '../../../src/documents/canonical.js';
import type { Clause } from '../../../src/documents/decision/decision.js';

const site = { of: 'the leaf', by: 'the composite', pointer: '/services/0/descriptor/constraint' };
const check = (demand: Json, offer: Json): readonly Clause[] => evaluate(demand, offer, site, false);
const checkAtEnd = (demand: Json, offer: Json): readonly Clause[] => evaluate(demand, offer, site, true);
const passes = (clauses: readonly Clause[]): boolean => clauses.length > 0 && clauses.every((clause) => clause.passed);
const failures = (clauses: readonly Clause[]): readonly (readonly [string, string])[] =>
  clauses.filter((clause) => !clause.passed).map((clause) => [clause.pointer.slice(site.pointer.length), clause.rule]);

describe('a literal', () => {
  const literals: readonly Json[] = [0, 1, -0.5, false, true, '', '0', 'false', 'null', null, [], [0], ['a', ['b']], [null], [{ a: 0 }]];

  it.each(literals.map((value) => [value] as const))('%j is met by itself alone', (value) => {
    expect(passes(check(value, value))).toBe(true);
    expect(passes(checkAtEnd(value, value))).toBe(true);
    for (const other of [...literals, {}, { a: 1 }, { $match: true }, { $match: { const: value } }]) {
      if (JSON.stringify(other) === JSON.stringify(value)) continue;
      expect(failures(check({ p: value }, { p: other })), `${JSON.stringify(value)} by ${JSON.stringify(other)}`).toEqual([
        ['/p', 'equals'],
      ]);
      expect(passes(checkAtEnd({ p: value }, { p: other }))).toBe(false);
    }
  });

  it.each([0, false, '', null].map((value) => [value] as const))('%j counts as a demand: leaving it out or open is a failure', (value) => {
    expect(failures(check({ p: value, q: {} }, { q: 1 }))).toEqual([['/p', 'keys']]);
    expect(failures(check({ p: value }, { p: {} }))).toEqual([['/p', 'equals']]);
    expect(failures(check({ p: value }, {}))).toEqual([['', 'keys']]);
  });

  it('tells what it is, so that the answer can be read without the document', () => {
    const [clause] = check({ rate: 0 }, { rate: 0.1 });
    expect(clause).toEqual({
      of: 'the leaf',
      by: 'the composite',
      pointer: '/services/0/descriptor/constraint/rate',
      rule: 'equals',
      required: 0,
      offered: 0.1,
      passed: false,
      wouldPass: 'exactly 0',
    });
  });

  it('is the same in any order of keys, and -0 is 0', () => {
    expect(passes(check({ p: [{ a: 1, b: 2 }] }, { p: [{ b: 2, a: 1 }] }))).toBe(true);
    expect(passes(check(0, -0))).toBe(true);
    expect(passes(check([1, 2], [2, 1]))).toBe(false);
  });
});

describe('{}', () => {
  it.each([0, false, '', null, 'text', [1], { a: 1 }, { a: { b: [] } }].map((value) => [value] as const))('is met by %j', (value) => {
    expect(passes(check({ p: {} }, { p: value }))).toBe(true);
    expect(passes(checkAtEnd({ p: {} }, { p: value }))).toBe(true);
  });

  it('may be passed on by a composite and not by an algorithm', () => {
    expect(passes(check({ p: {} }, { p: {} }))).toBe(true);
    expect(passes(check({ p: {} }, { p: { $match: { type: 'integer' } } }))).toBe(true);
    expect(passes(check({ p: {} }, { p: { a: {}, b: { $match: true } } }))).toBe(true);
    expect(failures(checkAtEnd({ p: {} }, { p: {} }))).toEqual([['/p', 'fixed']]);
    expect(failures(checkAtEnd({ p: {} }, { p: { $match: { const: 1 } } }))).toEqual([['/p', 'fixed']]);
    expect(failures(checkAtEnd({ p: {} }, { p: { a: { b: {} }, c: 1 } }))).toEqual([['/p', 'fixed']]);
    expect(checkAtEnd({ p: {} }, { p: { a: { b: {} }, c: 1, d: { $match: true } } })[0]?.wouldPass).toContain('/a/b, /d');
  });

  it('still needs its key', () => {
    expect(failures(check({ p: {}, q: {} }, { p: 1 }))).toEqual([['/q', 'keys']]);
  });

  it('is not null, and null is not any', () => {
    expect(failures(check({ p: null }, { p: 5 }))).toEqual([['/p', 'equals']]);
    expect(failures(check({ p: null }, { p: {} }))).toEqual([['/p', 'equals']]);
    expect(failures(check(null, { p: 5 }))).toEqual([['', 'equals']]);
    expect(failures(check({ p: 5 }, null))).toEqual([['', 'keys']]);
    expect(isFixed(null)).toBe(true);
  });
});

describe('keys', () => {
  const demand = { a: {}, b: { c: { d: 1, e: { $match: { minimum: 0 } } } } };

  it('are matched to any depth', () => {
    expect(passes(check(demand, { a: 'x', b: { c: { d: 1, e: 5 } } }))).toBe(true);
    expect(passes(checkAtEnd(demand, { b: { c: { e: 5, d: 1 } }, a: 'x' }))).toBe(true);
  });

  it.each<[string, Json, readonly (readonly [string, string])[]]>([
    ['nothing', {}, [['', 'keys']]],
    ['no object', 'x', [['', 'keys']]],
    ['a list', [1], [['', 'keys']]],
    ['a schema for the whole', { $match: { type: 'object' } }, [['', 'keys']]],
    ['one key missing', { a: 1 }, [['/b', 'keys']]],
    ['one key too many', { a: 1, b: { c: { d: 1, e: 1 } }, f: 1 }, [['/f', 'keys']]],
    [
      'a level missing',
      { a: 1, b: { d: 1, e: 1 } },
      [
        ['/b/c', 'keys'],
        ['/b/d', 'keys'],
        ['/b/e', 'keys'],
      ],
    ],
    [
      'a level too many',
      { a: 1, b: { c: { c: { d: 1, e: 1 } } } },
      [
        ['/b/c/d', 'keys'],
        ['/b/c/e', 'keys'],
        ['/b/c/c', 'keys'],
      ],
    ],
    ['any for a level', { a: 1, b: {} }, [['/b', 'keys']]],
    ['null for a level', { a: 1, b: { c: null } }, [['/b/c', 'keys']]],
    [
      'all wrong at once',
      { b: { c: { d: '1', e: -1, x: 0 } }, y: 0 },
      [
        ['/a', 'keys'],
        ['/b/c/d', 'equals'],
        ['/b/c/e', 'match'],
        ['/b/c/x', 'keys'],
        ['/y', 'keys'],
      ],
    ],
  ])('%s', (_, offer, expected) => {
    expect(failures(check(demand, offer))).toEqual(expected);
    expect(failures(checkAtEnd(demand, offer))).toEqual(expected);
  });

  it('a literal list is no object with the keys 0 and 1', () => {
    expect(passes(check({ '0': 'a', '1': 'b' }, ['a', 'b']))).toBe(false);
    expect(passes(check(['a', 'b'], { '0': 'a', '1': 'b' }))).toBe(false);
  });

  it('reports what passed too', () => {
    const clauses = check({ a: 1, b: {}, c: { $match: { type: 'string' } } }, { a: 1, b: 2, c: 'x' });
    expect(clauses.map((clause) => [clause.pointer.slice(site.pointer.length), clause.rule, clause.passed, clause.wouldPass])).toEqual([
      ['/a', 'equals', true, undefined],
      ['/b', 'any', true, undefined],
      ['/c', 'match', true, undefined],
    ]);
  });

  it('are escaped in pointers as RFC 6901 asks', () => {
    const clauses = check({ 'a/b': 1, '~': 1, '~1': 1, '': 1, ' ': 1, '%': 1, 'ä"': 1 }, { other: 1 });
    expect(failures(clauses).map(([at]) => at)).toEqual(['/a~1b', '/~0', '/~01', '/', '/ ', '/%', '/ä"', '/other']);
  });
});

describe('keys that an object inherits', () => {
  const hostile = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'isPrototypeOf', '', 'length', '0'];

  it.each(hostile.map((key) => [key] as const))('%j is a key like any other', (key) => {
    expect(passes(check({ [key]: 1 }, { [key]: 1 }))).toBe(true);
    expect(failures(check({ [key]: 1 }, { [key]: 2 }))).toEqual([[`/${key}`, 'equals']]);
    expect(failures(check({ [key]: {}, a: 1 }, { a: 1 }))).toEqual([[`/${key}`, 'keys']]);
    expect(failures(check({ a: 1 }, { a: 1, [key]: 1 }))).toEqual([[`/${key}`, 'keys']]);
  });

  it('__proto__ is refused, on both sides and at any depth', () => {
    for (const text of ['{"__proto__": 1}', '{"a": {"__proto__": {}}}', '{"a": [{"__proto__": null}]}']) {
      const value = JSON.parse(text) as Json;
      expect(passes(check(value, value))).toBe(false);
      expect(passes(check({}, value))).toBe(false);
      expect(passes(check(value, { a: 1 }))).toBe(false);
    }
  });

  it('a polluted prototype gives nothing away', () => {
    const polluted = Object.prototype as Record<string, unknown>;
    polluted['epoch'] = 5;
    try {
      expect(failures(check({ epoch: 5, a: 1 }, { a: 1 }))).toEqual([['/epoch', 'keys']]);
      expect(failures(check({ epoch: {}, a: 1 }, { a: 1 }))).toEqual([['/epoch', 'keys']]);
      expect(passes(check({ a: { $match: { required: ['epoch'] } } }, { a: { b: 1 } }))).toBe(false);
    } finally {
      delete polluted['epoch'];
    }
  });
});

describe('$match', () => {
  const demand: Json = { p: { $match: { type: 'integer', minimum: 1, maximum: 10 } } };

  it.each([1, 5, 10].map((value) => [value] as const))('takes %j', (value) => {
    expect(passes(check(demand, { p: value }))).toBe(true);
    expect(passes(checkAtEnd(demand, { p: value }))).toBe(true);
  });

  it.each([0, 11, 1.5, '5', null, [5], {}, { a: 5 }, { $match: true }, { $match: { type: 'integer' } }].map((value) => [value] as const))(
    'refuses %j',
    (value) => {
      expect(failures(check(demand, { p: value }))).toEqual([['/p', 'match']]);
      expect(passes(checkAtEnd(demand, { p: value }))).toBe(false);
    },
  );

  it('may be narrowed by a composite and not be left open by an algorithm', () => {
    const narrower: Json = { p: { $match: { type: 'integer', minimum: 2, maximum: 3 } } };
    expect(passes(check(demand, narrower))).toBe(true);
    expect(failures(checkAtEnd(demand, narrower))).toEqual([['/p', 'fixed']]);
    expect(failures(checkAtEnd(demand, demand))).toEqual([['/p', 'fixed']]);
    expect(failures(check(narrower, demand))).toEqual([['/p', 'match']]);
  });

  it('takes whole objects that are fixed, and no others', () => {
    const whole: Json = { p: { $match: { type: 'object', required: ['a'] } } };
    expect(passes(check(whole, { p: { a: 1 } }))).toBe(true);
    expect(failures(check(whole, { p: { b: 1 } }))).toEqual([['/p', 'match']]);
    expect(failures(check(whole, { p: { a: {} } }))).toEqual([['/p', 'match']]);
    expect(failures(check(whole, { p: { a: { $match: true } } }))).toEqual([['/p', 'match']]);
  });

  it('cannot turn a literal into something wider', () => {
    for (const offer of [{}, { $match: true }, { $match: { const: 5 } }, { $match: { enum: [5] } }])
      expect(failures(check({ p: 5 }, { p: offer })), JSON.stringify(offer)).toEqual([['/p', 'equals']]);
  });

  it('says what would pass and why not', () => {
    const [clause] = check(demand, { p: 11 });
    expect(clause?.wouldPass).toContain('"maximum":10');
    expect(clause?.wouldPass).toContain('must be at most 10');
  });
});

describe('what nobody understands', () => {
  const strange: readonly Json[] = [
    { $in: [1, 2] },
    { $match: { type: 'integer' }, minimum: 0 },
    { $match: { type: 'integer' }, $in: [1] },
    { a: 1, $match: { type: 'object' } },
    { a: 1, $or: [] },
    { $: 1 },
    { $ref: '#/a' },
    { $match: null },
    { $match: {} },
    { $match: 'integer' },
    { $match: { $ref: '#' } },
    { $match: { type: 'strong' } },
    { $match: { pattern: '(?=a)' } },
    { $match: { $match: true } },
    [{ $match: true }],
    [{}],
    [[{ a: { $in: [1] } }]],
  ];

  it.each(strange.map((value) => [value] as const))('%j is denied as demand, whatever is offered', (value) => {
    for (const offer of [value, {}, 1, null, 'x', [], { a: 1 }, { $match: true }]) {
      expect(failures(check({ p: value }, { p: offer }))).toEqual([['/p', 'keyword']]);
      expect(passes(check(value, offer))).toBe(false);
      expect(passes(check({ p: { q: value } }, { p: { q: offer } }))).toBe(false);
      expect(passes(checkAtEnd({ p: value }, { p: offer }))).toBe(false);
    }
  });

  it.each(strange.map((value) => [value] as const))('%j is denied as offer, at any depth', (value) => {
    for (const demand of [{}, { $match: true }, { $match: { const: value } }]) {
      expect(passes(check(demand, value)), JSON.stringify(demand)).toBe(false);
      expect(passes(check({ p: demand }, { p: value }))).toBe(false);
      expect(passes(check({ p: demand }, { p: { q: { r: value } } }))).toBe(false);
      expect(passes(checkAtEnd({ p: demand }, { p: { q: value } }))).toBe(false);
    }
    expect(failures(check({ p: {} }, { p: { q: value } }))).toEqual([['/p', 'keyword']]);
    expect(passes(check({ p: 1 }, { p: value }))).toBe(false);
    expect(passes(check({ p: { a: {} } }, { p: value }))).toBe(false);
  });

  it('does not hide the other failures around it', () => {
    const found = failures(check({ a: 1, b: { $in: [1] }, c: 2, d: { e: 3 } }, { a: 0, b: 1, c: 0, d: { e: 3, $x: 1 } }));
    expect(found).toEqual([
      ['/a', 'equals'],
      ['/b', 'keyword'],
      ['/c', 'equals'],
      ['/d/$x', 'keyword'],
    ]);
  });

  it('is listed completely, with the places', () => {
    const [clause] = check({}, { a: { $in: 1 }, b: { c: [{}] }, d: 1 });
    expect(clause?.wouldPass).toContain('/a:');
    expect(clause?.wouldPass).toContain('/b/c:');
  });

  it('the owner is told when it is the owner that has to correct', () => {
    expect(check({ p: { $in: [1] } }, { p: 1 })[0]?.wouldPass).toMatch(/^the owner corrects its constraint: the keyword \$in/);
  });
});

describe('widening', () => {
  it.each<[string, Json, Json]>([
    ['any over a literal', 1, {}],
    ['any over a $match', { $match: { minimum: 0 } }, {}],
    ['any over keys', { a: 1 }, {}],
    ['$match over a literal', 1, { $match: { const: 1 } }],
    ['a wider $match', { $match: { minimum: 1 } }, { $match: { minimum: 0 } }],
    ['a $match with fewer keywords', { $match: { minimum: 1, type: 'integer' } }, { $match: { minimum: 1 } }],
    ['a longer list of values', { $match: { enum: [1] } }, { $match: { enum: [1, 2] } }],
    ['$match true', { $match: { type: 'integer' } }, { $match: true }],
    ['an object that is partly open', { $match: { type: 'object' } }, { a: {} }],
    ['one key more', { a: {} }, { a: {}, b: {} }],
    ['one key less', { a: {}, b: {} }, { a: {} }],
    ['a key renamed', { a: {} }, { b: {} }],
  ])('%s is denied', (_, demand, offer) => {
    for (const wrap of [(x: Json): Json => x, (x: Json): Json => ({ p: x }), (x: Json): Json => ({ p: { q: x }, r: 1 })]) {
      expect(passes(check(wrap(demand), wrap(offer)))).toBe(false);
      expect(passes(checkAtEnd(wrap(demand), wrap(offer)))).toBe(false);
    }
  });
});

describe('the parameters as a whole', () => {
  it('may be none at all', () => {
    expect(passes(evaluateParameters({}, {}, site, true))).toBe(true);
    expect(passes(evaluateParameters({}, {}, site, false))).toBe(true);
  });

  it('are otherwise as everywhere', () => {
    expect(passes(evaluateParameters({ a: {} }, {}, site, true))).toBe(false);
    expect(passes(evaluateParameters({ a: {} }, { a: {} }, site, true))).toBe(false);
    expect(passes(evaluateParameters({ a: {} }, { a: 1 }, site, true))).toBe(true);
    expect(passes(evaluateParameters({}, { $match: true }, site, true))).toBe(false);
    expect(passes(evaluateParameters({ $match: true }, {}, site, true))).toBe(false);
  });
});
