import { ToolkitError } from '../../errors/toolkit-error.js';
import type { BlockRef, ChainTime, EventPage, LedgerReader } from '../../ledger/ledger.js';
import type { IndexSource, IndexStatus, LedgerIndex } from '../ledger-index.js';
import { damageOf, unusableReason } from './index-damage.js';
import { IndexDatabase } from './index-database.js';
import { IndexFiles } from './index-files.js';
import { SqliteIndex } from './sqlite-index.js';

/** What an index asks of its chain. */
export type EventSource = Pick<LedgerReader, 'ref' | 'eventsAfter' | 'blockHashes'>;

export interface IndexOptions {
  readonly ledger: EventSource;
  /** Where the index is kept, a file for each deployment; in memory when missing, and when the folder cannot be used. */
  readonly folder?: string;
  /** How many blocks can be taken back without building it again. */
  readonly keptBlocks?: number;
  /** Told when something was wrong with the index, and what is done about it. */
  readonly onNotice?: (text: string) => void;
  /** Told after each page of events. */
  readonly onProgress?: (progress: { readonly block: number; readonly head: number }) => void;
}

interface Opened {
  readonly database: IndexDatabase;
  readonly path?: string;
  readonly number?: number;
}

/** An index that follows its chain: over new events, reorganizations, damage, and other processes that write the same file. */
export class FollowingIndex implements IndexSource {
  readonly #options: IndexOptions;
  readonly #files: IndexFiles | undefined;
  readonly #opened: Opened[] = [];
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #headTime: ChainTime = 0;

  constructor(options: IndexOptions) {
    this.#options = options;
    this.#files = options.folder === undefined ? undefined : new IndexFiles(options.folder, options.ledger.ref, options.keptBlocks);
  }

  async read<T>(work: (index: LedgerIndex) => T | Promise<T>): Promise<T> {
    return this.#mending(async () => {
      await this.catchUp();
      const index = new SqliteIndex(this.#current().database, this.#headTime);
      const result = await work(index);
      try {
        index.keepNotes();
      } catch {
        // The file cannot be written, or another process writes for long: what was noted is found out again.
      }
      return result;
    });
  }

  /** Everything that the chain has at the moment of the call. Calls at one time share the work. */
  catchUp(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#follow().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    // What runs may have asked the chain already.
    this.#waiting ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        return this.catchUp();
      });
    return this.#waiting;
  }

  async check(): Promise<boolean> {
    let passes = 0;
    await this.#mending(async () => {
      passes += 1;
      await this.catchUp();
      this.#current().database.check();
    });
    return passes === 1;
  }

  async rebuild(): Promise<void> {
    this.#begin(this.#current());
    await this.#mending(() => this.catchUp());
  }

  status(): IndexStatus {
    const { database, path, number } = this.#current();
    const sizeBytes = number === undefined ? 0 : (this.#files?.sizeBytes(number) ?? 0);
    return { path, sizeBytes, upTo: database.cursor() };
  }

  close(): void {
    for (const { database } of this.#opened.splice(0)) database.close();
  }

  async #follow(): Promise<void> {
    const { ledger, onProgress } = this.#options;
    const { database } = this.#current();
    let ahead: Promise<EventPage | undefined> | undefined;
    for (;;) {
      const from = database.snapshot(() => database.cursor());
      const page = await (ahead ?? ledger.eventsAfter(from));
      ahead = undefined;
      if (page === undefined) {
        await this.#rollBack(database, from);
        continue;
      }
      this.#headTime = page.headTime;
      const isLast = page.upTo.block >= page.head;
      if (isLast && page.upTo.hash === from?.hash) return;
      // The next page is on its way while this one is written.
      if (!isLast) ahead = ledger.eventsAfter(page.upTo);
      ahead?.catch(() => undefined);
      if (!database.apply(page, from)) {
        ahead = undefined;
        continue;
      }
      onProgress?.({ block: page.upTo.block, head: page.head });
      if (isLast) return;
    }
  }

  async #rollBack(database: IndexDatabase, from: BlockRef | undefined): Promise<void> {
    const kept = database.kept();
    const hashes = await this.#options.ledger.blockHashes(kept.map(({ block }) => block));
    const common = kept.find(({ hash }, i) => hashes[i] === hash);
    if (database.rollBack(common, from) && common === undefined)
      this.#options.onNotice?.('The chain is another than the index was built from: it is built again.');
  }

  /** Does it again, once, after the index was found to be damaged or out of reach. */
  async #mending<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#opened.at(-1);
    try {
      return await work();
    } catch (error) {
      if (damageOf(error) === undefined && unusableReason(error) === undefined) throw error;
      const failed = this.#opened.at(-1);
      // Otherwise somebody who found it too was faster.
      if (before === undefined || failed === before) this.#replace(failed, error);
      try {
        return await work();
      } catch (again) {
        const damage = damageOf(again);
        if (damage === undefined) throw again;
        throw new ToolkitError('DT_INDEX_DAMAGED', { path: this.#opened.at(-1)?.path ?? 'memory', reason: damage.message }, again);
      }
    }
  }

  #current(): Opened {
    return this.#opened.at(-1) ?? this.#open();
  }

  #open(): Opened {
    const { folder } = this.#options;
    if (this.#files === undefined) return this.#push({ database: this.#memory() });
    const number = this.#files.newest();
    try {
      const opened = this.#files.open(number);
      for (const path of this.#files.outdated()) {
        this.#files.remove(path);
        this.#options.onNotice?.(`The index in ${path} is of an earlier version of this program. It is built again from the chain.`);
      }
      return this.#push(opened);
    } catch (error) {
      const damage = damageOf(error);
      if (damage === undefined) return this.#inMemory(error, folder);
      this.#damaged(this.#files.path(number), damage.message);
      return this.#push(this.#files.open(number + 1));
    }
  }

  #replace(failed: Opened | undefined, error: unknown): void {
    const damage = damageOf(error);
    if (damage === undefined) {
      if (unusableReason(error) === undefined || failed?.path === undefined) throw error;
      this.#inMemory(error, failed.path);
      return;
    }
    this.#damaged(failed?.path ?? 'memory', damage.message);
    this.#begin(failed);
  }

  /** Work that still reads the old one goes on with it. */
  #begin(old: Opened | undefined): void {
    if (this.#files === undefined || old?.number === undefined) this.#push({ database: this.#memory() });
    else this.#push(this.#files.open(Math.max(old.number + 1, this.#files.newest())));
  }

  #inMemory(error: unknown, where: string | undefined): Opened {
    const reason = unusableReason(error) ?? (error instanceof Error ? error.message : String(error));
    this.#options.onNotice?.(`The index in ${where} cannot be used: ${reason}. The chain is read into memory instead.`);
    return this.#push({ database: this.#memory() });
  }

  #damaged(path: string, reason: string): void {
    this.#options.onNotice?.(`The index in ${path} is damaged: ${reason}. Nothing of it is used; it is built again from the chain.`);
  }

  #memory(): IndexDatabase {
    return IndexDatabase.open(':memory:', this.#options.ledger.ref, this.#options.keptBlocks);
  }

  #push(opened: Opened): Opened {
    this.#opened.push(opened);
    return opened;
  }
}
