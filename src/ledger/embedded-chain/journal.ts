import { createHash } from 'node:crypto';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type JournalHeader, type JournalRecord, parseHeader, parseRecord } from './journal-record.js';

/**
 * The durable record of the chain since its last checkpoint: one line for the header, then one for each block, written and
 * synced before the engine sees its transactions. A line is `<digest> <json>\n`; the digest covers the line and the one before
 * it, so that a changed, missing, doubled or moved line is found. A line that a crash cut short was never acknowledged and is
 * dropped when the journal is opened.
 */
export class Journal {
  readonly path: string;
  readonly header: JournalHeader;
  readonly records: JournalRecord[];
  readonly #file: FileHandle;
  #size: number;
  #digest: string;
  #broken: unknown;

  private constructor(path: string, file: FileHandle, content: Content) {
    this.path = path;
    this.header = content.header;
    this.records = content.records;
    this.#file = file;
    this.#size = content.sizeBytes;
    this.#digest = content.digest;
  }

  /** Complete and durable under its name when it returns, or not there at all. */
  static async create(path: string, header: JournalHeader): Promise<Journal> {
    const { line, digest } = encode('', header);
    await writeDurably(path, line);
    return new Journal(path, await open(path, 'r+'), { header, records: [], sizeBytes: line.length, digest });
  }

  /** @throws DT_CHAIN_JOURNAL_CORRUPT naming file and line */
  static async open(path: string): Promise<Journal> {
    const file = await open(path, 'r+');
    try {
      const bytes = await file.readFile();
      const content = decode(path, bytes);
      if (content.sizeBytes < bytes.length) {
        await file.truncate(content.sizeBytes);
        await file.sync();
      }
      return new Journal(path, file, content);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#size;
  }

  /** Line of the file at which the record of this index stands. */
  static lineOf(index: number): number {
    return index + 2;
  }

  /** Durable when it returns; one call at a time. @throws DT_CHAIN_ENGINE_FAILED; then the record is not in the journal */
  async append(record: JournalRecord): Promise<void> {
    if (this.#broken !== undefined) throw this.#failure(this.#broken);
    const { line, digest } = encode(this.#digest, record);
    try {
      await this.#writeAll(line);
    } catch (cause) {
      // Disk full: take back what was written. When even that fails the file's end is unknown, and nothing may follow it.
      await this.#file.truncate(this.#size).catch((error: unknown) => {
        this.#broken = error;
      });
      throw this.#failure(cause);
    }
    try {
      await this.#file.datasync();
    } catch (cause) {
      // After a failed sync the kernel may call lost pages clean: a second sync proves nothing.
      this.#broken = cause;
      throw this.#failure(cause);
    }
    this.#size += line.length;
    this.#digest = digest;
    this.records.push(record);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #writeAll(line: Buffer): Promise<void> {
    for (let done = 0; done < line.length; ) {
      const { bytesWritten } = await this.#file.write(line, done, line.length - done, this.#size + done);
      done += bytesWritten;
    }
  }

  #failure(cause: unknown): ToolkitError {
    const reason = `cannot write ${this.path}: ${cause instanceof Error ? cause.message : String(cause)}`;
    return new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason }, cause);
  }
}

interface Content {
  readonly header: JournalHeader;
  readonly records: JournalRecord[];
  readonly sizeBytes: number;
  readonly digest: string;
}

const digestOf = (before: string, json: string) =>
  createHash('sha256')
    .update(before + json)
    .digest('hex')
    .slice(0, 32);

function encode(before: string, value: JournalHeader | JournalRecord): { line: Buffer; digest: string } {
  const json = JSON.stringify(value);
  const digest = digestOf(before, json);
  return { line: Buffer.from(`${digest} ${json}\n`, 'latin1'), digest };
}

function decode(path: string, bytes: Buffer): Content {
  let header: JournalHeader | undefined;
  const records: JournalRecord[] = [];
  let digest = '';
  let start = 0;
  let line = 1;
  for (;;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) break;
    const text = bytes.toString('latin1', start, end);
    const json = text.slice(33);
    if (text[32] !== ' ' || text.slice(0, 32) !== digestOf(digest, json)) {
      // Pages that never reached the disk read as zeros after a power cut: a torn append, if it is the last one.
      if (end + 1 === bytes.length && line > 1 && text.includes('\0')) break;
      throw corrupt(path, line, 'its digest does not fit');
    }
    try {
      if (header === undefined) header = parseHeader(JSON.parse(json));
      else records.push(parseRecord(JSON.parse(json)));
    } catch (cause) {
      throw corrupt(path, line, cause instanceof Error ? cause.message : String(cause));
    }
    digest = text.slice(0, 32);
    start = end + 1;
    line += 1;
  }
  if (header === undefined) throw corrupt(path, 1, 'it has no header');
  return { header, records, sizeBytes: start, digest };
}

export const corrupt = (file: string, line: number, reason: string) => new ToolkitError('DT_CHAIN_JOURNAL_CORRUPT', { file, line, reason });

/** Writes beside, syncs, renames, syncs the folder: at every instant the name holds all of it or what it held before. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
