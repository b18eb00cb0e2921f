import { describe, expect, it } from 'vitest';
import { checkComposite, checkLeaf, checkTree, type Documents, demandsOf } from '../../../src/constraints/check-tree.js';
import type { JsonObject } from '../../../src/documents/canonical.js';
import type { Ddo } from '../../../src/documents/ddo/ddo.js';
import type { Clause } from '../../../src/documents/decision/decision.js';
import { algorithm, documentsOf, leaf, OPERATOR, operator, operatorsOf, tokenId, union } from './trees.js';

const template = { rate: {}, epochs: {}, model: { depth: {} } };
const open = (rate: JsonObject[string] = {}): JsonObject => ({ rate, epochs: {}, model: { depth: {} } });
const fixed = { rate: 0, epochs: 10, model: { depth: 3 } };
const operators = operatorsOf(operator(template));
const at = (service: number, ...rest: readonly string[]): string => ['', 'services', service, 'descriptor', ...rest].join('/');

const failed = (clauses: readonly Clause[]): readonly (readonly [string, string, string, string])[] =>
  clauses.filter((clause) => !clause.passed).map((clause) => [clause.of, clause.by, clause.pointer, clause.rule]);
const tree = (root: Ddo, ...others: readonly Ddo[]): readonly Clause[] => checkTree(root.dt, documentsOf(root, ...others), operators);

describe('a leaf', () => {
  it('meets the template of its operator', () => {
    expect(failed(checkLeaf(leaf(1, [{ index: 's', constraint: open(0) }]), operators))).toEqual([]);
  });

  it('is checked in every service, not in the first alone', () => {
    const bad = leaf(1, [
      { index: 'good', constraint: open() },
      { index: 'short', constraint: { rate: {} } },
      { index: 'long', constraint: { ...open(), extra: 0 } },
      { index: 'unknown', constraint: open({ $in: [1] }) },
    ]);
    expect(failed(checkLeaf(bad, operators))).toEqual([
      [OPERATOR, bad.dt, '/params/epochs', 'keys'],
      [OPERATOR, bad.dt, '/params/model', 'keys'],
      [OPERATOR, bad.dt, '/params/extra', 'keys'],
      [OPERATOR, bad.dt, '/params/rate', 'keyword'],
    ]);
  });

  it('may not be wider than an operator that knows better', () => {
    const strict = operatorsOf(operator({ rate: { $match: { minimum: 0, maximum: 1 } } }));
    const rate = (constraint: JsonObject[string]): readonly unknown[] =>
      failed(checkLeaf(leaf(1, [{ index: 's', constraint: { rate: constraint } }]), strict));
    expect(rate(0.5)).toEqual([]);
    expect(rate({ $match: { minimum: 0.1, maximum: 0.2 } })).toEqual([]);
    expect(rate({})).toHaveLength(1);
    expect(rate(2)).toHaveLength(1);
  });

  it('declares outputs whose schemas the release gate can read', () => {
    const clauses = checkLeaf(
      leaf(1, [
        { index: 'a', constraint: open(), outputs: [{ name: 'a.json', schema: { type: 'object' } }, { name: 'b.csv' }] },
        { index: 'b', constraint: open(), outputs: [{ name: 'c.json', schema: { $ref: '#/x' } }] },
      ]),
      operators,
    );
    expect(clauses.filter(({ rule }) => rule === 'release').map(({ pointer, passed }) => [pointer, passed])).toEqual([
      ['/services/0/outputs/0', true],
      ['/services/0/outputs/1', true],
      ['/services/1/outputs/0/schema', false],
    ]);
  });

  it('needs operators that are published, in every service', () => {
    const other = tokenId(0xdef);
    const bad = leaf(1, [
      { index: 'a', constraint: open() },
      { index: 'b', constraint: open(), template: other },
    ]);
    expect(failed(checkLeaf(bad, operators))).toEqual([[bad.dt, bad.dt, at(1, 'template'), 'operator']]);
    expect(failed(checkLeaf(bad, new Map()))).toHaveLength(2);
  });
});

describe('a composite of leaves', () => {
  const one = leaf(1, [
    { index: 'a', constraint: open() },
    { index: 'b', constraint: { ...open(0), epochs: { $match: { type: 'integer', maximum: 10 } } } },
  ]);
  const two = leaf(2, [{ index: 'a', constraint: open(5) }]);
  const documents = documentsOf(one, two);

  it('narrows', () => {
    const good = union(10, { s: { 1: ['b', { ...open(0), epochs: { $match: { type: 'integer', maximum: 5 } } }], 2: ['a', open(5)] } });
    expect(failed(checkComposite(good, documents))).toEqual([]);
    expect(failed(tree(good, one, two))).toEqual([]);
  });

  it('is held to the service that it names', () => {
    const wide = union(10, { s: { 1: ['a', open(7)], 2: ['a', open(5)] }, t: { 1: ['b', open(7)], 2: ['a', open(6)] } });
    expect(failed(checkComposite(wide, documents))).toEqual([
      [one.dt, wide.dt, at(1, 'constraint', 'rate'), 'equals'],
      [one.dt, wide.dt, at(1, 'constraint', 'epochs'), 'match'],
      [two.dt, wide.dt, at(0, 'constraint', 'rate'), 'equals'],
    ]);
  });

  it('may not name a service that is not there, nor a child that cannot be read', () => {
    const bad = union(10, { s: { 1: ['c', open()], 3: ['a', open()] } });
    const clauses = checkComposite(bad, documents);
    expect(failed(clauses)).toEqual([
      [one.dt, bad.dt, '/services', 'service'],
      [bad.dt, bad.dt, at(0, 'workflow', tokenId(3)), 'tree'],
    ]);
    expect(clauses[0]?.wouldPass).toBe('one of the services a, b; c is none of them');
  });

  it('may not be made of an algorithm', () => {
    const ready = algorithm(20, { 1: ['a', fixed] });
    const bad = union(10, { s: { 20: ['only', { [tokenId(1)]: fixed }] } });
    expect(failed(tree(bad, ready, one))).toEqual([[ready.dt, bad.dt, '/metadata/main/type', 'tree']]);
  });

  it('leaves things open when it is a union, and nothing when it is an algorithm', () => {
    expect(failed(tree(union(10, { s: { 1: ['a', open()] } }), one))).toEqual([]);
    const lazy = algorithm(20, { 1: ['a', open()] });
    expect(failed(tree(lazy, one))).toEqual([
      [one.dt, lazy.dt, at(0, 'constraint', 'rate'), 'fixed'],
      [one.dt, lazy.dt, at(0, 'constraint', 'epochs'), 'fixed'],
      [one.dt, lazy.dt, at(0, 'constraint', 'model', 'depth'), 'fixed'],
    ]);
    expect(failed(tree(algorithm(20, { 1: ['a', fixed] }), one))).toEqual([]);
  });
});

describe('unions of unions', () => {
  const one = leaf(1, [{ index: 'x', constraint: open({ $match: { minimum: 0 } }) }]);
  const two = leaf(2, [{ index: 'x', constraint: open() }]);
  const lower = union(10, {
    s: { 1: ['x', open({ $match: { minimum: 1 } })], 2: ['x', open()] },
    loose: { 1: ['x', open({ $match: { minimum: 0 } })], 2: ['x', open()] },
  });
  const passed = (rate1: JsonObject[string], rate2: JsonObject[string] = {}): JsonObject => ({
    [tokenId(1)]: open(rate1),
    [tokenId(2)]: open(rate2),
  });
  const upper = union(11, { s: { 10: ['s', passed({ $match: { minimum: 2 } })] } });
  const everything = [one, two, lower, upper];
  const top = (constraint: JsonObject): Ddo => algorithm(20, { 11: ['s', { [lower.dt]: constraint }] });
  const fix = (rate1: number, rate2 = 0): JsonObject => ({
    [tokenId(1)]: { ...fixed, rate: rate1 },
    [tokenId(2)]: { ...fixed, rate: rate2 },
  });

  it('pass when every level narrows', () => {
    const clauses = tree(top(fix(2)), ...everything);
    expect(failed(clauses)).toEqual([]);
    expect(new Set(clauses.map((clause) => clause.by))).toEqual(new Set([tokenId(20), upper.dt, lower.dt, one.dt, two.dt]));
  });

  it('fail at the level that widens, named with the document it widens', () => {
    const wideAbove = union(11, { s: { 10: ['s', passed({ $match: { minimum: 0 } })] } });
    expect(failed(tree(wideAbove, one, two, lower))).toEqual([
      [lower.dt, wideAbove.dt, `${at(0, 'workflow', one.dt, 'constraint')}/rate`, 'match'],
    ]);
    const wideBelow = union(10, { s: { 1: ['x', open({ $match: { minimum: -1 } })], 2: ['x', open()] } });
    expect(failed(tree(wideBelow, one, two))).toEqual([[one.dt, wideBelow.dt, at(0, 'constraint', 'rate'), 'match']]);
    const low = top(fix(1));
    expect(failed(tree(low, ...everything))).toEqual([
      [upper.dt, low.dt, `${at(0, 'workflow', lower.dt, 'constraint')}/${one.dt}/rate`, 'match'],
    ]);
  });

  it('fail at every level at once, and every failure is reported', () => {
    const badLeaf = leaf(2, [{ index: 'x', constraint: { rate: 1 } }]);
    const badLower = union(10, { s: { 1: ['x', open({})], 2: ['x', open()] } });
    const bad = top(fix(1));
    const found = failed(checkTree(bad.dt, documentsOf(bad, upper, badLower, one, badLeaf), operators));
    const places = new Set(found.map(([of, by]) => `${of} ${by}`));
    expect(places).toEqual(
      new Set([`${upper.dt} ${bad.dt}`, `${one.dt} ${badLower.dt}`, `${badLeaf.dt} ${badLower.dt}`, `${OPERATOR} ${badLeaf.dt}`]),
    );
  });

  it('use the service that the union names, at every level', () => {
    const loose = union(11, { s: { 10: ['loose', passed({ $match: { minimum: 0 } })] } });
    expect(failed(tree(loose, one, two, lower))).toEqual([]);
  });

  it.each<[string, JsonObject, readonly string[]]>([
    ['nothing', {}, ['keys', 'keys']],
    ['one child too few', { [tokenId(1)]: open(5) }, ['keys']],
    ['one child too many', { ...passed(5), [tokenId(3)]: open() }, ['keys']],
    ['an unknown keyword beside the children', { ...passed(5), $in: [] }, ['keys']],
    ['a schema for all children', { $match: { type: 'object' } }, ['keys', 'keys', 'keys']],
    ['any for a child', { ...passed(5), [tokenId(2)]: {} }, ['keys']],
    ['null for a child', { ...passed(5), [tokenId(2)]: null }, ['keys']],
  ])('are not satisfied by %s', (_, constraint, rules) => {
    const bad = union(11, { s: { 10: ['s', constraint] } });
    expect(failed(tree(bad, one, two, lower)).map(([, , , rule]) => rule)).toEqual(rules);
  });
});

describe('operators without parameters', () => {
  it('can be used, through every level', () => {
    const none = operatorsOf(operator({}));
    const one = leaf(1, [{ index: 'x', constraint: {} }]);
    const lower = union(10, { s: { 1: ['x', {}] } });
    const upper = union(11, { s: { 10: ['s', { [one.dt]: {} }] } });
    const top = algorithm(20, { 11: ['s', { [lower.dt]: { [one.dt]: {} } }] });
    const direct = algorithm(21, { 1: ['x', {}] });
    const documents = documentsOf(one, lower, upper, top, direct);
    expect(failed(checkTree(top.dt, documents, none))).toEqual([]);
    expect(failed(checkTree(direct.dt, documents, none))).toEqual([]);
    expect(failed(checkTree(direct.dt, documents, operators))).toHaveLength(1);
  });
});

describe('what is not a tree', () => {
  const one = leaf(1, [{ index: 'x', constraint: open() }]);

  it('a root that cannot be read', () => {
    expect(failed(checkTree(tokenId(9), new Map(), operators))).toEqual([[tokenId(9), tokenId(9), '/', 'tree']]);
  });

  it('a token made of itself', () => {
    const self = union(10, { s: { 10: ['s', { [tokenId(10)]: {} }] } });
    expect(failed(tree(self))).toContainEqual([self.dt, self.dt, '/', 'tree']);
  });

  it('a circle', () => {
    const a = union(10, { s: { 11: ['s', { [tokenId(12)]: {} }] } });
    const b = union(11, { s: { 12: ['s', { [tokenId(10)]: {} }] } });
    const c = union(12, { s: { 10: ['s', { [tokenId(11)]: {} }] } });
    expect(failed(tree(a, b, c))).toContainEqual([a.dt, c.dt, '/', 'tree']);
  });

  it('a diamond', () => {
    const left = union(10, { s: { 1: ['x', open()] } });
    const right = union(11, { s: { 1: ['x', open()] } });
    const both = union(12, { s: { 10: ['s', { [one.dt]: open() }], 11: ['s', { [one.dt]: open() }] } });
    expect(failed(tree(both, left, right, one))).toEqual([[one.dt, right.dt, '/', 'tree']]);
  });

  it('a tower of diamonds is looked at once a token', { timeout: 20_000 }, () => {
    const ddos: Ddo[] = [one];
    let below: readonly number[] = [1];
    for (let level = 1; level <= 40; level += 1) {
      const pair = [level * 2 + 100, level * 2 + 101];
      for (const n of pair) ddos.push(union(n, { s: Object.fromEntries(below.map((child) => [child, [level === 1 ? 'x' : 's', {}]])) }));
      below = pair;
    }
    const top = union(999, { s: Object.fromEntries(below.map((child) => [child, ['s', {}]])) });
    const documents: Documents = documentsOf(top, ...ddos);
    expect(failed(checkTree(top.dt, documents, operators)).filter(([, , , rule]) => rule === 'tree').length).toBeLessThan(200);
  });
});

describe('demandsOf', () => {
  it('points into the document', () => {
    const one = leaf(1, [
      { index: 'a', constraint: open() },
      { index: 'b', constraint: open(0) },
    ]);
    const second = one.services[1];
    if (second === undefined) throw new Error('the leaf has two services');
    expect(demandsOf(one, second)).toEqual([{ constraint: open(0), pointer: '/services/1/descriptor/constraint' }]);
    const both = union(10, { s: { 1: ['a', open()], 2: ['b', fixed] } });
    expect(both.services.flatMap((service) => demandsOf(both, service))).toEqual([
      { child: tokenId(1), constraint: open(), pointer: at(0, 'workflow', tokenId(1), 'constraint') },
      { child: tokenId(2), constraint: fixed, pointer: at(0, 'workflow', tokenId(2), 'constraint') },
    ]);
  });
});
