import type { LineageEdge } from './answer.js';
import { GUTTER, NODE, type Place } from './layout.js';

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

/** From the right of one node to the left of another: below its row out of a block of several columns, and so into one, never across a node. */
export function curve(from: Place, to: Place): string {
  const [startX, startY, endX, endY] = [from.x + NODE.width, middleOf(from), to.x, middleOf(to)];
  const outY = startX < from.right ? gutterOf(from) : startY;
  const inY = endX > to.left ? gutterOf(to) : endY;
  const out = outY === startY ? '' : `${bent(startX, startY, startX + GUTTER.x, outY)}H${from.right}`;
  const into = inY === endY ? '' : `H${endX - GUTTER.x}${bent(endX - GUTTER.x, inY, endX, endY)}`;
  return `M${startX} ${round(startY)}${out}${bent(from.right, outY, to.left, inY)}${into}`;
}

const middleOf = ({ y }: Place): number => y + NODE.height / 2;
const gutterOf = ({ y }: Place): number => y + NODE.height + GUTTER.y / 2;

function bent(x1: number, y1: number, x2: number, y2: number): string {
  const bend = (x2 - x1) / 2;
  return `C${x1 + bend} ${round(y1)} ${x2 - bend} ${round(y2)} ${x2} ${round(y2)}`;
}

/** The edges of each look that may cross the window. */
export function pathsOf(
  edges: readonly LineageEdge[],
  places: ReadonlyMap<string, Place>,
  window: Window | undefined,
): ReadonlyMap<EdgeLook, readonly string[]> {
  const parts = new Map<EdgeLook, string[]>();
  for (const edge of edges) {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    if (from === undefined || to === undefined || (window !== undefined && isOutside(from, to, window))) continue;
    const look = lookOf(edge);
    const list = parts.get(look);
    if (list === undefined) parts.set(look, [curve(from, to)]);
    else list.push(curve(from, to));
  }
  return parts;
}

const isOutside = (from: Place, to: Place, { left, top, right, bottom }: Window): boolean =>
  to.x < left || from.x + NODE.width > right || Math.max(from.y, to.y) + NODE.height + GUTTER.y < top || Math.min(from.y, to.y) > bottom;

export const boxOf = ({ x, y }: Place): string => `M${x} ${round(y)}h${NODE.width}v${NODE.height}h${-NODE.width}z`;

/** Around a node, in its shape. */
export function ringOf({ x, y }: Place): string {
  const off = 3;
  const r = NODE.radius + off;
  const [w, h] = [NODE.width - 2 * NODE.radius, NODE.height - 2 * NODE.radius];
  const arc = (dx: number, dy: number): string => `a${r} ${r} 0 0 1 ${dx} ${dy}`;
  return `M${x + NODE.radius} ${round(y - off)}h${w}${arc(r, r)}v${h}${arc(-r, r)}h${-w}${arc(-r, -r)}v${-h}${arc(r, -r)}z`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
