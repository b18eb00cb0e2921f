import { useEffect, useMemo, useState } from 'preact/hooks';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import type { LineageAnswer } from './answer.js';
import { placeOf } from './start.js';
import { lineageText } from './text.js';
import { nodeNote, nodeTitle, nodeWords } from './words.js';

const LISTED = 12;

interface FindProps {
  readonly answer: LineageAnswer;
  readonly onMatches: (ids: ReadonlySet<string>) => void;
  readonly onSelect: (id: string) => void;
}

/** Finds nodes of the graph, drawn or not, by what they are called; Enter goes to the first, and to other tokens by their id. */
export function Find({ answer, onMatches, onSelect }: FindProps) {
  const { router } = useApp();
  const text = useWords(lineageText);
  const [typed, setTyped] = useState('');
  const words = useMemo(() => answer.nodes.map((node) => ({ node, words: nodeWords(node) })), [answer]);
  const wanted = typed.trim().toLowerCase();
  const found = useMemo(
    () => (wanted === '' ? [] : words.filter((each) => each.words.includes(wanted)).map(({ node }) => node)),
    [words, wanted],
  );
  useEffect(() => onMatches(new Set(found.map(({ id }) => id))), [found, onMatches]);
  const choose = (id: string): void => {
    setTyped('');
    onSelect(id);
  };
  const place = placeOf(typed);
  return (
    <form
      class="graph-find"
      onSubmit={(event) => {
        event.preventDefault();
        const [first] = found;
        if (first !== undefined) choose(first.id);
        else if (place !== undefined) router.go(place);
      }}
    >
      <input
        type="search"
        value={typed}
        aria-label={text.findHere}
        placeholder={text.findHere}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && setTyped('')}
      />
      {wanted !== '' && (
        <div class="graph-found">
          <p class="muted" role="status">
            {found.length === 0 ? text.noMatch : text.matches(found.length)}
          </p>
          <ul>
            {found.slice(0, LISTED).map((node) => (
              <li key={node.id}>
                <button type="button" class="text-button" onClick={() => choose(node.id)}>
                  <span class={`kind-dot ${node.kind}`} aria-hidden="true" />
                  <span class="wrap">{nodeTitle(node, text)}</span>
                  <small class="muted">{nodeNote(node)}</small>
                </button>
              </li>
            ))}
            {found.length === 0 && place !== undefined && (
              <li>
                <a href={`#${place}`}>
                  {text.open} {typed}
                </a>
              </li>
            )}
          </ul>
        </div>
      )}
    </form>
  );
}
