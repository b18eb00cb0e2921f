import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useChange } from '../../api/query.js';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Button, PageHead, ProblemView } from '../../ui/basics.js';
import type { IconName } from '../../ui/icon.js';
import { type LineageAnswer, merged } from './answer.js';
import { Details } from './details.js';
import { save, svgOf } from './export-svg.js';
import { Find } from './find.js';
import { layoutOf, NODE } from './layout.js';
import { Legend } from './legend.js';
import { nodeAfter } from './move.js';
import { Picture } from './picture.js';
import { lineageText } from './text.js';
import { useView } from './use-view.js';
import { neighboursOf, visibleGraph, wayTo } from './visible.js';
import { nodeNote, nodeTitle, shortId } from './words.js';

const ZOOM = 1.3;
const MORE = { depth: 1, limit: 2000 } as const;

/** The graph around a token: drawn, moved, searched, opened and folded. */
export function Graph({ answer: first, root, focus }: { answer: LineageAnswer; root: string; focus: string }) {
  const { http } = useApp();
  const text = useWords(lineageText);
  const more = useChange();
  const [added, setAdded] = useState<readonly LineageAnswer[]>([]);
  const answer = useMemo(() => added.reduce(merged, first), [first, added]);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [isAll, setAll] = useState(false);
  const [selected, setSelected] = useState<string | undefined>(focus);
  const [matches, setMatches] = useState<ReadonlySet<string>>(new Set());
  const neighbours = useMemo(() => neighboursOf(answer), [answer]);
  const [pinned, setPinned] = useState<ReadonlySet<string>>(() => new Set(wayTo(neighbours, root, focus)));
  const graph = useMemo(
    () => visibleGraph(answer, neighbours, { root, opened, closed, pinned, isAll }),
    [answer, neighbours, root, opened, closed, pinned, isAll],
  );
  const layout = useMemo(() => layoutOf(graph.nodes, graph.edges), [graph]);
  const area = useRef<HTMLDivElement>(null);
  const nodeOf = (id: string | undefined) => answer.nodes.find((node) => node.id === id);

  const { view, size, zoom, fitAll, begin, show } = useView(area, layout, (target, x, y) => {
    const expand = target.closest('[data-expand]')?.getAttribute('data-expand');
    if (typeof expand === 'string') return open(expand);
    const at = view.peek();
    const [px, py] = [(x - at.x) / at.scale, (y - at.y) / at.scale];
    const hit = [...layout.places].find(
      ([, node]) => px >= node.x && px <= node.x + NODE.width && py >= node.y && py <= node.y + NODE.height,
    );
    setSelected(hit?.[0]);
  });
  const isMoved = useRef(false);
  // As long as nobody has moved it, the first look follows the size of the window.
  useEffect(() => {
    if (!isMoved.current && size.width > 0) begin(focus);
  }, [size]);
  useEffect(() => {
    if (isAll) fitAll();
  }, [isAll]);
  const wanted = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (wanted.current !== undefined) show(wanted.current);
    wanted.current = undefined;
  }, [layout, show]);

  const without = (set: ReadonlySet<string>, id: string): ReadonlySet<string> => new Set([...set].filter((other) => other !== id));
  const open = (id: string): void => {
    setClosed(without(closed, id));
    setOpened(new Set([...opened, id]));
    const node = nodeOf(id);
    if (node === undefined || !('cut' in node) || !node.cut) return;
    more.run(async () => {
      const found = await http.get<LineageAnswer>(`/v1/lineage?token=${encodeURIComponent(id)}&depth=${MORE.depth}&limit=${MORE.limit}`);
      setAdded((before) => [...before, { ...found, nodes: found.nodes.map((each) => (each.id === id ? { ...each, cut: false } : each)) }]);
    });
  };
  const fold = (id: string): void => {
    setOpened(without(opened, id));
    setPinned(new Set(wayTo(neighbours, root, id)));
    setClosed(new Set([...closed, id]));
  };
  const isOpen = (id: string): boolean => !closed.has(id) && !graph.hidden.has(id);
  const toggle = (id: string): void => (isOpen(id) ? fold(id) : open(id));
  const select = (id: string): void => {
    setSelected(id);
    if (layout.places.has(id)) return show(id);
    const way = wayTo(neighbours, root, id);
    setClosed(new Set([...closed].filter((other) => !way.includes(other))));
    setPinned(new Set([...pinned, ...way]));
    wanted.current = id;
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = nodeAfter(event.key, selected ?? root, graph, layout);
    if (next !== undefined) select(next);
    else if (event.key === 'Enter' || event.key === ' ') toggle(selected ?? root);
    else if (event.key === '+' || event.key === '=') zoom(ZOOM);
    else if (event.key === '-') zoom(1 / ZOOM);
    else if (event.key === '0') fitAll();
    else if (event.key === 'Home') select(root);
    else if (event.key === 'Escape') setSelected(undefined);
    else return;
    event.preventDefault();
  };
  const node = nodeOf(selected);
  const rootNode = nodeOf(root);
  const tool = (label: string, icon: IconName, onClick: () => void) => (
    <Button kind="quiet" icon={icon} label={label} onClick={onClick}>
      {''}
    </Button>
  );
  return (
    <>
      <a class="back" href="#/lineage">
        {text.other}
      </a>
      <PageHead title={rootNode === undefined ? text.title : nodeTitle(rootNode, text)} about={text.about}>
        <Button icon="file" onClick={() => save(`lineage-${shortId(root)}.svg`, svgOf(graph, layout, text), 'image/svg+xml')}>
          {text.save}
        </Button>
      </PageHead>
      {more.problem && <ProblemView problem={more.problem} />}
      <div class="graph-tools">
        <Find answer={answer} onMatches={setMatches} onSelect={select} />
        <span class="muted" role="status">
          {text.drawn(graph.nodes.length, answer.nodes.length)}
          {answer.truncated && ` · ${text.truncated}`}
        </span>
        <Button kind="quiet" onClick={() => setAll(!isAll)}>
          {isAll ? text.few : text.all}
        </Button>
        {tool(text.zoomOut, 'minus', () => zoom(1 / ZOOM))}
        {tool(text.zoomIn, 'plus', () => zoom(ZOOM))}
        {tool(text.fit, 'fit', fitAll)}
      </div>
      <div class="graph-columns">
        <div
          ref={area}
          class="graph-area"
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: an application with keys of its own, which its description tells
          tabIndex={0}
          aria-label={text.graph}
          aria-describedby="graph-keys"
          data-drawn={graph.nodes.length}
          onKeyDown={onKey}
          onPointerDown={() => {
            isMoved.current = true;
          }}
          onWheel={() => {
            isMoved.current = true;
          }}
        >
          <Picture graph={graph} layout={layout} view={view} size={size} selected={selected} matches={matches} root={root} />
        </div>
        <aside class="card graph-side" aria-label={text.details}>
          {node === undefined ? (
            <p class="muted">{text.pick}</p>
          ) : (
            <Details
              node={node}
              answer={answer}
              isOpen={isOpen(node.id)}
              isRoot={node.id === root}
              onToggle={() => toggle(node.id)}
              onSelect={select}
            />
          )}
        </aside>
      </div>
      <p id="graph-keys" class="muted graph-keys">
        {text.keys}
      </p>
      <Legend />
      <p class="unseen" aria-live="polite">
        {node && `${text.kinds[node.kind]} ${nodeTitle(node, text)}, ${nodeNote(node)}`}
      </p>
    </>
  );
}
