import type { Kind } from './answer.js';
import { blockRows } from './block-rows.js';
import { type Edges, type Nodes, ranksOf } from './ranks.js';
import { spread } from './spread.js';

export const NODE = { width: 196, height: 46, radius: 9 } as const;
/** Between the rows, and between the columns of one block: lines go through here. */
export const GUTTER = { x: 40, y: 14 } as const;
const STEP = { x: NODE.width + GUTTER.x, y: NODE.height + GUTTER.y } as const;
/** Between blocks: more, the higher the lines between them climb. */
const gapOf = (rows: number): number => 96 + Math.max(0, rows - 24) * 6;
const SWEEPS = 6;

export interface Place {
  /** Of the upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly column: number;
  readonly row: number;
  /** The sides of the block that it is in: the same for all that have as much below them. */
  readonly left: number;
  readonly right: number;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  /** Ids from top to bottom, from left to right. */
  readonly columns: readonly (readonly string[])[];
  /** What is in each block, and where it begins. */
  readonly heads: readonly { readonly kind: Kind; readonly x: number }[];
  readonly width: number;
  readonly height: number;
}

/**
 * Data on the left, what was made of it further right, then jobs and receipts. Blocks by the longest way (Sugiyama), the order in each by the
 * mean of the neighbours (barycentre). A block that would be one long column is a grid, filled row by row, so that its order still goes
 * from top to bottom; in the others, heights by isotonic regression towards the neighbours: all of it in about n log n.
 */
export function layoutOf(nodes: Nodes, edges: Edges): Layout {
  const ranks = ranksOf(nodes, edges);
  const blocks: string[][] = [];
  for (const { id } of nodes) {
    const rank = ranks.get(id) ?? 0;
    while (blocks.length <= rank) blocks.push([]);
    blocks[rank]?.push(id);
  }
  const most = blockRows(
    blocks.map(({ length }) => length),
    STEP,
  );
  const widths = blocks.map(({ length }) => Math.max(1, Math.ceil(length / most)));
  const position = heightsOf(blocks, widths, ranks, edges);

  const lowest = Math.min(...position.values());
  const gap = gapOf(Math.max(0, ...blocks.map(({ length }, i) => Math.ceil(length / (widths[i] ?? 1)))));
  const kindOf = new Map(nodes.map(({ id, kind }) => [id, kind]));
  const places = new Map<string, Place>();
  const columns: string[][] = [];
  const heads: { kind: Kind; x: number }[] = [];
  let left = 0;
  let height = 0;
  for (const [i, ids] of blocks.entries()) {
    const width = widths[i] ?? 1;
    const right = left + (width - 1) * STEP.x + NODE.width;
    const first = columns.length;
    for (let column = 0; column < width; column += 1) columns.push([]);
    for (const [at, id] of ids.entries()) {
      const column = first + (at % width);
      const row = Math.floor(at / width);
      const y = (position.get(id) ?? 0) - lowest;
      places.set(id, { x: left + (at % width) * STEP.x, y, column, row, left, right });
      columns[column]?.push(id);
      height = Math.max(height, y + NODE.height);
    }
    heads.push({ kind: commonest(ids.map((id) => kindOf.get(id) ?? 'asset')), x: left });
    left = right + gap;
  }
  return { places, columns, heads, width: Math.max(NODE.width, left - gap), height };
}

/** Puts each block into its order, and says how high each node lies. */
function heightsOf(blocks: string[][], widths: readonly number[], ranks: ReadonlyMap<string, number>, edges: Edges): Map<string, number> {
  const near = new Map<string, string[]>(blocks.flat().map((id) => [id, []]));
  for (const { from, to } of edges) {
    near.get(from)?.push(to);
    near.get(to)?.push(from);
  }
  const position = new Map<string, number>();
  for (const ids of blocks) for (const [i, id] of ids.entries()) position.set(id, (i - ids.length / 2) * STEP.y);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForth = sweep % 2 === 0;
    const order = blocks.map((_, i) => (isForth ? i : blocks.length - 1 - i));
    for (const at of order) {
      const [ids = [], width = 1] = [blocks[at], widths[at]];
      const wish = new Map(ids.map((id) => [id, meanOf(id, near, ranks, position, isForth ? -1 : 1)]));
      ids.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
      const wishes = ids.map((id) => wish.get(id) ?? 0);
      const heights = width === 1 ? spread(wishes, STEP.y) : gridHeights(wishes, width);
      for (const [i, id] of ids.entries()) position.set(id, heights[i] ?? 0);
    }
  }
  return position;
}

/** Rows without a gap, the whole as high as its wishes are in the mean. */
function gridHeights(wishes: readonly number[], width: number): readonly number[] {
  const rows = Math.ceil(wishes.length / width);
  const middle = wishes.reduce((sum, wish) => sum + wish, 0) / Math.max(1, wishes.length);
  return wishes.map((_, i) => middle + (Math.floor(i / width) - (rows - 1) / 2) * STEP.y);
}

function commonest(kinds: readonly Kind[]): Kind {
  const counts = new Map<Kind, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'asset';
}

/** Of the neighbours on one side; where it is, when there are none. */
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
