import { type FileHandle, open } from 'node:fs/promises';
import { ToolkitError } from '../errors/toolkit-error.js';

export const [LF, CR, QUOTE, COMMA] = [10, 13, 34, 44] as const;

const BLOCK_BYTES = 1 << 20;
const MOST_COLUMNS = 10_000;
const LONGEST_RECORD = 16 << 20;

/** Whole records of a CSV file, as they stand there. */
export interface RecordBlock {
  readonly bytes: Buffer;
  /** Where it begins in the file, and the number of its first line. */
  readonly position: number;
  readonly line: number;
  readonly lines: number;
  /** Whether there is a quote in it: most files have none at all. */
  readonly quoted: boolean;
}

/** @throws DT_INPUT_FILE */
export async function openCsv(path: string): Promise<FileHandle> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: error.code ?? 'it cannot be opened' }, error);
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new ToolkitError('DT_INPUT_FILE', { path, reason: 'it is no file' });
}

/** A file in blocks of about a MiB; a line feed inside of quotes ends no record. @throws DT_DATASET_INVALID */
export async function* recordBlocks(file: FileHandle, name: string): AsyncGenerator<RecordBlock> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  for (let position = 0; ; ) {
    const block = Buffer.allocUnsafe(rest.length + BLOCK_BYTES);
    rest.copy(block);
    const { bytesRead } = await file.read(block, rest.length, BLOCK_BYTES, position);
    position += bytesRead;
    const ended = bytesRead === 0;
    const bytes = block.subarray(0, rest.length + bytesRead);
    const quoted = bytes.includes(QUOTE);
    const end = ended ? bytes.length : quoted ? endOfLastRecord(bytes) : bytes.lastIndexOf(LF) + 1;
    if (end > 0) {
      const whole = bytes.subarray(0, end);
      const lines = countLines(whole);
      yield { bytes: whole, position: position - bytes.length, line, lines, quoted };
      line += lines;
    }
    if (ended) return;
    rest = bytes.subarray(end);
    if (rest.length > LONGEST_RECORD)
      throw new ToolkitError('DT_DATASET_INVALID', { name, line, reason: 'it is too long for a line; a quote may be open' });
  }
}

/** The records of a block without their line ends, from an offset on. */
export function* recordsOf({ bytes, quoted }: RecordBlock, from = 0): Generator<Buffer> {
  let quote = quoted ? bytes.indexOf(QUOTE, from) : -1;
  for (let start = from; start < bytes.length; ) {
    if (quote >= 0 && quote < start) quote = bytes.indexOf(QUOTE, start);
    const end = endOfRecord(bytes, start, quote);
    const last = end < 0 ? bytes.length : end;
    yield bytes.subarray(start, last > start && bytes[last - 1] === CR ? last - 1 : last);
    start = last + 1;
  }
}

/** The names of the columns. @throws DT_DATASET_INVALID */
export function headerOf(record: Buffer, name: string): readonly string[] {
  const bytes = record.subarray(record[0] === 0xef && record[1] === 0xbb && record[2] === 0xbf ? 3 : 0);
  const names = fieldsOf(bytes, name, 1).map((field) => field.trim());
  const invalid = (reason: string): ToolkitError => new ToolkitError('DT_DATASET_INVALID', { name, line: 1, reason });
  if (names.length > MOST_COLUMNS) throw invalid(`it has more than ${MOST_COLUMNS} columns`);
  const unnamed = names.findIndex((title) => title === '' || /[\p{Cc}\ufffd]/u.test(title));
  if (unnamed >= 0) throw invalid(`column ${unnamed + 1} has no name in plain UTF-8`);
  const seen = new Set<string>();
  for (const title of names) {
    if (seen.has(title)) throw invalid(`two columns are called ${JSON.stringify(title)}`);
    seen.add(title);
  }
  return names;
}

/** The fields of a record that may hold quotes. @throws DT_DATASET_INVALID */
export function fieldsOf(record: Buffer, name: string, line: number): readonly string[] {
  const fields: string[] = [];
  const text = record.toString('utf8');
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const found = field.exec(text);
    if (found === null) throw new ToolkitError('DT_DATASET_INVALID', { name, line, reason: 'a quote stands where none may' });
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === '') return fields;
  }
}

export const wrongFieldCount = (name: string, line: number, count: number, header: number): ToolkitError =>
  new ToolkitError('DT_DATASET_INVALID', { name, line, reason: `it has ${count} fields, the header has ${header}` });

/** Lines that a record takes. */
export function linesOf(record: Buffer): number {
  let lines = 1;
  for (let at = record.indexOf(LF); at >= 0; at = record.indexOf(LF, at + 1)) lines += 1;
  return lines;
}

/** Index of the line feed that ends the record, or -1. `quote`: index of the first one from `start`, or -1. */
function endOfRecord(bytes: Buffer, start: number, quote: number): number {
  const end = bytes.indexOf(LF, start);
  if (quote < 0 || (end >= 0 && quote > end)) return end;
  let open = false;
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) open = !open;
    else if (bytes[at] === LF && !open) return at;
  }
  return -1;
}

/** Records start outside of quotes, so a line feed after an even number of quotes ends one. */
function endOfLastRecord(bytes: Buffer): number {
  let [open, end] = [false, 0];
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) open = !open;
    else if (bytes[at] === LF && !open) end = at + 1;
  }
  return end;
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === LF) lines += 1;
  return lines;
}
