import { useMemo } from 'preact/hooks';
import { useWords } from '../../i18n.js';
import type { Kind, LineageNode } from './answer.js';
import { type Layout, NODE, type Place } from './layout.js';
import { boxOf, curve, isInside, looks, pathsOf, type Window } from './paths.js';
import { lineageText } from './text.js';
import { READABLE, type View } from './use-view.js';
import type { VisibleGraph } from './visible.js';
import { nodeNote, nodeTitle } from './words.js';

const TILE = 600;
const MARKED = 200;
/** A heading has this many pixels, or is left out. */
const HEAD_ROOM = 90;

interface PictureProps {
  readonly graph: VisibleGraph;
  readonly layout: Layout;
  readonly view: View;
  readonly size: { readonly width: number; readonly height: number };
  readonly selected: string | undefined;
  readonly matches: ReadonlySet<string>;
  readonly root: string;
}

/**
 * What of the graph is in sight. From afar each kind is one path, nearby only the nodes in the window are drawn: whatever the number of nodes,
 * the document stays small, and moving changes one attribute until the window leaves its tile.
 */
export function Picture({ graph, layout, view, size, selected, matches, root }: PictureProps) {
  const isFar = view.scale < READABLE;
  const tile = TILE / view.scale;
  const snap = (value: number, up: boolean): number => (up ? Math.ceil(value / tile) : Math.floor(value / tile)) * tile;
  const left = snap(-view.x / view.scale, false);
  const top = snap(-view.y / view.scale, false);
  const right = snap((size.width - view.x) / view.scale, true);
  const bottom = snap((size.height - view.y) / view.scale, true);
  const drawn = useMemo(() => {
    const window: Window = { left, top, right, bottom };
    return isFar ? <Far graph={graph} layout={layout} /> : <Near graph={graph} layout={layout} window={window} root={root} />;
  }, [graph, layout, root, isFar, ...(isFar ? [] : [left, top, right, bottom])]);
  const marks = [...matches].slice(0, MARKED).flatMap((id) => layout.places.get(id) ?? []);
  const chosen = selected === undefined ? undefined : layout.places.get(selected);
  return (
    <svg class={`graph ${isFar ? 'far' : ''}`} width={size.width} height={size.height} aria-hidden="true">
      <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
        {drawn}
        {chosen && <Chosen id={selected ?? ''} place={chosen} graph={graph} layout={layout} />}
        <path class="match" d={marks.map(boxOf).join('')} />
      </g>
      <Columns layout={layout} view={view} />
    </svg>
  );
}

function Far({ graph, layout }: { graph: VisibleGraph; layout: Layout }) {
  const boxes = new Map<string, string[]>();
  for (const { id, kind } of graph.nodes) {
    const place = layout.places.get(id);
    if (place === undefined) continue;
    const list = boxes.get(kind);
    if (list === undefined) boxes.set(kind, [boxOf(place)]);
    else list.push(boxOf(place));
  }
  return (
    <>
      <Edges graph={graph} layout={layout} window={undefined} />
      {[...boxes].map(([kind, parts]) => (
        <path key={kind} class={`box ${kind}`} d={parts.join('')} />
      ))}
    </>
  );
}

function Near({ graph, layout, window, root }: { graph: VisibleGraph; layout: Layout; window: Window; root: string }) {
  return (
    <>
      <Edges graph={graph} layout={layout} window={window} />
      {graph.nodes.map((node) => {
        const place = layout.places.get(node.id);
        if (place === undefined || !isInside(place, window)) return null;
        return <NodeBox key={node.id} node={node} place={place} hidden={hiddenOf(graph, node)} isRoot={node.id === root} />;
      })}
    </>
  );
}

/** A number, or `+` where the daemon has not said how many more there are. */
const hiddenOf = ({ hidden }: VisibleGraph, node: LineageNode): string | undefined => {
  const count = hidden.get(node.id);
  const more = 'cut' in node && node.cut;
  return count === undefined ? (more ? '+' : undefined) : `+${count}`;
};

function NodeBox({ node, place, hidden, isRoot }: { node: LineageNode; place: Place; hidden: string | undefined; isRoot: boolean }) {
  const text = useWords(lineageText);
  const tone = node.kind === 'receipt' ? (node.state === 'succeeded' ? 'good' : 'bad') : '';
  return (
    <g class={`node ${node.kind} ${tone} ${isRoot ? 'root' : ''}`} transform={`translate(${place.x} ${place.y})`} data-node={node.id}>
      <rect class="frame" width={NODE.width} height={NODE.height} rx="9" />
      <rect class="stripe" x="0" y="10" width="4" height={NODE.height - 20} rx="2" />
      <text class="node-title" x="14" y="20">
        {short(nodeTitle(node, text), 22)}
      </text>
      <text class="node-note" x="14" y="36">
        {short(nodeNote(node), 27)}
      </text>
      {hidden !== undefined && (
        <g class="more" data-expand={node.id} transform={`translate(${NODE.width - 10} ${NODE.height - 9})`}>
          <rect class="more-pill" width={14 + hidden.length * 7} height="18" rx="9" />
          <text class="more-count" x={7 + hidden.length * 3.5} y="13" text-anchor="middle">
            {hidden}
          </text>
        </g>
      )}
    </g>
  );
}

const wide = /[⺀-鿿＀-￯]/u;
/** Cut to what fits, counting Chinese signs as two. */
function short(words: string, room: number): string {
  let used = 0;
  let cut = '';
  for (const sign of words) {
    used += wide.test(sign) ? 2 : 1;
    if (used > room) return `${cut}…`;
    cut += sign;
  }
  return cut;
}

function Edges({ graph, layout, window }: { graph: VisibleGraph; layout: Layout; window: Window | undefined }) {
  const paths = pathsOf(graph.edges, layout.places, window);
  return (
    <>
      {looks.map((look) => {
        const d = paths.get(look);
        return d === undefined ? null : <path key={look} class={`edge ${look}`} d={d} />;
      })}
    </>
  );
}

function Chosen({ id, place, graph, layout }: { id: string; place: Place; graph: VisibleGraph; layout: Layout }) {
  const touching = graph.edges.flatMap(({ from, to }) => {
    if (from !== id && to !== id) return [];
    const [start, end] = [layout.places.get(from), layout.places.get(to)];
    return start && end ? [curve(start, end)] : [];
  });
  return (
    <>
      <path class="edge touching" d={touching.join('')} />
      <path class="chosen" d={boxOf(place)} />
    </>
  );
}

function Columns({ layout, view }: { layout: Layout; view: View }) {
  const text = useWords(lineageText);
  const xOf = (column: number): number => view.x + (layout.places.get(layout.columns[column]?.[0] ?? '')?.x ?? 0) * view.scale;
  const heads: { readonly kind: Kind; readonly x: number }[] = [];
  for (const [i, kind] of layout.kinds.entries()) {
    const x = xOf(i);
    if (layout.kinds[i - 1] !== kind && x - (heads.at(-1)?.x ?? Number.NEGATIVE_INFINITY) > HEAD_ROOM) heads.push({ kind, x });
  }
  return (
    <g class="columns-head">
      <rect width="100%" height="28" />
      {heads.map(({ kind, x }) => (
        <text key={kind} x={x} y="19">
          {text.columns[kind]}
        </text>
      ))}
    </g>
  );
}
