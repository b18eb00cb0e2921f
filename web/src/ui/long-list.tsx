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

interface Range {
  readonly first: number;
  readonly last: number;
  /** No fewer than there are rows at once, and the same while the window is. */
  readonly slots: number;
}

/**
 * A list of any length in the page's own scrolling: only the rows in sight, and a few around, are in the document. A row that goes out of
 * sight becomes one that comes: to write its words anew takes half as long as to make another.
 */
export function LongList<T>({ items, rowPx, keyOf, row, label }: LongListProps<T>) {
  const list = useRef<HTMLUListElement>(null);
  const [{ first, last, slots }, setRange] = useState<Range>({ first: 0, last: 40, slots: 40 });
  const measure = (): void => {
    if (list.current === null) return;
    const top = -list.current.getBoundingClientRect().top;
    const range: Range = {
      first: Math.max(0, (Math.floor(top / rowPx / STEP) - 1) * STEP),
      last: (Math.ceil((top + window.innerHeight) / rowPx / STEP) + 1) * STEP,
      slots: (Math.ceil(window.innerHeight / rowPx / STEP) + 4) * STEP,
    };
    setRange((before) => (before.first === range.first && before.last === range.last && before.slots === range.slots ? before : range));
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
  return (
    <ul class="long-list" ref={list} aria-label={label} style={{ height: `${items.length * rowPx}px` }}>
      {items.slice(first, last).map((item, i) => (
        <Row key={(first + i) % slots} id={keyOf(item)} item={item} at={first + i} count={items.length} rowPx={rowPx} row={row} />
      ))}
    </ul>
  );
}

interface RowProps<T> {
  readonly id: string;
  readonly item: T;
  readonly at: number;
  readonly count: number;
  readonly rowPx: number;
  readonly row: (item: T) => ComponentChildren;
}

function Row<T>({ id, item, at, count, rowPx, row }: RowProps<T>) {
  const element = useRef<HTMLLIElement>(null);
  // What the keyboard was at has gone out of sight: it must not press another row in its place.
  useLayoutEffect(
    () => () => {
      const focused = document.activeElement;
      if (focused instanceof HTMLElement && element.current?.contains(focused)) focused.blur();
    },
    [id],
  );
  return useMemo(
    () => (
      <li ref={element} style={{ top: `${at * rowPx}px`, height: `${rowPx}px` }} aria-setsize={count} aria-posinset={at + 1}>
        {row(item)}
      </li>
    ),
    [item, at, count, rowPx, row],
  );
}
