import type { LineageEdge, LineageNode } from './answer.js';

export type Nodes = readonly Pick<LineageNode, 'id' | 'kind'>[];
export type Edges = readonly Pick<LineageEdge, 'from' | 'to'>[];

/** The column of each: tokens right of all that they are made of, algorithms in the last of theirs, then jobs, then receipts. */
export function ranksOf(nodes: Nodes, edges: Edges): ReadonlyMap<string, number> {
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
