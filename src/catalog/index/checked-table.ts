import { crc32 } from 'node:zlib';
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import { IndexDamage } from './index-damage.js';

export type Value = number | string | null;
export type Row = Readonly<Record<string, Value>>;

/** What a table holds in all: the number of its rows and the sum of their checksums. */
export interface Total {
  readonly rows: number;
  readonly sum: number;
}

export interface TableShape {
  readonly name: string;
  /** In the order of the table; the first `keys` of them are its primary key. */
  readonly columns: readonly string[];
  readonly keys: number;
}

const MODULUS = 2 ** 32;

/**
 * A table in which each row carries a checksum over its name and its values. SQLite notices a damaged page only where its structure breaks;
 * here no row is handed out whose values are not those that were written. Rows that are gone are noticed by who knows how many there must be.
 */
export class CheckedTable<R extends Row> {
  readonly name: string;
  readonly #columns: readonly string[];
  readonly #keys: number;
  readonly #database: DatabaseSyncInstance;
  readonly #statements = new Map<string, StatementSyncInstance>();
  #rows = 0;
  #sum = 0;

  constructor(database: DatabaseSyncInstance, { name, columns, keys }: TableShape) {
    this.#database = database;
    this.name = name;
    this.#columns = columns;
    this.#keys = keys;
  }

  /** @throws IndexDamage */
  get(...key: readonly Value[]): R | undefined {
    const statement = this.#prepare(`select ${this.#columns.join()}, crc from ${this.name} where ${this.#keyCondition()}`);
    const found = statement.get(...key);
    if (found === undefined) return undefined;
    const values = this.#checked(found);
    if (key.some((value, i) => values[i] !== value)) throw new IndexDamage(`${this.name} gives another row than was asked for`);
    return this.#rowOf(values);
  }

  /** The rows that a condition gives, in its order, one after the other. @throws IndexDamage */
  *each(condition: string, ...parameters: readonly Value[]): Generator<R, void, undefined> {
    const statement = this.#prepare(`select ${this.#columns.join()}, crc from ${this.name} ${condition}`);
    for (const found of statement.iterate(...parameters)) yield this.#rowOf(this.#checked(found));
  }

  /** The same as a list, which is faster. @throws IndexDamage */
  all(condition: string, ...parameters: readonly Value[]): readonly R[] {
    const statement = this.#prepare(`select ${this.#columns.join()}, crc from ${this.name} ${condition}`);
    return statement.all(...parameters).map((found) => this.#rowOf(this.#checked(found)));
  }

  /** How many rows there are by SQLite's own structures, which nothing has checked. */
  count(condition = '', ...parameters: readonly Value[]): number {
    const [found]: readonly [number] = this.#prepare(`select count(*) from ${this.name} ${condition}`).get(...parameters);
    return found;
  }

  /** Writes a row in the place of the one that is there. */
  put(row: R): void {
    this.write(row, this.get(...this.keyOf(row)));
  }

  /** The same for who knows what is there: nothing, or a row with this key. */
  write(row: R, before: R | undefined): void {
    const values = this.#valuesOf(row);
    const crc = this.#crc(values);
    const verb = before === undefined ? 'insert' : 'insert or replace';
    this.#prepare(`${verb} into ${this.name} (${this.#columns.join()}, crc) values (${'?, '.repeat(values.length)}?)`).run(...values, crc);
    this.#rows += before === undefined ? 1 : 0;
    this.#sum += crc - (before === undefined ? 0 : this.#crc(this.#valuesOf(before)));
  }

  remove(...key: readonly Value[]): void {
    const before = this.get(...key);
    if (before === undefined) return;
    this.#prepare(`delete from ${this.name} where ${this.#keyCondition()}`).run(...key);
    this.#rows -= 1;
    this.#sum -= this.#crc(this.#valuesOf(before));
  }

  keyOf(row: R): readonly Value[] {
    return this.#columns.slice(0, this.#keys).map((column) => row[column] as Value);
  }

  /** What was written since this was asked last, to be added to the total of the table. */
  takeChange(): Total | undefined {
    if (this.#rows === 0 && this.#sum === 0) return undefined;
    const change = { rows: this.#rows, sum: this.#sum };
    this.forgetChange();
    return change;
  }

  /** After a transaction that was rolled back. */
  forgetChange(): void {
    this.#rows = 0;
    this.#sum = 0;
  }

  /** Reads all rows. @throws IndexDamage when one is damaged, missing or not of this state */
  check({ rows, sum }: Total): void {
    let count = 0;
    let found = 0;
    for (const raw of this.#prepare(`select ${this.#columns.join()}, crc from ${this.name}`).iterate()) {
      count += 1;
      found = addSums(found, this.#crc(this.#checked(raw)));
    }
    if (count !== rows) throw new IndexDamage(`${this.name} has ${count} rows instead of ${rows}`);
    if (found !== sum) throw new IndexDamage(`${this.name} holds rows of another time`);
  }

  /** The values of a row without its checksum, which fits. */
  #checked(found: Value[]): readonly Value[] {
    const crc = found.pop();
    if (this.#crc(found) !== crc) throw new IndexDamage(`a row of ${this.name} does not have its checksum`);
    return found;
  }

  #rowOf(values: readonly Value[]): R {
    const row: Record<string, Value> = {};
    for (const [i, column] of this.#columns.entries()) row[column] = values[i] as Value;
    return row as R;
  }

  #valuesOf(row: R): Value[] {
    return this.#columns.map((column) => row[column] as Value);
  }

  #crc(values: readonly Value[]): number {
    return crc32(this.name + JSON.stringify(values));
  }

  #keyCondition(): string {
    return this.#columns
      .slice(0, this.#keys)
      .map((column) => `${column} = ?`)
      .join(' and ');
  }

  #prepare(sql: string): StatementSyncInstance {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

export const addSums = (a: number, b: number): number => (((a + b) % MODULUS) + MODULUS) % MODULUS;
