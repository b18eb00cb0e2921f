import type { TokenId } from '../../documents/ids.js';
import type { LedgerIndex, ListedEdge, Neighbourhood } from '../ledger-index.js';

/** Breadth first: composites above and children below, each on its own way, never up and down again. */
export function listNeighbours(
  index: LedgerIndex,
  start: TokenId,
  { depth, limit }: { readonly depth: number; readonly limit: number },
): Neighbourhood {
  const levels = new Map<TokenId, number>([[start, 0]]);
  const cut = new Set<TokenId>();
  const edges = new Map<string, ListedEdge>();
  const queue: TokenId[] = [start];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const level = levels.get(id) ?? 0;
    // One more than may be shown tells whether there is more.
    const above = level < 0 ? [] : index.wentInto(id, limit + 1).map((edge) => ({ edge, next: edge.composite, to: level + 1 }));
    const below = level > 0 ? [] : index.madeOf(id).map((edge) => ({ edge, next: edge.child, to: level - 1 }));
    for (const { edge, next, to } of [...above, ...below]) {
      if (!levels.has(next) && (Math.abs(to) > depth || levels.size >= limit)) {
        cut.add(id);
        continue;
      }
      edges.set(`${edge.child}>${edge.composite}`, edge);
      if (levels.has(next)) continue;
      levels.set(next, to);
      queue.push(next);
    }
  }
  const nodes = [...levels].flatMap(([id, level]) => {
    const token = index.token(id);
    return token === undefined ? [] : [{ token, level, cut: cut.has(id) }];
  });
  return { nodes, edges: [...edges.values()] };
}
