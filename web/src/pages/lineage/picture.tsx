import type { ReadonlySignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { useWords } from '../../i18n.js';
import { Far, Marks, Near } from './drawing.js';
import type { Layout } from './layout.js';
import { lineageText } from './text.js';
import { usePaintedScale } from './use-painted-scale.js';
import { READABLE, type View } from './use-view.js';
import type { VisibleGraph } from './visible.js';

/** In about so many pixels. */
const TILE = 600;
/** A heading has this many pixels, or is left out. */
const HEAD_ROOM = 90;

interface PictureProps {
  readonly graph: VisibleGraph;
  readonly layout: Layout;
  readonly view: ReadonlySignal<View>;
  readonly size: { readonly width: number; readonly height: number };
  readonly selected: string | undefined;
  readonly matches: ReadonlySet<string>;
  readonly root: string;
}

/**
 * What of the graph is in sight, as a layer of its own that moves as a whole: moving and zooming change one style until
 * the window leaves its tile or the scale rests, and what has been painted stays. From afar each kind is one path; nearby only the nodes in the window are in the document.
 */
export function Picture({ graph, layout, view, size, selected, matches, root }: PictureProps) {
  const { x, y, scale } = view.value;
  const painted = usePaintedScale(scale);
  const isFar = painted < READABLE;
  const tile = TILE / painted;
  const snap = (pixels: number, to: (value: number) => number): number => to(pixels / scale / tile) * tile;
  const left = snap(-x, Math.floor);
  const top = snap(-y, Math.floor);
  const right = snap(size.width - x, Math.ceil);
  const bottom = snap(size.height - y, Math.ceil);
  const nodes = useMemo(
    () =>
      isFar ? (
        <Far graph={graph} layout={layout} />
      ) : (
        <Near graph={graph} layout={layout} root={root} window={{ left, top, right, bottom }} />
      ),
    [graph, layout, root, isFar, ...(isFar ? [] : [left, top, right, bottom])],
  );
  const drawing = useMemo(
    () => (
      <svg class={isFar ? 'far' : ''} aria-hidden="true">
        <g transform={`scale(${painted})`}>
          {nodes}
          <Marks graph={graph} layout={layout} selected={selected} matches={matches} />
        </g>
      </svg>
    ),
    [nodes, painted, isFar, graph, layout, selected, matches],
  );
  const heads = useMemo(() => <Heads layout={layout} scale={scale} />, [layout, scale]);
  return (
    <div class="graph" aria-hidden="true">
      <div class="graph-layer" style={{ transform: `translate(${Math.round(x)}px, ${Math.round(y)}px) scale(${scale / painted})` }}>
        {drawing}
      </div>
      <div class="graph-heads">
        <div class="graph-layer" style={{ transform: `translateX(${Math.round(x)}px)` }}>
          {heads}
        </div>
      </div>
    </div>
  );
}

function Heads({ layout, scale }: { layout: Layout; scale: number }) {
  const text = useWords(lineageText);
  const shown = layout.heads.filter(({ kind }, i) => layout.heads[i - 1]?.kind !== kind);
  return (
    <>
      {shown.map(({ kind, x }, i) => {
        const room = ((shown[i + 1]?.x ?? Number.POSITIVE_INFINITY) - x) * scale;
        return (
          room > HEAD_ROOM && (
            <span key={x} style={{ left: `${x * scale}px` }}>
              {text.columns[kind]}
            </span>
          )
        );
      })}
    </>
  );
}
