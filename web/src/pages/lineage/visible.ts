import type { LineageAnswer, LineageEdge, LineageNode } from './answer.js';

/** So many neighbours are drawn at once; the others wait behind a number. */
export const FAN = 8;

export interface Choice {
  readonly root: string;
  /** All neighbours of these are drawn. */
  readonly opened: ReadonlySet<string>;
  /** Nothing beyond these is drawn. */
  readonly closed: ReadonlySet<string>;
  /** These are drawn wherever they are, with what leads to them. */
  readonly pinned: ReadonlySet<string>;
  readonly isAll: boolean;
}

export interface VisibleGraph {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** How many neighbours of a node are not drawn. */
  readonly hidden: ReadonlyMap<string, number>;
}

export type Neighbours = ReadonlyMap<string, readonly string[]>;

export function neighboursOf({ edges }: Pick<LineageAnswer, 'edges'>): Neighbours {
  const found = new Map<string, string[]>();
  const add = (from: string, to: string): void => {
    const list = found.get(from);
    if (list === undefined) found.set(from, [to]);
    else list.push(to);
  };
  for (const { from, to } of edges) {
    add(from, to);
    add(to, from);
  }
  return found;
}

/** The part of the graph that is drawn: from the root outwards, a few neighbours of each, and what the user has opened. */
export function visibleGraph(answer: LineageAnswer, neighbours: Neighbours, { root, opened, closed, pinned, isAll }: Choice): VisibleGraph {
  const shown = new Set([root]);
  for (const id of shown) {
    const all = neighbours.get(id) ?? [];
    const limit = isAll || opened.has(id) ? Number.POSITIVE_INFINITY : FAN;
    let drawn = 0;
    if (!closed.has(id))
      for (const next of all) {
        if (drawn >= limit) break;
        if (!shown.has(next)) drawn += 1;
        shown.add(next);
      }
    for (const next of all) if (pinned.has(next)) shown.add(next);
  }
  const hidden = new Map<string, number>();
  for (const id of shown) {
    const missing = (neighbours.get(id) ?? []).filter((next) => !shown.has(next)).length;
    if (missing > 0) hidden.set(id, missing);
  }
  return {
    nodes: answer.nodes.filter(({ id }) => shown.has(id)),
    edges: answer.edges.filter(({ from, to }) => shown.has(from) && shown.has(to)),
    hidden,
  };
}

/** The nodes on a shortest way from the root to one, both included; empty when there is none. */
export function wayTo(neighbours: Neighbours, root: string, goal: string): readonly string[] {
  const cameFrom = new Map<string, string | undefined>([[root, undefined]]);
  for (const [id] of cameFrom) {
    if (id === goal) break;
    for (const next of neighbours.get(id) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, id);
  }
  const way: string[] = [];
  for (let id: string | undefined = cameFrom.has(goal) ? goal : undefined; id !== undefined; id = cameFrom.get(id)) way.unshift(id);
  return way;
}
