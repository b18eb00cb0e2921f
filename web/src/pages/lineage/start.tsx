import { useState } from 'preact/hooks';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Button, Card, Empty, PageHead, ShortId } from '../../ui/basics.js';
import type { LineageAnswer } from './answer.js';
import { lineageText } from './text.js';
import { nodeTitle, nodeWords } from './words.js';

const TOKEN = /^(?:dt:ownership:|0x)?([0-9a-f]{64})$/i;
const JOB = /^#?([1-9][0-9]{0,17})$/;

/** Where words lead that are a token's id or a job's number. */
export function placeOf(typed: string): string | undefined {
  const token = TOKEN.exec(typed.trim())?.[1];
  if (token !== undefined) return `/lineage/dt:ownership:${token.toLowerCase()}`;
  const job = JOB.exec(typed.trim())?.[1];
  return job === undefined ? undefined : `/lineage/job/${job}`;
}

/** Which lineage to look at. */
export function Start({ answer }: { answer: LineageAnswer }) {
  const { router } = useApp();
  const text = useWords(lineageText);
  const [typed, setTyped] = useState('');
  const place = placeOf(typed);
  const found = answer.nodes.filter((node) => nodeWords(node).includes(typed.trim().toLowerCase()));
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {answer.nodes.length === 0 ? (
        <Empty icon="lineage" title={text.none}>
          {text.noneAbout}
        </Empty>
      ) : (
        <Card title={text.start}>
          <p class="muted">{text.startAbout}</p>
          <form
            class="find-row"
            onSubmit={(event) => {
              event.preventDefault();
              const [first] = found;
              if (place !== undefined) router.go(place);
              else if (first !== undefined) router.go(`/lineage/${first.id}`);
            }}
          >
            <input
              type="search"
              value={typed}
              aria-label={text.find}
              placeholder={text.find}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
            <Button type="submit" kind="primary" icon="search" isDisabled={place === undefined && found.length === 0}>
              {text.open}
            </Button>
          </form>
          {found.length === 0 && place === undefined && <p class="muted">{text.noMatch}</p>}
          <ul class="entries">
            {found.map((node) => (
              <li key={node.id}>
                <span class={`kind-dot ${node.kind}`} title={text.kinds[node.kind]} aria-hidden="true" />
                <a class="entry-name wrap" href={`#/lineage/${node.id}`}>
                  {nodeTitle(node, text)}
                </a>
                <span class="muted">{text.kinds[node.kind]}</span>
                <span class="muted wrap">{node.ownerName}</span>
                <span class="entry-action">
                  <ShortId id={node.id} />
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </>
  );
}
