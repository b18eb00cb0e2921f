import type { Kind, LineageEdge, LineageNode } from './answer.js';

export const NODE = { width: 196, height: 46 } as const;
const STEP = { x: NODE.width + 96, y: NODE.height + 14 } as const;
const SWEEPS = 6;

export interface Place {
  /** Of the upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly column: number;
  readonly row: number;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  /** Ids from top to bottom, from left to right. */
  readonly columns: readonly (readonly string[])[];
  readonly kinds: readonly Kind[];
  readonly width: number;
  readonly height: number;
}

type Nodes = readonly Pick<LineageNode, 'id' | 'kind'>[];
type Edges = readonly Pick<LineageEdge, 'from' | 'to'>[];

/**
 * Data on the left, what was made of it further right, then jobs and receipts. Columns by the longest way (Sugiyama), their order by the mean
 * of the neighbours (barycentre), their heights by isotonic regression towards the neighbours: all of it in about n log n.
 */
export function layoutOf(nodes: Nodes, edges: Edges): Layout {
  const ranks = ranksOf(nodes, edges);
  const columns: string[][] = [];
  const kindsOf: Map<Kind, number>[] = [];
  for (const { id, kind } of nodes) {
    const rank = ranks.get(id) ?? 0;
    while (columns.length <= rank) {
      columns.push([]);
      kindsOf.push(new Map());
    }
    columns[rank]?.push(id);
    kindsOf[rank]?.set(kind, (kindsOf[rank]?.get(kind) ?? 0) + 1);
  }
  const near = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const { from, to } of edges) {
    near.get(from)?.push(to);
    near.get(to)?.push(from);
  }
  const position = new Map<string, number>();
  for (const column of columns) for (const [i, id] of column.entries()) position.set(id, (i - column.length / 2) * STEP.y);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 === 0 ? -1 : 1;
    for (const column of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const wish = new Map(column.map((id) => [id, meanOf(id, near, ranks, position, side)]));
      column.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
      const heights = spread(
        column.map((id) => wish.get(id) ?? 0),
        STEP.y,
      );
      for (const [i, id] of column.entries()) position.set(id, heights[i] ?? 0);
    }
  }
  const top = Math.min(0, ...columns.flatMap((column) => column.slice(0, 1).map((id) => position.get(id) ?? 0)));
  const places = new Map<string, Place>();
  let height = 0;
  for (const [column, ids] of columns.entries())
    for (const [row, id] of ids.entries()) {
      const y = (position.get(id) ?? 0) - top;
      places.set(id, { x: column * STEP.x, y, column, row });
      height = Math.max(height, y + NODE.height);
    }
  const kinds = kindsOf.map((counts): Kind => [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'asset');
  return { places, columns, kinds, width: Math.max(0, columns.length - 1) * STEP.x + NODE.width, height };
}

/** The column of each: tokens right of all that they are made of, algorithms in the last of theirs, then jobs, then receipts. */
function ranksOf(nodes: Nodes, edges: Edges): ReadonlyMap<string, number> {
  const isToken = new Map(nodes.map(({ id, kind }) => [id, kind !== 'job' && kind !== 'receipt']));
  const above = new Map<string, string[]>();
  const waits = new Map<string, number>();
  for (const { from, to } of edges) {
    if (!isToken.get(from) || !isToken.get(to)) continue;
    above.set(from, [...(above.get(from) ?? []), to]);
    waits.set(to, (waits.get(to) ?? 0) + 1);
  }
  const ranks = new Map<string, number>();
  for (const { id, kind } of nodes) ranks.set(id, kind === 'asset' ? 0 : 1);
  const ready = nodes.filter(({ id }) => isToken.get(id) && !waits.has(id)).map(({ id }) => id);
  for (const id of ready)
    for (const next of above.get(id) ?? []) {
      ranks.set(next, Math.max(ranks.get(next) ?? 1, (ranks.get(id) ?? 0) + 1));
      waits.set(next, (waits.get(next) ?? 1) - 1);
      if (waits.get(next) === 0) ready.push(next);
    }
  const last = nodes.reduce((most, { id }) => (isToken.get(id) ? Math.max(most, ranks.get(id) ?? 0) : most), 0);
  for (const { id, kind } of nodes) {
    if (kind === 'algorithm' && !above.has(id)) ranks.set(id, last);
    if (kind === 'job') ranks.set(id, last + 1);
    if (kind === 'receipt') ranks.set(id, last + 2);
  }
  return ranks;
}

function meanOf(
  id: string,
  near: ReadonlyMap<string, readonly string[]>,
  ranks: ReadonlyMap<string, number>,
  position: ReadonlyMap<string, number>,
  side: number,
): number {
  const rank = ranks.get(id) ?? 0;
  let sum = 0;
  let count = 0;
  for (const other of near.get(id) ?? []) {
    if (((ranks.get(other) ?? 0) - rank) * side <= 0) continue;
    sum += position.get(other) ?? 0;
    count += 1;
  }
  return count === 0 ? (position.get(id) ?? 0) : sum / count;
}

/** The heights nearest to the wished ones that are in the given order, each at least a step below the one before (pool adjacent violators). */
export function spread(wishes: readonly number[], step: number): readonly number[] {
  const pools: { sum: number; count: number }[] = [];
  for (const [i, wish] of wishes.entries()) {
    let pool = { sum: wish - i * step, count: 1 };
    for (let before = pools.at(-1); before !== undefined && before.sum / before.count > pool.sum / pool.count; before = pools.at(-1)) {
      pools.pop();
      pool = { sum: before.sum + pool.sum, count: before.count + pool.count };
    }
    pools.push(pool);
  }
  return pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count)).map((height, i) => height + i * step);
}
