import type { Layout } from './layout.js';
import type { VisibleGraph } from './visible.js';

/** Where an arrow key leads: up and down in the column, left and right along the lines, to the nearest. */
export function nodeAfter(key: string, from: string, graph: VisibleGraph, { places, columns }: Layout): string | undefined {
  const here = places.get(from);
  if (here === undefined) return undefined;
  if (key === 'ArrowUp' || key === 'ArrowDown') return columns[here.column]?.[here.row + (key === 'ArrowUp' ? -1 : 1)];
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined;
  const linked = graph.edges.flatMap(({ from: start, to }) => {
    const other = key === 'ArrowRight' ? (start === from ? to : undefined) : to === from ? start : undefined;
    const place = other === undefined ? undefined : places.get(other);
    return other === undefined || place === undefined ? [] : [{ other, distance: Math.abs(place.y - here.y) }];
  });
  return linked.sort((a, b) => a.distance - b.distance)[0]?.other;
}
