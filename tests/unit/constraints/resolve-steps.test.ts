import { describe, expect, it } from 'vitest';
import { checkTree } from '../../../src/constraints/check-tree.js';
import { checkArguments, resolveSteps, type Step } from '../../../src/constraints/resolve-steps.js';
import type { Json, JsonObject } from '../../../src/documents/canonical.js';
import type { Ddo } from '../../../src/documents/ddo/ddo.js';
import type { Clause } from '../../../src/documents/decision/decision.js';
import { algorithm, documentsOf, leaf, OPERATOR, operator, operatorsOf, tokenId, union } from './trees.js';

const operators = operatorsOf(operator({ rate: {}, epochs: {} }));
const open: JsonObject = { rate: {}, epochs: {} };
const args = (rate: Json, epochs: Json = 1): JsonObject => ({ rate, epochs });
const failed = (clauses: readonly Clause[]): readonly (readonly [string, string, string])[] =>
  clauses.filter((clause) => !clause.passed).map((clause) => [clause.of, clause.pointer, clause.rule]);

function only(steps: readonly Step[]): Step {
  const [step] = steps;
  if (step === undefined || steps.length !== 1) throw new Error(`one step was expected, there are ${steps.length}`);
  return step;
}

describe('resolveSteps', () => {
  const one = leaf(1, [
    { index: 'a', constraint: open },
    { index: 'b', constraint: { rate: 0, epochs: {} } },
  ]);
  const two = leaf(2, [{ index: 'a', constraint: open }]);
  const lower = union(10, {
    s: { 1: ['b', { rate: 0, epochs: { $match: { maximum: 9 } } }], 2: ['a', open] },
    t: { 1: ['a', open], 2: ['a', open] },
  });
  const upper = union(11, { s: { 10: ['s', { [one.dt]: { rate: 0, epochs: { $match: { maximum: 5 } } }, [two.dt]: open }] } });

  it('finds the leaf right below', () => {
    const top = algorithm(20, { 1: ['b', args(0)] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, one));
    expect(problems).toEqual([]);
    expect(steps).toEqual([
      {
        token: one.dt,
        path: [top.dt, one.dt],
        service: one.services[1],
        arguments: args(0),
        demands: [{ of: one.dt, constraint: { rate: 0, epochs: {} }, pointer: '/services/1/descriptor/constraint' }],
      },
    ]);
    expect(failed(checkArguments(only(steps), operators))).toEqual([]);
  });

  it('goes down three levels, and keeps what each of them demands', () => {
    const top = algorithm(20, { 11: ['s', { [lower.dt]: { [one.dt]: args(0, 5), [two.dt]: args(1, 1) } }] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, upper, lower, one, two));
    expect(problems).toEqual([]);
    expect(steps.map((step) => [step.token, step.service.index, step.arguments])).toEqual([
      [one.dt, 'b', args(0, 5)],
      [two.dt, 'a', args(1, 1)],
    ]);
    expect(steps[0]?.path).toEqual([top.dt, upper.dt, lower.dt, one.dt]);
    expect(steps[0]?.demands).toEqual([
      {
        of: upper.dt,
        constraint: { rate: 0, epochs: { $match: { maximum: 5 } } },
        pointer: `/services/0/descriptor/workflow/${lower.dt}/constraint/${one.dt}`,
      },
      {
        of: lower.dt,
        constraint: { rate: 0, epochs: { $match: { maximum: 9 } } },
        pointer: `/services/0/descriptor/workflow/${one.dt}/constraint`,
      },
      { of: one.dt, constraint: { rate: 0, epochs: {} }, pointer: '/services/1/descriptor/constraint' },
    ]);
    for (const step of steps) expect(failed(checkArguments(step, operators))).toEqual([]);
  });

  it('keeps the tree order of several leaves and several branches', () => {
    const three = leaf(3, [{ index: 'a', constraint: open }]);
    const top = algorithm(20, { 3: ['a', args(3)], 10: ['t', { [one.dt]: args(1), [two.dt]: args(2) }] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, lower, one, two, three));
    expect(problems).toEqual([]);
    expect(steps.map((step) => step.token)).toEqual([three.dt, one.dt, two.dt]);
    expect(steps.map((step) => step.service.index)).toEqual(['a', 'a', 'a']);
  });

  it('starts at algorithms only', () => {
    const { steps, problems } = resolveSteps(lower, documentsOf(lower, one, two));
    expect(steps).toEqual([]);
    expect(failed(problems)).toEqual([[lower.dt, '/metadata/main/type', 'tree']]);
    expect(failed(resolveSteps(one, documentsOf(one)).problems)).toEqual([[one.dt, '/metadata/main/type', 'tree']]);
  });

  it('names children that cannot be read, and goes on with the others', () => {
    const top = algorithm(20, { 1: ['a', args(0)], 2: ['a', args(0)] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, two));
    expect(steps.map((step) => step.token)).toEqual([two.dt]);
    expect(failed(problems)).toEqual([[top.dt, `/services/0/descriptor/workflow/${one.dt}/constraint`, 'tree']]);
  });

  it('names services that are not there', () => {
    const top = algorithm(20, { 1: ['c', args(0)], 10: ['S', { [one.dt]: args(0), [two.dt]: args(0) }] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, lower, one, two));
    expect(steps).toEqual([]);
    expect(failed(problems)).toEqual([
      [one.dt, '/services', 'service'],
      [lower.dt, '/services', 'service'],
    ]);
  });

  it('does not take an algorithm as child', () => {
    const ready = algorithm(21, { 1: ['a', args(0)] });
    const top = algorithm(20, { 21: ['only', { [one.dt]: args(0) }] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, ready, one));
    expect(steps).toEqual([]);
    expect(failed(problems)).toEqual([[ready.dt, '/metadata/main/type', 'tree']]);
  });

  it('does not follow a circle', () => {
    const a = union(10, { s: { 11: ['s', { [tokenId(10)]: {} }] } });
    const b = union(11, { s: { 10: ['s', { [tokenId(11)]: {} }] } });
    const top = algorithm(20, { 10: ['s', { [b.dt]: { [a.dt]: {} } }] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, a, b));
    expect(steps).toEqual([]);
    expect(problems.find((one) => one.of === a.dt && one.rule === 'tree')?.wouldPass).toBe('not to be made of itself');
    const self = algorithm(22, { 22: ['only', {}] });
    expect(failed(resolveSteps(self, documentsOf(self)).problems)).toEqual([[self.dt, '/', 'tree']]);
  });

  it('reaches every leaf once', () => {
    const other = union(12, { s: { 1: ['a', open] } });
    const top = algorithm(20, { 1: ['a', args(0)], 12: ['s', { [one.dt]: args(1) }] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, other, one));
    expect(steps).toHaveLength(1);
    expect(failed(problems)).toEqual([[one.dt, '/', 'tree']]);
    expect(failed(checkTree(top.dt, documentsOf(top, other, one), operators))).toContainEqual([one.dt, '/', 'tree']);
  });

  it('is done with a tower of diamonds after looking at every token once', { timeout: 20_000 }, () => {
    const ddos: Ddo[] = [one];
    let below: readonly number[] = [1];
    for (let level = 1; level <= 40; level += 1) {
      const pair = [level * 2 + 100, level * 2 + 101];
      for (const n of pair) ddos.push(union(n, { s: Object.fromEntries(below.map((child) => [child, [level === 1 ? 'a' : 's', {}]])) }));
      below = pair;
    }
    const top = algorithm(999, Object.fromEntries(below.map((child) => [child, ['s', {}]])));
    const { problems } = resolveSteps(top, documentsOf(top, ...ddos));
    expect(failed(problems).filter(([, , rule]) => rule === 'tree').length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThan(10_000);
  });

  it('ignores nothing that a level above passes to a composite', () => {
    const extra = algorithm(20, { 10: ['t', { [one.dt]: args(1), [two.dt]: args(2), [tokenId(7)]: args(3) }] });
    expect(failed(resolveSteps(extra, documentsOf(extra, lower, one, two)).problems)).toEqual([
      [lower.dt, '/services/1/descriptor/workflow', 'keys'],
    ]);
    const short = algorithm(20, { 10: ['t', { [one.dt]: args(1) }] });
    const { steps, problems } = resolveSteps(short, documentsOf(short, lower, one, two));
    expect(steps.map((step) => step.token)).toEqual([one.dt]);
    expect(failed(problems)).toContainEqual([lower.dt, `/services/1/descriptor/workflow/${two.dt}/constraint`, 'keys']);
    const between = union(11, { s: { 10: ['t', { [one.dt]: open, [two.dt]: open, note: {} }] } });
    const top = algorithm(20, { 11: ['s', { [lower.dt]: { [one.dt]: args(1), [two.dt]: args(2) } }] });
    const found = resolveSteps(top, documentsOf(top, between, lower, one, two)).problems;
    expect(found.map((clause) => [clause.of, clause.by, clause.wouldPass])).toEqual([
      [lower.dt, between.dt, `leave out note; it is not a child of ${lower.dt}`],
    ]);
  });
});

describe('checkArguments', () => {
  const one = leaf(1, [{ index: 'a', constraint: { rate: { $match: { minimum: 0, maximum: 4 } }, epochs: {} } }]);
  const lower = union(10, { s: { 1: ['a', { rate: { $match: { minimum: 1, maximum: 3 } }, epochs: {} }] } });
  const upper = union(11, { s: { 10: ['s', { [one.dt]: { rate: { $match: { enum: [2, 3] } }, epochs: 7 } }] } });
  const stepFor = (passed: JsonObject, levels: readonly Ddo[] = [upper, lower]): Step => {
    const top =
      levels.length === 2
        ? algorithm(20, { 11: ['s', { [lower.dt]: { [one.dt]: passed } }] })
        : levels.length === 1
          ? algorithm(20, { 10: ['s', { [one.dt]: passed }] })
          : algorithm(20, { 1: ['a', passed] });
    const { steps, problems } = resolveSteps(top, documentsOf(top, ...levels, one));
    expect(problems).toEqual([]);
    return only(steps);
  };
  const pointers = {
    upper: `/services/0/descriptor/workflow/${lower.dt}/constraint/${one.dt}`,
    lower: `/services/0/descriptor/workflow/${one.dt}/constraint`,
    leaf: '/services/0/descriptor/constraint',
  };

  it('passes what every level passes', () => {
    const clauses = checkArguments(stepFor({ rate: 2, epochs: 7 }), operators);
    expect(failed(clauses)).toEqual([]);
    expect(new Set(clauses.map((clause) => clause.of))).toEqual(new Set([upper.dt, lower.dt, one.dt, OPERATOR]));
    expect(clauses.every((clause) => clause.by === tokenId(20))).toBe(true);
  });

  it.each<[number, readonly (readonly [string, string])[]]>([
    [1, [['upper', '/rate']]],
    [
      0,
      [
        ['upper', '/rate'],
        ['lower', '/rate'],
      ],
    ],
    [
      4,
      [
        ['upper', '/rate'],
        ['lower', '/rate'],
      ],
    ],
    [
      5,
      [
        ['upper', '/rate'],
        ['lower', '/rate'],
        ['leaf', '/rate'],
      ],
    ],
  ])('rate %d is refused by each level that does not want it', (rate, levels) => {
    const ids = { upper: upper.dt, lower: lower.dt, leaf: one.dt };
    const expected = levels.map(([level, where]) => {
      const name = level as keyof typeof pointers;
      return [ids[name], pointers[name] + where, 'match'];
    });
    expect(failed(checkArguments(stepFor({ rate, epochs: 7 }), operators))).toEqual(expected);
  });

  it('holds the levels between even when a union wrongly widened', () => {
    const wide = union(10, { s: { 1: ['a', open] } });
    expect(failed(checkArguments(stepFor({ rate: 9, epochs: 1 }, [wide]), operators))).toEqual([
      [one.dt, `${pointers.leaf}/rate`, 'match'],
    ]);
  });

  it('refuses arguments that are open, missing, extra or unknown', () => {
    const rules = (passed: JsonObject): readonly string[] =>
      failed(checkArguments(stepFor(passed, []), operators)).map(([, where, rule]) => `${where.split('/').at(-1)} ${rule}`);
    expect(rules({ rate: 1, epochs: {} })).toEqual(['epochs fixed', 'epochs fixed']);
    expect(rules({ rate: { $match: { const: 1 } }, epochs: 1 })).toEqual(['rate fixed', 'rate fixed']);
    expect(rules({ rate: 1 })).toEqual(['epochs keys', 'epochs keys']);
    expect(rules({ rate: 1, epochs: 1, more: 1 })).toEqual(['more keys', 'more keys']);
    expect(rules({ rate: 1, epochs: { deep: { $in: [] } } })).toEqual(['epochs keyword', 'epochs keyword']);
    expect(rules({})).toEqual(['constraint keys', 'params keys']);
  });

  it('needs the operator, and holds its template too', () => {
    const step = stepFor({ rate: 1, epochs: 1 }, []);
    expect(failed(checkArguments(step, new Map()))).toEqual([[OPERATOR, '/', 'operator']]);
    const strict = operatorsOf(operator({ rate: { $match: { maximum: 0 } }, epochs: {} }));
    expect(failed(checkArguments(step, strict))).toEqual([[OPERATOR, '/params/rate', 'match']]);
  });

  it('takes an operator without parameters', () => {
    const bare = leaf(1, [{ index: 'a', constraint: {} }]);
    const top = algorithm(20, { 1: ['a', {}] });
    const { steps } = resolveSteps(top, documentsOf(top, bare));
    expect(failed(checkArguments(only(steps), operatorsOf(operator({}))))).toEqual([]);
    expect(failed(checkArguments(only(steps), operators))).toHaveLength(1);
  });
});
