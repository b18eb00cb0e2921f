import type { CheckedTable, Row } from './checked-table.js';
import { IndexDamage } from './index-damage.js';
import type { IndexTables, TokenRow } from './index-tables.js';

/** What one page of events changes, block by block, and how each change is taken back. */
export class IndexWriter {
  readonly tables: IndexTables;
  #block: number | undefined;
  #undos = 0;
  /** Tokens that changed hands in this block, with the transaction. */
  readonly #moved = new Set<string>();
  readonly #next = new Map<string, number>();

  constructor(tables: IndexTables) {
    this.tables = tables;
  }

  /** undefined: deep enough in the chain never to be taken back. */
  beginBlock(block: number | undefined): void {
    this.#block = block;
    this.#undos = 0;
    this.#moved.clear();
  }

  noteMove(token: string, transaction: string): void {
    this.#moved.add(`${token} ${transaction}`);
  }

  hasMoved(token: string, transaction: string): boolean {
    return this.#moved.has(`${token} ${transaction}`);
  }

  /** @returns how many rows were changed */
  endBlock(): number {
    this.#block = undefined;
    return this.#undos;
  }

  put<R extends Row>(table: CheckedTable<R>, row: NoInfer<R>): void {
    this.#undo(table, row, table.put(row));
  }

  /** A row whose key is the next number of its table. @returns the number */
  append<R extends Row & { readonly seq: number }>(table: CheckedTable<R>, row: Omit<NoInfer<R>, 'seq'>): number {
    const seq = this.#next.get(table.name) ?? this.tables.total.get(table.name)?.count ?? 0;
    this.add(table, { ...row, seq } as R);
    this.#next.set(table.name, seq + 1);
    return seq;
  }

  /** A row that cannot be there yet. */
  add<R extends Row>(table: CheckedTable<R>, row: NoInfer<R>): void {
    table.add(row);
    this.#undo(table, row, undefined);
  }

  /** One more, or one less, in the list of a key. */
  tally(list: string, key: string | number, by: 1 | -1): void {
    const row = this.tables.tally.get(list, String(key));
    this.put(this.tables.tally, { list, key: String(key), count: (row?.count ?? 0) + by });
  }

  token(id: string): TokenRow | undefined {
    const [row] = this.tables.token.all('where id = ?', id);
    if (row !== undefined && row.id !== id) throw new IndexDamage('token gives another row than was asked for');
    return row;
  }

  #undo<R extends Row>(table: CheckedTable<R>, row: R, before: R | undefined): void {
    const block = this.#block;
    if (block === undefined) return;
    const key = JSON.stringify(table.keyOf(row));
    const nth = this.#undos++;
    this.tables.undo.add({ block, nth, name: table.name, key, before: before === undefined ? null : JSON.stringify(before) });
  }
}
