import { useWords } from '../../i18n.js';
import type { LineageNode } from './answer.js';
import { type Layout, NODE, type Place } from './layout.js';
import { boxOf, curve, isInside, looks, pathsOf, ringOf, type Window } from './paths.js';
import { lineageText } from './text.js';
import type { VisibleGraph } from './visible.js';
import { nodeNote, nodeTitle } from './words.js';

const MARKED = 200;
/** So many lines are drawn without dashes: nobody tells them apart, and each dash is painted. */
const CROWD = 150;

interface DrawingProps {
  readonly graph: VisibleGraph;
  readonly layout: Layout;
}

/** Everything, without words: a path for the lines of each look, and one for the nodes of each kind. */
export function Far({ graph, layout }: DrawingProps) {
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

/** What is in the window, with its words. */
export function Near({ graph, layout, window, root }: DrawingProps & { window: Window; root: string }) {
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
      <rect class="frame" width={NODE.width} height={NODE.height} rx={NODE.radius} />
      <rect class="stripe" x="0" y="10" width="4" height={NODE.height - 20} rx="2" />
      <text class="node-title" x="14" y="20">
        {short(nodeTitle(node, text), 20)}
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

function Edges({ graph, layout, window }: DrawingProps & { window: Window | undefined }) {
  const paths = pathsOf(graph.edges, layout.places, window);
  const count = [...paths.values()].reduce((sum, { length }) => sum + length, 0);
  return (
    <>
      {looks.map((look) => {
        const parts = paths.get(look);
        return parts && <path key={look} class={`edge ${look} ${count > CROWD ? 'crowded' : ''}`} d={parts.join('')} />;
      })}
    </>
  );
}

interface MarksProps extends DrawingProps {
  readonly selected: string | undefined;
  readonly matches: ReadonlySet<string>;
}

/** Around what was searched for, and around the chosen node and along its lines. */
export function Marks({ graph, layout, selected, matches }: MarksProps) {
  const found = [...matches].slice(0, MARKED).flatMap((id) => layout.places.get(id) ?? []);
  const chosen = selected === undefined ? undefined : layout.places.get(selected);
  const touching = graph.edges.flatMap(({ from, to }) => {
    if (from !== selected && to !== selected) return [];
    const [start, end] = [layout.places.get(from), layout.places.get(to)];
    return start && end ? [curve(start, end)] : [];
  });
  return (
    <>
      {chosen && <path class="edge touching" d={touching.join('')} />}
      {chosen && <path class="chosen" d={ringOf(chosen)} />}
      <path class="match" d={found.map(ringOf).join('')} />
    </>
  );
}
