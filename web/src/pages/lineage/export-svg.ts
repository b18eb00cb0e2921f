import type { Kind } from './answer.js';
import { type Layout, NODE } from './layout.js';
import { looks, pathsOf } from './paths.js';
import type { LineageText } from './text.js';
import type { VisibleGraph } from './visible.js';
import { nodeNote, nodeTitle } from './words.js';

const NS = 'http://www.w3.org/2000/svg';
const colors: Readonly<Record<Kind, string>> = {
  asset: '#14616e',
  composite: '#6a4c93',
  algorithm: '#a14a06',
  job: '#55605c',
  receipt: '#1d6b3f',
};
const lines = {
  flow: { stroke: '#868f8a' },
  live: { stroke: '#1d6b3f' },
  none: { stroke: '#868f8a', 'stroke-dasharray': '2 5' },
  expired: { stroke: '#7d5200', 'stroke-dasharray': '7 4' },
  revoked: { stroke: '#a3271f', 'stroke-dasharray': '7 4' },
} as const;
const MARGIN = 24;

/** The whole graph as it is drawn, as a file that needs nothing else. Names become text nodes, whatever they hold. */
export function svgOf(graph: VisibleGraph, layout: Layout, text: LineageText): string {
  const svg = element('svg', {
    xmlns: NS,
    width: layout.width + 2 * MARGIN,
    height: layout.height + 2 * MARGIN,
    viewBox: `${-MARGIN} ${-MARGIN} ${layout.width + 2 * MARGIN} ${layout.height + 2 * MARGIN}`,
    'font-family': 'sans-serif',
  });
  svg.append(element('title', {}, text.graph));
  svg.append(element('rect', { x: -MARGIN, y: -MARGIN, width: '100%', height: '100%', fill: '#ffffff' }));
  const paths = pathsOf(graph.edges, layout.places, undefined);
  for (const look of looks) {
    const d = paths.get(look)?.join('');
    if (d !== undefined) svg.append(element('path', { d, fill: 'none', 'stroke-width': 1.5, ...lines[look] }));
  }
  for (const node of graph.nodes) {
    const place = layout.places.get(node.id);
    if (place === undefined) continue;
    const { kind } = node;
    const color = kind === 'receipt' && node.state !== 'succeeded' ? '#a3271f' : colors[kind];
    const group = element('g', { transform: `translate(${place.x} ${place.y})` });
    group.append(
      element('title', {}, `${text.kinds[kind]} · ${node.id}`),
      element('rect', { width: NODE.width, height: NODE.height, rx: NODE.radius, fill: '#ffffff', stroke: color, 'stroke-width': 1.5 }),
      element('text', { x: 12, y: 20, 'font-size': 13, fill: '#17201e' }, nodeTitle(node, text)),
      element('text', { x: 12, y: 36, 'font-size': 11, fill: '#55605c' }, nodeNote(node)),
    );
    svg.append(group);
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;
}

function element(name: string, attributes: Readonly<Record<string, string | number>>, words?: string): SVGElement {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) if (key !== 'xmlns') made.setAttribute(key, String(value));
  // What a file of XML cannot hold is shown as the sign for it.
  if (words !== undefined) made.textContent = words.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
  return made;
}

export function save(name: string, content: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
