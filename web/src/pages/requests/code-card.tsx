import { useEffect, useState } from 'preact/hooks';
import type { Bytes32 } from '../../../../src/documents/ids.js';
import { cidOf } from '../../api/cid.js';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Badge, Card } from '../../ui/basics.js';
import { visible } from '../../ui/visible.js';
import type { Hold } from './hold.js';
import { type DiffLine, lineDiff } from './line-diff.js';
import { requestsText } from './text.js';

interface CodeCardProps {
  readonly operator: NonNullable<Hold['operator']>;
  readonly approved: Hold['approved'];
}

/** The code to be run; where it is not what was approved last, what has changed. */
export function CodeCard({ operator, approved }: CodeCardProps) {
  const text = useWords(requestsText);
  const isSame = approved?.operator === operator.digest;
  const before = useCode(isSame ? undefined : approved?.operator);
  const said = isSame ? text.sameCode : approved === undefined ? text.firstCode : text.otherCode;
  const { code } = operator;
  return (
    <Card title={text.code} actions={<Badge tone={isSame ? 'good' : 'wait'}>{said}</Badge>}>
      {code === undefined && <p class="muted">{text.noCode}</p>}
      {code !== undefined && before !== undefined && <Diff lines={lineDiff(before, code)} />}
      {code !== undefined && (
        <details open={!isSame && before === undefined}>
          <summary>{before === undefined ? text.showCode : text.wholeCode}</summary>
          <pre class="code">{visible(code)}</pre>
        </details>
      )}
    </Card>
  );
}

/** The code of an operator's document by its digest, from the daemon's own content. */
function useCode(digest: Bytes32 | undefined): string | undefined {
  const { http } = useApp();
  const [code, setCode] = useState<string>();
  useEffect(() => {
    setCode(undefined);
    if (digest === undefined) return;
    let isWanted = true;
    http
      .text(`/ipfs/${cidOf(digest)}?format=raw`)
      .then((document) => {
        const { operation } = JSON.parse(document) as { operation?: unknown };
        if (isWanted && typeof operation === 'string') setCode(operation);
      })
      // Without it the whole code is shown, which is more to read and no less true.
      .catch(() => undefined);
    return () => {
      isWanted = false;
    };
  }, [http, digest]);
  return code;
}

const CONTEXT = 3;

function Diff({ lines }: { lines: readonly DiffLine[] }) {
  const text = useWords(requestsText);
  const signs = { same: ' ', added: '+', removed: '−' } as const;
  const isNear = lines.map((_, i) => lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ kind }) => kind !== 'same'));
  const rows: (DiffLine | number)[] = [];
  for (const [i, line] of lines.entries()) {
    const last = rows.at(-1);
    if (isNear[i]) rows.push(line);
    else if (typeof last === 'number') rows[rows.length - 1] = last + 1;
    else rows.push(1);
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard
    <section class="diff code" tabIndex={0} aria-label={text.otherCode}>
      {rows.map((row, i) =>
        typeof row === 'number' ? (
          <div key={i} class="gap">
            {text.unchanged(row)}
          </div>
        ) : (
          <div key={i} class={row.kind}>
            <span class="sign" aria-hidden="true">
              {signs[row.kind]}
            </span>
            {row.kind !== 'same' && <span class="unseen">{text[row.kind]} </span>}
            <span>{visible(row.text) || ' '}</span>
          </div>
        ),
      )}
    </section>
  );
}
