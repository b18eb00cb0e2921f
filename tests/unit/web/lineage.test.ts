import { describe, expect, it } from 'vitest';
import type { LineageAnswer, LineageEdge, LineageNode } from '../../../web/src/pages/lineage/answer.js';
import { blockRows } from '../../../web/src/pages/lineage/block-rows.js';
import { GUTTER, layoutOf, NODE } from '../../../web/src/pages/lineage/layout.js';
import { curve } from '../../../web/src/pages/lineage/paths.js';
import { spread } from '../../../web/src/pages/lineage/spread.js';
import { FAN, neighboursOf, visibleGraph, wayTo } from '../../../web/src/pages/lineage/visible.js';
import { generatedLineage } from '../../browser/generated-lineage.js';

const step = { x: NODE.width + GUTTER.x, y: NODE.height + GUTTER.y };
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

  it('makes a grid of what would be a long column, so that the whole fits a screen', () => {
    const { columns, heads, width, height } = layoutOf(nodes, edges);
    expect(heads.map(({ kind }) => kind)).toEqual(['asset', 'composite', 'algorithm', 'job', 'receipt']);
    expect(columns.length).toBeGreaterThan(15);
    expect(width / height).toBeGreaterThan(0.8);
    expect(width / height).toBeLessThan(2.5);
    const few = layoutOf(nodes.slice(0, 20), []);
    expect(few.columns).toHaveLength(1);
    expect(blockRows([], step)).toBe(blockRows([3, 5], step));
    expect(Math.ceil(2000 / blockRows([2000], step)) * step.x).toBeLessThanOrEqual(1.6 * blockRows([2000], step) * step.y);
    expect(layoutOf([], [])).toMatchObject({ columns: [], heads: [], height: 0 });
  });

  it('fills a grid row by row, so that what belongs together is as high', () => {
    const kind = 'asset' as const;
    const leaves = Array.from({ length: 400 }, (_, i) => ({ id: `leaf ${i}`, kind }));
    const unions = Array.from({ length: 40 }, (_, i) => ({ id: `union ${i}`, kind: 'composite' as const }));
    const lines = leaves.map(({ id }, i) => ({ from: id, to: `union ${(i * 7) % 40}` }));
    const { places } = layoutOf([...leaves, ...unions], lines);
    const climbs = lines.map(({ from, to }) => Math.abs((places.get(from)?.y ?? Number.NaN) - (places.get(to)?.y ?? 0)));
    // The grids have 34 and 20 rows about one middle.
    expect(Math.max(...climbs)).toBeLessThan(8 * step.y);
  });

  it('leads no line across a node of the blocks it joins', () => {
    const { places } = layoutOf(nodes, edges);
    const all = [...places.values()];
    const isFree = (x1: number, x2: number, y: number): boolean =>
      all.every((at) => at.x >= x2 || at.x + NODE.width <= x1 || y <= at.y || y >= at.y + NODE.height);
    for (const { from, to } of edges.slice(0, 400)) {
      const [start, end] = [places.get(from), places.get(to)];
      if (start === undefined || end === undefined) throw new Error('no place');
      let [x, y] = [0, 0];
      for (const [, command, numbers = ''] of curve(start, end).matchAll(/([MCH])([^MCH]*)/g)) {
        const values = numbers.trim().split(' ').map(Number);
        const [nextX = 0, nextY = y] = command === 'H' ? values : values.slice(-2);
        if (command === 'H') expect(isFree(x, nextX, y)).toBe(true);
        // Where it climbs there is no node at any height.
        if (command === 'C') expect(all.some((at) => at.x < nextX && at.x + NODE.width > x)).toBe(false);
        [x, y] = [nextX, nextY];
      }
      expect([x, y]).toEqual([end.x, Math.round((end.y + NODE.height / 2) * 10) / 10]);
    }
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
