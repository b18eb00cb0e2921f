import type { LineageEdge } from './answer.js';
import { NODE, type Place } from './layout.js';

export type EdgeLook = 'live' | 'none' | 'expired' | 'revoked' | 'flow';
export const looks: readonly EdgeLook[] = ['flow', 'none', 'live', 'expired', 'revoked'];
export const lookOf = ({ grant }: LineageEdge): EdgeLook => grant ?? 'flow';

/** In the coordinates of the layout. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const isInside = ({ x, y }: Place, { left, top, right, bottom }: Window): boolean =>
  x + NODE.width >= left && x <= right && y + NODE.height >= top && y <= bottom;

export function curve(from: Place, to: Place): string {
  const [x1, y1, x2, y2] = [from.x + NODE.width, from.y + NODE.height / 2, to.x, to.y + NODE.height / 2];
  const bend = Math.max(40, (x2 - x1) / 2);
  return `M${x1} ${round(y1)}C${x1 + bend} ${round(y1)} ${x2 - bend} ${round(y2)} ${x2} ${round(y2)}`;
}

/** All edges of one look that may cross the window, as one path. */
export function pathsOf(
  edges: readonly LineageEdge[],
  places: ReadonlyMap<string, Place>,
  window: Window | undefined,
): ReadonlyMap<EdgeLook, string> {
  const parts = new Map<EdgeLook, string[]>();
  for (const edge of edges) {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    if (from === undefined || to === undefined || (window !== undefined && isOutside(from, to, window))) continue;
    const look = lookOf(edge);
    const list = parts.get(look);
    if (list === undefined) parts.set(look, [curve(from, to)]);
    else list.push(curve(from, to));
  }
  return new Map([...parts].map(([look, list]) => [look, list.join('')]));
}

const isOutside = (from: Place, to: Place, { left, top, right, bottom }: Window): boolean =>
  to.x < left || from.x + NODE.width > right || Math.max(from.y, to.y) + NODE.height < top || Math.min(from.y, to.y) > bottom;

export const boxOf = ({ x, y }: Place): string => `M${x} ${round(y)}h${NODE.width}v${NODE.height}h${-NODE.width}z`;

const round = (value: number): number => Math.round(value * 10) / 10;
