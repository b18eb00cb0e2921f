import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { CR, LF, openCsv, recordBlocks, recordsOf } from '../csv-records.js';
import { readHeader, startOfRows } from './id-file.js';

const CHUNK_BYTES = 1 << 20;
const PIECE_BYTES = 1 << 28;

/**
 * Writes the header of a CSV file and some of its rows (numbers from 0, in this order) to another one, byte for byte; each ends as the
 * header does. Reads the file once more instead of keeping it, or, where the order is not that of the file, some times more: memory is
 * a fixed amount and 8 bytes a row. @throws DT_INPUT_FILE, DT_DATASET_INVALID when it has no such row
 */
export async function writeRows(from: string, to: string, rows: Uint32Array): Promise<void> {
  const narrow = (await readHeader(from)).length === 1;
  const source = await openCsv(from);
  try {
    const target = await open(to, 'w');
    try {
      const writer = new Chunks(target);
      if (isAscending(rows)) await copyInOrder(source, from, narrow, rows, writer);
      else await copyByPlace(source, from, narrow, rows, writer);
      await writer.flush();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function isAscending(rows: Uint32Array): boolean {
  for (let i = 1; i < rows.length; i++) if ((rows[i] as number) <= (rows[i - 1] as number)) return false;
  return true;
}

async function copyInOrder(source: FileHandle, path: string, narrow: boolean, rows: Uint32Array, writer: Chunks): Promise<void> {
  let next = 0;
  await eachRecord(source, path, narrow, writer, (record, row) => {
    if (row !== rows[next]) return undefined;
    next += 1;
    return writer.add(record) ? undefined : writer.addSlowly(record);
  });
  if (next < rows.length) throw missing(path);
}

/** In passes over the file: one for the lengths, then one for each piece of the output that fits into memory. */
async function copyByPlace(source: FileHandle, path: string, narrow: boolean, rows: Uint32Array, writer: Chunks): Promise<void> {
  const largest = rows.reduce((most, row) => Math.max(most, row), 0);
  const placeOf = new Int32Array(largest + 1).fill(-1);
  for (let place = 0; place < rows.length; place++) placeOf[rows[place] as number] = place;
  const lengths = new Int32Array(rows.length).fill(-1);
  await eachRecord(source, path, narrow, writer, (record, row) => {
    const place = row <= largest ? (placeOf[row] as number) : -1;
    if (place >= 0) lengths[place] = record.length;
    return undefined;
  });
  if (lengths.includes(-1)) throw missing(path);
  await writer.flush();
  const { lineEnd } = writer;
  for (let first = 0; first < rows.length; ) {
    const starts = new Uint32Array(rows.length - first);
    let size = 0;
    let end = first;
    for (; end < rows.length && (end === first || size < PIECE_BYTES); end++) {
      starts[end - first] = size;
      size += (lengths[end] as number) + lineEnd.length;
    }
    const piece = Buffer.allocUnsafe(size);
    await eachRecord(source, path, narrow, undefined, (record, row) => {
      const place = row <= largest ? (placeOf[row] as number) : -1;
      if (place < first || place >= end) return undefined;
      const at = starts[place - first] as number;
      record.copy(piece, at);
      lineEnd.copy(piece, at + record.length);
      return undefined;
    });
    await writer.write(piece);
    first = end;
  }
}

/** Hands the header to the writer, if there is one, then each row to `take`; a promise for each of millions would take most of the time. */
async function eachRecord(
  source: FileHandle,
  path: string,
  narrow: boolean,
  writer: Chunks | undefined,
  take: (record: Buffer, row: number) => Promise<void> | undefined,
): Promise<void> {
  let row = 0;
  for await (const block of recordBlocks(source, basename(path))) {
    let from = 0;
    if (block.position === 0) {
      from = startOfRows(block);
      const [header = Buffer.alloc(0)] = recordsOf(block);
      if (writer !== undefined) writer.lineEnd = block.bytes[header.length] === CR ? Buffer.of(CR, LF) : Buffer.of(LF);
      if (writer?.add(header) === false) await writer.addSlowly(header);
    }
    for (const record of recordsOf(block, from)) {
      if (record.length === 0 && !narrow) continue;
      const taken = take(record, row);
      if (taken !== undefined) await taken;
      row += 1;
    }
  }
}

const missing = (path: string): ToolkitError =>
  new ToolkitError('DT_DATASET_INVALID', { name: basename(path), line: 1, reason: 'it has changed while it was read' });

/** Collects records, so that there is one write for many. */
class Chunks {
  lineEnd = Buffer.of(LF);
  private readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  private filled = 0;

  constructor(private readonly target: FileHandle) {}

  /** False when there is no room. */
  add(record: Buffer): boolean {
    const end = this.filled + record.length;
    if (end + this.lineEnd.length > CHUNK_BYTES) return false;
    record.copy(this.chunk, this.filled);
    this.lineEnd.copy(this.chunk, end);
    this.filled = end + this.lineEnd.length;
    return true;
  }

  async addSlowly(record: Buffer): Promise<void> {
    await this.flush();
    if (this.add(record)) return;
    await this.write(Buffer.concat([record, this.lineEnd]));
  }

  async write(bytes: Buffer): Promise<void> {
    await this.target.writeFile(bytes);
  }

  async flush(): Promise<void> {
    if (this.filled > 0) await this.write(this.chunk.subarray(0, this.filled));
    this.filled = 0;
  }
}
