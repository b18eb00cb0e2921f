import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainRef } from '../../ledger/ledger.js';
import { IndexDatabase } from './index-database.js';
import { FORMAT } from './index-tables.js';

/**
 * The files of the index of one deployment. A damaged file is neither mended nor replaced, since another process may have it open: the next
 * number is begun, and the files before it go.
 */
export class IndexFiles {
  readonly #folder: string;
  readonly #chain: ChainRef;

  constructor(folder: string, chain: ChainRef) {
    this.#folder = folder;
    this.#chain = chain;
  }

  /** The newest file. @throws what cannot be opened, with `number` to go on behind */
  open(number = this.newest()): { readonly database: IndexDatabase; readonly path: string; readonly number: number } {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.path(number);
    // SQLite would create it by the umask; its -wal and -shm files take the mode of the main file.
    closeSync(openSync(path, 'a', 0o600));
    const database = IndexDatabase.open(path, this.#chain);
    const newest = this.newest();
    if (newest > number) {
      database.close();
      return this.open(newest);
    }
    this.#removeBefore(number);
    return { database, path, number };
  }

  path(number: number): string {
    return join(this.#folder, `${this.#name()}${number}.db`);
  }

  newest(): number {
    return Math.max(1, ...this.#numbers());
  }

  sizeBytes(number: number): number {
    const sizes = ['', '-wal'].map((suffix) => statSync(this.path(number) + suffix, { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  #removeBefore(number: number): void {
    for (const old of this.#numbers())
      if (old < number) for (const suffix of ['', '-wal', '-shm']) rmSync(this.path(old) + suffix, { force: true });
  }

  #numbers(): readonly number[] {
    let names: readonly string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return [];
    }
    const start = this.#name();
    return names
      .filter((name) => name.startsWith(start) && /^\d+\.db$/.test(name.slice(start.length)))
      .map((name) => Number.parseInt(name.slice(start.length), 10));
  }

  #name(): string {
    return `${this.#chain.chainId}-${this.#chain.market}.v${FORMAT}.`;
  }
}
