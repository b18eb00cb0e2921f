import { describe, expect, it } from 'vitest';
import type { LineageAnswer, LineageEdge, LineageNode } from '../../../web/src/pages/lineage/answer.js';
import { layoutOf, NODE, spread } from '../../../web/src/pages/lineage/layout.js';
import { FAN, neighboursOf, visibleGraph, wayTo } from '../../../web/src/pages/lineage/visible.js';
import { generatedLineage } from '../../browser/generated-lineage.js';

const everything = { opened: new Set<string>(), closed: new Set<string>(), pinned: new Set<string>() };
const drawn = (answer: LineageAnswer, more: object = {}) =>
  visibleGraph(answer, neighboursOf(answer), { root: answer.root ?? '', ...everything, isAll: false, ...more });

describe('the picture of a lineage', () => {
  const answer = generatedLineage(2000);
  const { nodes, edges } = drawn(answer, { isAll: true });

  it('places 2,000 nodes without overlap, every line from left to right', () => {
    expect(nodes).toHaveLength(2000);
    const { places, columns, width, height } = layoutOf(nodes, edges);
    expect(places.size).toBe(2000);
    for (const column of columns)
      for (const [i, id] of column.entries()) {
        const [above, here] = [places.get(column[i - 1] ?? ''), places.get(id)];
        expect((here?.y ?? Number.NaN) - (above?.y ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(NODE.height);
        expect(here?.x).toBeLessThanOrEqual(width - NODE.width);
        expect(here?.y).toBeGreaterThanOrEqual(0);
        expect(here?.y).toBeLessThanOrEqual(height - NODE.height);
      }
    for (const { from, to } of edges) expect(places.get(from)?.column).toBeLessThan(places.get(to)?.column ?? -1);
  });

  it('puts what belongs together side by side', () => {
    const node = (id: string, kind: 'asset' | 'composite'): Pick<LineageNode, 'id' | 'kind'> => ({ id, kind });
    const pairs: readonly Pick<LineageEdge, 'from' | 'to'>[] = [
      { from: 'a', to: 'z' },
      { from: 'b', to: 'y' },
      { from: 'c', to: 'x' },
    ];
    const { columns } = layoutOf(
      [...['a', 'b', 'c'].map((id) => node(id, 'asset')), ...['x', 'y', 'z'].map((id) => node(id, 'composite'))],
      pairs,
    );
    const [left = [], right = []] = columns;
    expect(right).toEqual(left.map((id) => pairs.find(({ from }) => from === id)?.to));
  });

  it('spreads heights by as little as the order allows', () => {
    expect(spread([0, 0, 0], 10)).toEqual([-10, 0, 10]);
    expect(spread([0, 50, 100], 10)).toEqual([0, 50, 100]);
    expect(spread([], 10)).toEqual([]);
  });

  it('draws a few neighbours of each at first, and says how many wait', () => {
    const few = drawn(answer);
    const { root = '' } = answer;
    const around = neighboursOf(answer).get(root)?.length ?? 0;
    expect(around).toBeGreaterThan(FAN);
    expect(few.hidden.get(root)).toBeGreaterThanOrEqual(around - FAN - 1);
    expect(few.nodes.length).toBeLessThan(400);
    expect(drawn(answer, { opened: new Set([root]) }).hidden.get(root)).toBeUndefined();
    expect(drawn(answer, { closed: new Set([root]) }).nodes.map(({ id }) => id)).toEqual([root]);
  });

  it('draws what was searched for, with the way to it', () => {
    const neighbours = neighboursOf(answer);
    const goal = answer.nodes.at(-1)?.id ?? '';
    const way = wayTo(neighbours, answer.root ?? '', goal);
    expect(way.at(-1)).toBe(goal);
    const shown = new Set(drawn(answer, { pinned: new Set(way) }).nodes.map(({ id }) => id));
    for (const id of way) expect(shown).toContain(id);
    expect(wayTo(neighbours, answer.root ?? '', 'nowhere')).toEqual([]);
  });
});
