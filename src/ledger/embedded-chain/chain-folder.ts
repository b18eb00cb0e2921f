import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FolderLock, lockFolder } from './folder-lock.js';
import { corrupt, Journal, syncFolder, writeDurably } from './journal.js';
import type { JournalHeader } from './journal-record.js';

/**
 * The files of a chain: `journal-<n>.ndjson` and, from n = 1 on, `checkpoint-<n>.json`, the state that journal n starts from.
 * The newest journal is the truth. A checkpoint becomes part of the chain at the rename of its journal and not before, so a crash
 * between any two steps leaves either the old pair or the new one complete; what belongs to neither is removed at the next start.
 */
export class ChainFolder {
  readonly #folder: string;
  readonly #lock: FolderLock;
  #generation = 0;

  private constructor(folder: string, lock: FolderLock) {
    this.#folder = folder;
    this.#lock = lock;
  }

  /** @throws DT_CHAIN_FOLDER_BUSY */
  static async lock(folder: string): Promise<ChainFolder> {
    const created = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (created !== undefined) await syncFolder(dirname(created));
    return new ChainFolder(folder, lockFolder(folder));
  }

  describe(holder: string): void {
    this.#lock.describe(holder);
  }

  release(): void {
    this.#lock.release();
  }

  /** undefined: no chain here yet. @throws DT_CHAIN_JOURNAL_CORRUPT */
  async open(): Promise<Journal | undefined> {
    const names = await readdir(this.#folder);
    const journals = generationsOf(names, /^journal-(\d+)\.ndjson$/);
    const newest = journals.at(-1);
    const checkpoints = generationsOf(names, /^checkpoint-(\d+)\.json$/);
    if (newest === undefined) {
      const orphan = checkpoints.at(-1);
      if (orphan !== undefined) throw corrupt(this.#checkpointPath(orphan), 1, 'its journal is missing');
      return undefined;
    }
    const journal = await Journal.open(this.#journalPath(newest));
    try {
      await this.#verifyCheckpoint(newest, journal.header.checkpoint);
    } catch (error) {
      await journal.close();
      throw error;
    }
    this.#generation = newest;
    const current = new Set([journal.path, this.#checkpointPath(newest)]);
    const ours = names.filter((name) => /^(journal-\d+\.ndjson|checkpoint-\d+\.json)(\.tmp)?$/.test(name));
    for (const name of ours) if (!current.has(join(this.#folder, name))) await rm(join(this.#folder, name));
    return journal;
  }

  async create(header: JournalHeader): Promise<Journal> {
    return Journal.create(this.#journalPath(0), header);
  }

  /** What anvil loads before the records of the current journal; undefined: it starts from genesis. */
  get stateFile(): string | undefined {
    return this.#generation === 0 ? undefined : this.#checkpointPath(this.#generation);
  }

  /** Makes `state` the start of a new, empty journal. Durable when it returns; the old journal stays valid when it throws. */
  async rotate(state: Uint8Array, header: Omit<JournalHeader, 'checkpoint'>): Promise<Journal> {
    const next = this.#generation + 1;
    await writeDurably(this.#checkpointPath(next), state);
    const journal = await Journal.create(this.#journalPath(next), { ...header, checkpoint: sha256(state) });
    const old = [this.#journalPath(this.#generation), this.#checkpointPath(this.#generation)];
    this.#generation = next;
    // The switch is done: what cannot be removed now is removed at the next start.
    for (const path of old) await rm(path, { force: true }).catch(() => undefined);
    return journal;
  }

  async #verifyCheckpoint(generation: number, digest: string | null): Promise<void> {
    if (digest === null) return;
    const path = this.#checkpointPath(generation);
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (cause) {
      throw corrupt(path, 1, cause instanceof Error ? cause.message : String(cause));
    }
    if (sha256(bytes) !== digest) throw corrupt(path, 1, 'it is not the checkpoint that the journal starts from');
  }

  #journalPath(generation: number): string {
    return join(this.#folder, `journal-${generation}.ndjson`);
  }

  #checkpointPath(generation: number): string {
    return join(this.#folder, `checkpoint-${generation}.json`);
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function generationsOf(names: readonly string[], pattern: RegExp): number[] {
  const found = names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  return found.sort((a, b) => a - b);
}
