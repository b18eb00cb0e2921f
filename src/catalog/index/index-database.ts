import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import type { Bytes32 } from '../../documents/ids.js';
import type { BlockRef, ChainRef, EventPage } from '../../ledger/ledger.js';
import type { TokenLabel } from '../ledger-index.js';
import { applyEvent } from './apply-event.js';
import { addSums, type CheckedTable, type Row, type Total } from './checked-table.js';
import { IndexDamage, isConstraint } from './index-damage.js';
import { FORMAT, type IndexTables, openTables, schema } from './index-tables.js';
import { IndexWriter } from './index-writer.js';

/** How far a reorganization may go back without the index being built again. */
export const KEPT_BLOCKS = 256;
/** Another process that writes a page of events is waited for. */
const BUSY_TIMEOUT_MS = 10_000;
const CACHE_KIB = 32 * 1024;

/**
 * The tables of one index in one SQLite file or in memory. All that a page of events changes, and the block that it goes up to, are one
 * transaction: whatever ends a process, the index is that of some block and goes on from there.
 */
export class IndexDatabase {
  readonly tables: IndexTables;
  readonly #database: DatabaseSyncInstance;
  readonly #keptBlocks: number;

  /** @throws IndexDamage, and what SQLite says when the file cannot be used */
  static open(path: string, chain: ChainRef, keptBlocks = KEPT_BLOCKS): IndexDatabase {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, defensive: true });
    try {
      return new IndexDatabase(database, chain, keptBlocks);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private constructor(database: DatabaseSyncInstance, chain: ChainRef, keptBlocks: number) {
    this.#database = database;
    this.#keptBlocks = keptBlocks;
    // NORMAL: a power cut may take the last pages of events, which are read again.
    database.exec(`pragma journal_mode = wal; pragma synchronous = normal; pragma trusted_schema = off; pragma cache_size = -${CACHE_KIB}`);
    if (this.#format() === 0) this.#create(chain);
    if (this.#format() !== FORMAT) throw new IndexDamage(`it has format ${this.#format()}, this program writes format ${FORMAT}`);
    const found: readonly { sql: string }[] = database.prepare('select sql from sqlite_schema where sql is not null order by rowid').all();
    if (found.map(({ sql }) => sql.toLowerCase()).join() !== schema.join()) throw new IndexDamage('its schema is another');
    this.tables = openTables(database);
    const state = this.#state();
    if (state.chain !== chain.chainId || state.market !== chain.market) throw new IndexDamage('it is of another deployment');
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** The block that the index knows the chain up to. */
  cursor(): BlockRef | undefined {
    const { block, hash } = this.#state();
    return block === null || hash === null ? undefined : { block, hash: hash as Bytes32 };
  }

  /** All statements of `read` see the same moment, whatever other processes write. */
  snapshot<T>(read: () => T): T {
    if (this.#database.isTransaction) return read();
    this.#database.exec('begin');
    try {
      return read();
    } finally {
      if (this.#database.isTransaction) this.#database.exec('rollback');
    }
  }

  /** False, and nothing is done, when the index is no longer at `from`: another process was faster. */
  apply(page: EventPage, from: BlockRef | undefined): boolean {
    return this.#writeAt(from, () => {
      const horizon = page.head - this.#keptBlocks;
      const writer = new IndexWriter(this.tables);
      let last: BlockRef | undefined;
      for (const event of page.events) {
        if (event.block !== last?.block) {
          if (last !== undefined) this.#keep(last, writer.endBlock());
          last = { block: event.block, hash: event.blockHash };
          writer.beginBlock(event.block > horizon ? event.block : undefined);
        }
        applyEvent(writer, event);
      }
      if (last !== undefined) this.#keep(last, writer.endBlock());
      writer.flush();
      if (last?.block !== page.upTo.block) this.#keep(page.upTo, 0);
      this.#forgetBefore(horizon);
      this.#moveTo(page.upTo);
    });
  }

  /** Blocks that the index can go back to, the latest first. */
  kept(): readonly BlockRef[] {
    return this.tables.block.all('order by block desc').map(({ block, hash }) => ({ block, hash: hash as Bytes32 }));
  }

  /** Takes back what was applied after a block; all of it for undefined. False as in `apply`. */
  rollBack(to: BlockRef | undefined, from: BlockRef | undefined): boolean {
    const { tables } = this;
    return this.#writeAt(from, () => {
      if (to === undefined) return this.#clear();
      for (const { block, undos } of tables.block.all('where block > ? order by block desc', to.block)) {
        const entries = tables.undo.all('where block = ? order by nth desc', block);
        if (entries.length !== undos) throw new IndexDamage(`block ${block} can be taken back in part only`);
        for (const { nth, name, key, before } of entries) {
          const table = this.#table(name);
          if (before === null) table.remove(...JSON.parse(key));
          else table.put(JSON.parse(before));
          tables.undo.remove(block, nth);
        }
        tables.block.remove(block);
      }
      this.#moveTo(to);
    });
  }

  /** Beside what the chain says: nothing that happens on it changes these. */
  keepLabels(labels: ReadonlyMap<Bytes32, TokenLabel>): void {
    this.#write(() => {
      for (const [digest, { name, type }] of labels) this.tables.label.put({ digest, name, type });
      return true;
    });
  }

  /** Reads everything. @throws IndexDamage */
  check(): void {
    this.snapshot(() => {
      const [found]: readonly { integrity_check: string }[] = this.#database.prepare('pragma integrity_check(1)').all();
      if (found?.integrity_check !== 'ok') throw new IndexDamage(found?.integrity_check ?? 'SQLite does not answer');
      for (const table of this.#counted()) table.check(this.totalOf(table.name));
      this.#state();
    });
  }

  totalOf(name: string): Total {
    const total = this.tables.total.get(name);
    return { rows: total?.count ?? 0, sum: total?.sum ?? 0 };
  }

  #writeAt(from: BlockRef | undefined, work: () => void): boolean {
    return this.#write(() => {
      const now = this.cursor();
      const isThere = now?.block === from?.block && now?.hash === from?.hash;
      if (isThere) work();
      return isThere;
    });
  }

  /** One transaction. `work` says whether it wrote. */
  #write(work: () => boolean): boolean {
    this.#database.exec('begin immediate');
    try {
      const wrote = work();
      if (wrote) this.#writeTotals();
      this.#database.exec('commit');
      return wrote;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      for (const table of Object.values(this.tables)) table.forgetChange();
      if (isConstraint(error)) throw new IndexDamage('what the chain adds is there already', { cause: error });
      throw error;
    }
  }

  #writeTotals(): void {
    for (const { name, change } of this.#counted().map((table) => ({ name: table.name, change: table.takeChange() }))) {
      if (change === undefined) continue;
      const { rows, sum } = this.totalOf(name);
      this.tables.total.put({ name, count: rows + change.rows, sum: addSums(sum, change.sum) });
    }
  }

  #keep({ block, hash }: BlockRef, undos: number): void {
    this.tables.block.put({ block, hash, undos });
  }

  /** The last block up to the horizon stays: everything after it can be taken back. */
  #forgetBefore(horizon: number): void {
    const { block, undo } = this.tables;
    const [base] = block.all('where block <= ? order by block desc limit 1', horizon);
    if (base === undefined) return;
    for (const old of block.all('where block <= ?', base.block)) {
      for (const { nth } of undo.all('where block = ?', old.block)) undo.remove(old.block, nth);
      if (old.block < base.block) block.remove(old.block);
      else if (old.undos > 0) block.put({ ...old, undos: 0 });
    }
  }

  #moveTo({ block, hash }: BlockRef): void {
    this.tables.state.put({ ...this.#state(), block, hash });
  }

  #clear(): void {
    for (const table of this.#counted()) {
      this.#database.exec(`delete from ${table.name}`);
      table.forgetChange();
    }
    this.#database.exec('delete from total');
    this.tables.state.put({ ...this.#state(), block: null, hash: null });
  }

  /** All tables whose rows are counted: those that count are not. */
  #counted(): readonly CheckedTable<Row>[] {
    const { state: _, total: __, ...counted } = this.tables;
    return Object.values(counted);
  }

  #table(name: string): CheckedTable<Row> {
    const table = this.#counted().find((candidate) => candidate.name === name);
    if (table === undefined) throw new IndexDamage(`there is no table ${name}`);
    return table;
  }

  #state() {
    const state = this.tables.state.get(1);
    if (state === undefined) throw new IndexDamage('it does not say which block it is of');
    return state;
  }

  #format(): number {
    const { user_version: format }: { user_version: number } = this.#database.prepare('pragma user_version').get();
    return format;
  }

  /** Two processes may both find it empty. */
  #create({ chainId, market }: ChainRef): void {
    this.#database.exec('begin immediate');
    try {
      if (this.#format() === 0) {
        for (const statement of schema) this.#database.exec(statement);
        openTables(this.#database).state.put({ id: 1, chain: chainId, market, block: null, hash: null });
        this.#database.exec(`pragma user_version = ${FORMAT}`);
      }
      this.#database.exec('commit');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }
}
