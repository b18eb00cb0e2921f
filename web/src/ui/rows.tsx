import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from './basics.js';

interface RowsProps<T> {
  readonly items: readonly T[];
  readonly onChange: (items: readonly T[]) => void;
  /** What a new row holds, by the words on its button. */
  readonly fresh: Readonly<Record<string, T>>;
  readonly nameOf: (item: T, at: number) => string;
  readonly removeLabel: (name: string) => string;
  readonly row: (item: T, change: (item: T) => void, name: string) => ComponentChildren;
}

/** Fields that come in any number. The keyboard is where the work goes on: in the row that was added, or at the button when one was removed. */
export function Rows<T>({ items, onChange, fresh, nameOf, removeLabel, row }: RowsProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const count = useRef(items.length);
  const next = useRef<'row' | 'button' | undefined>(undefined);
  useLayoutEffect(() => {
    const selector = next.current === 'row' ? '.rows > fieldset:last-of-type :is(input, select)' : '.rows-add button';
    if (next.current !== undefined && count.current !== items.length) list.current?.querySelector<HTMLElement>(selector)?.focus();
    count.current = items.length;
    next.current = undefined;
  }, [items]);
  const replaced = (at: number, ...by: T[]): readonly T[] => items.toSpliced(at, 1, ...by);
  return (
    <div class="rows-box" ref={list}>
      <div class="rows">
        {items.map((item, at) => {
          const name = nameOf(item, at);
          return (
            <fieldset key={at} class="rule">
              <legend class="wrap">{name}</legend>
              {row(item, (changed) => onChange(replaced(at, changed)), name)}
              <Button
                kind="quiet"
                icon="cross"
                label={removeLabel(name)}
                onClick={() => {
                  next.current = 'button';
                  onChange(replaced(at));
                }}
              >
                {''}
              </Button>
            </fieldset>
          );
        })}
      </div>
      <div class="rows-add">
        {Object.entries(fresh).map(([label, item]) => (
          <Button
            key={label}
            kind="quiet"
            icon="plus"
            onClick={() => {
              next.current = 'row';
              onChange([...items, item]);
            }}
          >
            {label}
          </Button>
        ))}
      </div>
    </div>
  );
}
