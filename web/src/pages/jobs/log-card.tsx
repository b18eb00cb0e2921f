import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../../i18n.js';
import { Card } from '../../ui/basics.js';
import { jobsText } from './text.js';
import type { LogLine } from './use-run-events.js';

const LINE_PX = 20;
const SPARE = 20;

/** The operator's log. Only the lines in sight are in the document, so a hundred a second stay smooth. */
export function LogCard({ log }: { log: readonly LogLine[] }) {
  const text = useWords(jobsText);
  const box = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const [top, setTop] = useState(0);
  useEffect(() => {
    if (isFollowing && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [log, isFollowing]);
  const height = box.current?.clientHeight ?? 400;
  const first = Math.max(0, Math.floor(top / LINE_PX) - SPARE);
  const last = Math.ceil((top + height) / LINE_PX) + SPARE;
  const onScroll = (): void => {
    const { current } = box;
    if (current === null) return;
    setTop(current.scrollTop);
    const isAtEnd = current.scrollHeight - current.scrollTop - current.clientHeight < LINE_PX * 2;
    if (isAtEnd !== isFollowing) setFollowing(isAtEnd);
  };
  const follow = (
    <label class="check">
      <input type="checkbox" checked={isFollowing} onChange={(event) => setFollowing(event.currentTarget.checked)} /> {text.follow}
    </label>
  );
  return (
    <Card title={text.log} actions={log.length > 0 && follow}>
      {log.length === 0 ? (
        <p class="muted">{text.logNone}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard
        <div class="log" ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={text.log} aria-live="off">
          <div class="log-lines" style={{ height: `${log.length * LINE_PX}px` }}>
            {log.slice(first, last).map((line, i) => (
              <div key={first + i} class={line.stream} style={{ transform: `translateY(${(first + i) * LINE_PX}px)` }}>
                {line.text}
              </div>
            ))}
          </div>
        </div>
      )}
    </Card>
  );
}
