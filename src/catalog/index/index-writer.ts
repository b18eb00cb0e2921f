import type { CheckedTable, Row, Value } from './checked-table.js';
import type { EdgeRow, IndexTables, TokenRow } from './index-tables.js';

/** What a row was before, and what it is to be. */
interface Change {
  readonly table: CheckedTable<Row>;
  readonly before: Row | undefined;
  row: Row;
}

/**
 * What one page of events changes. Changes are gathered, since the same rows change again and again, and written at the end of a block that
 * may be taken back, and at the end of the page for those that lie deeper.
 */
export class IndexWriter {
  readonly tables: IndexTables;
  #block: number | undefined;
  #undos = 0;
  readonly #changes = new Map<string, Change>();
  readonly #next = new Map<string, number>();
  readonly #tokens = new Map<string, TokenRow>();
  readonly #edges = new Map<string, EdgeRow>();
  /** Tokens that changed hands in this block, with the transaction. */
  readonly #moved = new Set<string>();

  constructor(tables: IndexTables) {
    this.tables = tables;
  }

  /** undefined: deep enough in the chain never to be taken back. */
  beginBlock(block: number | undefined): void {
    if (block !== undefined) this.flush();
    this.#block = block;
    this.#undos = 0;
    this.#moved.clear();
  }

  /** @returns how many changes can be taken back */
  endBlock(): number {
    if (this.#block !== undefined) this.flush();
    this.#block = undefined;
    return this.#undos;
  }

  /** Writes what was gathered: the tables are as the events have made them. */
  flush(): void {
    for (const { table, before, row } of this.#changes.values()) {
      table.write(row, before);
      if (this.#block === undefined) continue;
      const undo = { block: this.#block, nth: this.#undos++, name: table.name, key: JSON.stringify(table.keyOf(row)) };
      this.tables.undo.write({ ...undo, before: before === undefined ? null : JSON.stringify(before) }, undefined);
    }
    this.#changes.clear();
    this.#tokens.clear();
    this.#edges.clear();
  }

  get<R extends Row>(table: CheckedTable<R>, ...key: readonly Value[]): R | undefined {
    const change = this.#changes.get(`${table.name} ${key.join()}`);
    return change === undefined ? table.get(...key) : (change.row as R);
  }

  /** By what is no key, where that is asked seldom. */
  find<R extends Row>(table: CheckedTable<R>, condition: string, ...parameters: readonly Value[]): R | undefined {
    this.flush();
    return table.all(`${condition} limit 1`, ...parameters)[0];
  }

  /** A row in the place of one that was read. */
  change<R extends Row>(table: CheckedTable<R>, before: NoInfer<R>, row: NoInfer<R>): void {
    const key = `${table.name} ${table.keyOf(row).join()}`;
    const change = this.#changes.get(key);
    if (change === undefined) this.#changes.set(key, { table, before, row });
    else change.row = row;
  }

  /** A row that is not there yet. */
  add<R extends Row>(table: CheckedTable<R>, row: NoInfer<R>): void {
    this.#changes.set(`${table.name} ${table.keyOf(row).join()}`, { table, before: undefined, row });
  }

  /** A row whose key is the next number of its table. @returns the number */
  append<R extends Row & { readonly seq: number }>(table: CheckedTable<R>, row: Omit<NoInfer<R>, 'seq'>): number {
    const seq = this.#next.get(table.name) ?? this.tables.total.get(table.name)?.count ?? 0;
    this.add(table, { ...row, seq } as R);
    this.#next.set(table.name, seq + 1);
    return seq;
  }

  /** One more, or one less, in the list of a key. */
  tally(list: string, key: string | number, by: 1 | -1): void {
    const { tally } = this.tables;
    const before = this.get(tally, list, String(key));
    const row = { list, key: String(key), count: (before?.count ?? 0) + by };
    if (before === undefined) this.add(tally, row);
    else this.change(tally, before, row);
  }

  token(id: string): TokenRow | undefined {
    const known = this.#tokens.get(id) ?? this.tables.token.all('where id = ?', id)[0];
    if (known !== undefined) this.#tokens.set(id, known);
    return known;
  }

  addToken(row: Omit<TokenRow, 'seq'>): TokenRow {
    const added = { ...row, seq: this.append(this.tables.token, row) } as TokenRow;
    this.#tokens.set(added.id, added);
    return added;
  }

  changeToken(before: TokenRow, row: TokenRow): void {
    this.change(this.tables.token, before, row);
    this.#tokens.set(row.id, row);
  }

  edge(composite: number, child: number): EdgeRow | undefined {
    return this.#edges.get(`${composite} ${child}`) ?? this.tables.edge.all('where composite = ? and child = ?', composite, child)[0];
  }

  addEdge(row: EdgeRow): void {
    this.add(this.tables.edge, row);
    this.#edges.set(`${row.composite} ${row.child}`, row);
  }

  changeEdge(before: EdgeRow, row: EdgeRow): void {
    this.change(this.tables.edge, before, row);
    this.#edges.set(`${row.composite} ${row.child}`, row);
  }

  noteMove(token: string, transaction: string): void {
    this.#moved.add(`${token} ${transaction}`);
  }

  hasMoved(token: string, transaction: string): boolean {
    return this.#moved.has(`${token} ${transaction}`);
  }
}
