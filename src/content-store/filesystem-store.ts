import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { sha256 } from '../documents/canonical.js';
import type { Bytes32 } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { cidOf } from './cid.js';
import type { ContentStore } from './content-store.js';
import { limitBytes, verifyBytes } from './verify-bytes.js';

const LEFTOVER_MS = 60 * 60 * 1000;

/**
 * Documents as files: `blocks/<2 chars>/<cid>`, whole or not there at all. Any number of programs may share a folder: every
 * writer has a temporary file of its own, and the rename gives the same bytes whoever comes last.
 */
export class FilesystemStore implements ContentStore {
  readonly #blocks: string;
  readonly #temporary: string;
  #swept: Promise<void> | undefined;

  constructor(folder: string) {
    this.#blocks = resolve(folder, 'blocks');
    this.#temporary = resolve(folder, 'tmp');
  }

  /** @throws DT_INPUT_TOO_LARGE, DT_INPUT_FILE when it cannot be written */
  async put(bytes: Uint8Array): Promise<Bytes32> {
    limitBytes(bytes);
    const digest = sha256(bytes);
    const path = this.pathOf(digest);
    try {
      await this.#write(path, bytes);
    } catch (cause) {
      throw fileError(path, cause);
    }
    return digest;
  }

  /** @throws DT_DOCUMENT_TAMPERED naming the file, DT_INPUT_FILE when it cannot be read */
  async get(digest: Bytes32, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted();
    const path = this.pathOf(digest);
    const bytes = await this.#read(path);
    return bytes && verifyBytes(digest, bytes, path);
  }

  /** The first characters of all CIDs are the same, so the folders are named for the last but one, as kubo does. */
  pathOf(digest: Bytes32): string {
    const cid = cidOf(digest);
    return join(this.#blocks, cid.slice(-3, -1), cid);
  }

  async #read(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(path);
    } catch (cause) {
      if (isCode(cause, 'ENOENT')) return undefined;
      throw fileError(path, cause);
    }
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    await makeFolder(dirname(path));
    const existing = await this.#read(path);
    // What lies there damaged is replaced by the right bytes.
    if (existing === undefined || !existing.equals(bytes)) {
      await makeFolder(this.#temporary);
      this.#swept ??= this.#sweep();
      await this.#swept;
      const temporary = join(this.#temporary, randomBytes(12).toString('hex'));
      try {
        await writeSynced(temporary, bytes);
        await rename(temporary, path);
      } catch (cause) {
        await rm(temporary, { force: true });
        throw cause;
      }
    }
    // Also when another writer came first: its rename may not be on disk yet.
    await syncFolder(dirname(path));
  }

  /** Removes what writers that were killed have left, once for each store. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > LEFTOVER_MS) await rm(path, { force: true });
    }
  }
}

/** A folder and its new parents, durable. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isCode = (cause: unknown, code: string) => cause instanceof Error && 'code' in cause && cause.code === code;

function fileError(path: string, cause: unknown): ToolkitError {
  if (cause instanceof ToolkitError) return cause;
  return new ToolkitError('DT_INPUT_FILE', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause);
}
