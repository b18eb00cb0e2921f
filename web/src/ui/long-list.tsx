import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

interface LongListProps<T> {
  readonly items: readonly T[];
  /** All rows are this high. */
  readonly rowPx: number;
  readonly keyOf: (item: T) => string;
  /** The same function from one time to the next, so that a row which stays is not drawn again. */
  readonly row: (item: T) => ComponentChildren;
  readonly label: string;
}

/** Rows come and go by so many at once. */
const STEP = 8;

/** A list of any length in the page's own scrolling: only the rows in sight, and a few around, are in the document. */
export function LongList<T>({ items, rowPx, keyOf, row, label }: LongListProps<T>) {
  const list = useRef<HTMLUListElement>(null);
  const [range, setRange] = useState<readonly [number, number]>([0, 40]);
  const measure = (): void => {
    if (list.current === null) return;
    const top = -list.current.getBoundingClientRect().top;
    const first = Math.max(0, (Math.floor(top / rowPx / STEP) - 1) * STEP);
    const last = (Math.ceil((top + window.innerHeight) / rowPx / STEP) + 1) * STEP;
    setRange((before) => (before[0] === first && before[1] === last ? before : [first, last]));
  };
  useLayoutEffect(measure, [items, rowPx]);
  useEffect(() => {
    window.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  }, [rowPx]);
  const [first, last] = range;
  return (
    <ul class="long-list" ref={list} aria-label={label} style={{ height: `${items.length * rowPx}px` }}>
      {items.slice(first, last).map((item, i) => (
        <Row key={keyOf(item)} item={item} at={first + i} count={items.length} rowPx={rowPx} row={row} />
      ))}
    </ul>
  );
}

interface RowProps<T> {
  readonly item: T;
  readonly at: number;
  readonly count: number;
  readonly rowPx: number;
  readonly row: (item: T) => ComponentChildren;
}

function Row<T>({ item, at, count, rowPx, row }: RowProps<T>) {
  return useMemo(
    () => (
      <li style={{ top: `${at * rowPx}px`, height: `${rowPx}px` }} aria-setsize={count} aria-posinset={at + 1}>
        {row(item)}
      </li>
    ),
    [item, at, count, rowPx, row],
  );
}
