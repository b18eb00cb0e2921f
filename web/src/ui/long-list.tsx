import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface LongListProps<T> {
  readonly items: readonly T[];
  /** All rows are this high. */
  readonly rowPx: number;
  readonly keyOf: (item: T) => string;
  readonly row: (item: T) => ComponentChildren;
  readonly label: string;
}

const SPARE = 8;

/** A list of any length in the page's own scrolling: only the rows in sight, and a few around, are in the document. */
export function LongList<T>({ items, rowPx, keyOf, row, label }: LongListProps<T>) {
  const list = useRef<HTMLUListElement>(null);
  const [range, setRange] = useState<readonly [number, number]>([0, 40]);
  const measure = (): void => {
    if (list.current === null) return;
    const top = -list.current.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / rowPx) - SPARE);
    const last = Math.ceil((top + window.innerHeight) / rowPx) + SPARE;
    setRange((before) => (before[0] === first && before[1] === last ? before : [first, last]));
  };
  useLayoutEffect(measure);
  useEffect(() => {
    window.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  });
  const [first, last] = range;
  return (
    <ul class="long-list" ref={list} aria-label={label} style={{ height: `${items.length * rowPx}px` }}>
      {items.slice(first, last).map((item, i) => (
        <li
          key={keyOf(item)}
          style={{ height: `${rowPx}px`, transform: `translateY(${(first + i) * rowPx}px)` }}
          aria-setsize={items.length}
          aria-posinset={first + i + 1}
        >
          {row(item)}
        </li>
      ))}
    </ul>
  );
}
