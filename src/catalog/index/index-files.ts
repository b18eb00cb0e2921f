import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainRef } from '../../ledger/ledger.js';
import { IndexDamage } from './index-damage.js';
import { IndexDatabase } from './index-database.js';
import { FORMAT } from './index-tables.js';

const FIRST_PAGE_BYTES = 4096;

/**
 * The files of the index of one deployment. A damaged file is neither mended nor replaced, since another process may have it open: the next
 * number is begun, and the files before it go.
 */
export class IndexFiles {
  readonly #folder: string;
  readonly #chain: ChainRef;
  readonly #keptBlocks: number | undefined;

  constructor(folder: string, chain: ChainRef, keptBlocks?: number) {
    this.#keptBlocks = keptBlocks;
    this.#folder = folder;
    this.#chain = chain;
  }

  /** The newest file. @throws what cannot be opened, with `number` to go on behind */
  open(number = this.newest()): { readonly database: IndexDatabase; readonly path: string; readonly number: number } {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.path(number);
    // SQLite would create it by the umask; its -wal and -shm files take the mode of the main file.
    closeSync(openSync(path, 'a', 0o600));
    // SQLite takes what is shorter than its first page for a new file.
    const { size } = statSync(path);
    if (size > 0 && size < FIRST_PAGE_BYTES) throw new IndexDamage(`it ends after ${size} bytes`);
    const database = IndexDatabase.open(path, this.#chain, this.#keptBlocks);
    const newest = this.newest();
    if (newest > number) {
      database.close();
      return this.open(newest);
    }
    this.#removeBefore(number);
    return { database, path, number };
  }

  path(number: number): string {
    return join(this.#folder, `${this.#name()}${FORMAT}.${number}.db`);
  }

  newest(): number {
    return Math.max(1, ...this.#numbers());
  }

  sizeBytes(number: number): number {
    const sizes = ['', '-wal'].map((suffix) => statSync(this.path(number) + suffix, { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Files that earlier versions of this program wrote for the same deployment, in formats that this one does not read. */
  outdated(): readonly string[] {
    return this.#found()
      .filter(({ format }) => format < FORMAT)
      .map(({ path }) => path);
  }

  remove(path: string): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  }

  #removeBefore(number: number): void {
    for (const old of this.#numbers()) if (old < number) this.remove(this.path(old));
  }

  #numbers(): readonly number[] {
    return this.#found()
      .filter(({ format }) => format === FORMAT)
      .map(({ number }) => number);
  }

  #found(): readonly { readonly path: string; readonly format: number; readonly number: number }[] {
    let names: readonly string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return [];
    }
    const start = this.#name();
    return names.flatMap((name) => {
      const [, format, number] = (name.startsWith(start) && /^(\d+)\.(\d+)\.db$/.exec(name.slice(start.length))) || [];
      return format === undefined || number === undefined
        ? []
        : [{ path: join(this.#folder, name), format: Number(format), number: Number(number) }];
    });
  }

  #name(): string {
    return `${this.#chain.chainId}-${this.#chain.market}.v`;
  }
}
