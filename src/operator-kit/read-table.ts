import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { ToolkitError } from '../errors/toolkit-error.js';
import { parseNumber } from './parse-number.js';

/** Numbers of a table. The same shape as `Columns`, what the fits take. */
export interface Table {
  readonly names: string[];
  readonly rows: number;
  /** Row by row: rows x names.length. */
  readonly values: Float64Array;
}

export interface ReadTableOptions {
  /** Only these columns, in this order; whatever the others hold. */
  readonly columns?: readonly string[];
  /** All but these, as an identifier. */
  readonly without?: readonly string[];
}

const BLOCK_BYTES = 1 << 20;
const MOST_COLUMNS = 10_000;
const LONGEST_RECORD = 16 << 20;
const [LF, CR, QUOTE, COMMA] = [10, 13, 34, 44] as const;

/**
 * Reads a CSV file of numbers (RFC 4180, UTF-8, a header, LF or CRLF) into memory, 8 bytes a value.
 *
 * No message holds the content of a cell, since it is told to the peers.
 * @throws DT_INPUT_COLUMN, naming column, row (from 1) and line, for a cell that is empty, no number, or not finite; and for a column that is
 * not there. DT_DATASET_INVALID for a broken file, DT_INPUT_FILE for none.
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: error.code ?? 'it cannot be opened' }, error);
  });
  try {
    if (!(await file.stat()).isFile()) throw new ToolkitError('DT_INPUT_FILE', { path, reason: 'it is no file' });
    const mostRows = await countLines(file);
    const name = basename(path);
    let table: TableWriter | undefined;
    let line = 1;
    for await (const record of records(file, name)) {
      if (table === undefined) table = new TableWriter(name, headerOf(record, name), options, mostRows);
      else if (record.length > 0 || table.isNarrow) table.add(record, line);
      line += linesOf(record);
    }
    if (table === undefined) throw new ToolkitError('DT_DATASET_INVALID', { name, line: 1, reason: 'it is empty' });
    return table.finish();
  } finally {
    await file.close();
  }
}

class TableWriter {
  private readonly names: string[];
  /** Where each field of a record goes; -1: nowhere. */
  private readonly targets: Int32Array;
  private readonly values: Float64Array;
  private rows = 0;

  constructor(
    private readonly file: string,
    private readonly header: readonly string[],
    options: ReadTableOptions,
    mostRows: number,
  ) {
    for (const name of [...(options.columns ?? []), ...(options.without ?? [])])
      if (!header.includes(name)) throw column(name, `it is not among the ${header.length} columns of ${file}`);
    const without = options.without ?? [];
    this.names = [...(options.columns ?? header)].filter((name) => !without.includes(name));
    if (new Set(this.names).size !== this.names.length)
      throw new ToolkitError('DT_INPUT_INVALID', { what: 'The list of columns', reason: 'it names one twice' });
    this.targets = Int32Array.from(header, (name) => this.names.indexOf(name));
    this.values = new Float64Array(mostRows * this.names.length);
  }

  add(record: Buffer, line: number): void {
    if (record.includes(QUOTE)) this.addFields(fieldsOf(record, this.file, line), line);
    else this.addPlain(record, line);
    this.rows += 1;
  }

  /** In a table of one column an empty line is an empty cell; skipping it would shift the rows below against those of other parties. */
  get isNarrow(): boolean {
    return this.header.length === 1;
  }

  finish(): Table {
    return { names: this.names, rows: this.rows, values: this.values.subarray(0, this.rows * this.names.length) };
  }

  private addPlain(record: Buffer, line: number): void {
    const { targets } = this;
    const at = this.rows * this.names.length;
    let field = 0;
    let start = 0;
    for (let i = 0; i <= record.length; i++) {
      if (i < record.length && record[i] !== COMMA) continue;
      const target = targets[field] ?? -1;
      if (target >= 0) {
        const value = parseNumber(record, start, i);
        if (!Number.isFinite(value)) throw this.badCell(field, line, record.toString('latin1', start, i));
        this.values[at + target] = value;
      }
      field += 1;
      start = i + 1;
    }
    this.checkCount(field, line);
  }

  private addFields(fields: readonly string[], line: number): void {
    this.checkCount(fields.length, line);
    const at = this.rows * this.names.length;
    fields.forEach((field, i) => {
      const target = this.targets[i] ?? -1;
      if (target < 0) return;
      const bytes = Buffer.from(field, 'utf8');
      const value = parseNumber(bytes, 0, bytes.length);
      if (!Number.isFinite(value)) throw this.badCell(i, line, field);
      this.values[at + target] = value;
    });
  }

  private checkCount(count: number, line: number): void {
    if (count === this.header.length) return;
    throw new ToolkitError('DT_DATASET_INVALID', {
      name: this.file,
      line,
      reason: `it has ${count} fields, the header has ${this.header.length}`,
    });
  }

  /** Says of what kind it is, not what it holds. */
  private badCell(field: number, line: number, content: string): ToolkitError {
    const text = content.trim();
    const infinite = Number.isNaN(Number(text)) ? /^[+-]?inf(inity)?$/i.test(text) : text !== '';
    const what = text === '' ? 'is empty' : infinite ? 'is infinite' : /^[+-]?nan$/i.test(text) ? 'is NaN' : 'is no number';
    return column(this.header[field] ?? '', `the cell in row ${this.rows + 1} (line ${line} of ${this.file}) ${what}`);
  }
}

const column = (name: string, reason: string): ToolkitError => new ToolkitError('DT_INPUT_COLUMN', { column: name, reason });

function headerOf(record: Buffer, name: string): readonly string[] {
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

/** The fields of a record that may hold quotes. */
function fieldsOf(record: Buffer, name: string, line: number): readonly string[] {
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

/** Lines of a file, one at a time without its end; a line feed inside of quotes does not end one. */
async function* records(file: FileHandle, name: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let line = 1;
  for (let position = 0; ; ) {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
    position += bytesRead;
    const ended = bytesRead === 0;
    const bytes = rest.length === 0 ? block.subarray(0, bytesRead) : Buffer.concat([rest, block.subarray(0, bytesRead)]);
    let start = 0;
    // Found once a block: most files have no quote at all.
    let quote = bytes.indexOf(QUOTE);
    while (start < bytes.length) {
      if (quote >= 0 && quote < start) quote = bytes.indexOf(QUOTE, start);
      const end = endOfRecord(bytes, start, quote);
      if (end < 0 && !ended) break;
      const last = end < 0 ? bytes.length : end;
      const record = bytes.subarray(start, last > start && bytes[last - 1] === CR ? last - 1 : last);
      yield record;
      line += linesOf(record);
      start = last + 1;
    }
    if (ended) return;
    rest = bytes.subarray(start);
    if (rest.length > LONGEST_RECORD)
      throw new ToolkitError('DT_DATASET_INVALID', { name, line, reason: 'it is too long for a line; a quote may be open' });
  }
}

/** Index of the line feed that ends the record, or -1. `quote`: index of the first one from `start`, or -1. */
function endOfRecord(bytes: Buffer, start: number, quote: number): number {
  let end = bytes.indexOf(LF, start);
  if (quote < 0 || (end >= 0 && quote > end)) return end;
  let open = false;
  for (end = start; end < bytes.length; end++) {
    if (bytes[end] === QUOTE) open = !open;
    else if (bytes[end] === LF && !open) return end;
  }
  return -1;
}

function linesOf(record: Buffer): number {
  let lines = 1;
  for (let at = record.indexOf(LF); at >= 0; at = record.indexOf(LF, at + 1)) lines += 1;
  return lines;
}

/** At least as many as there are rows; reading twice is cheaper than growing. */
async function countLines(file: FileHandle): Promise<number> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let lines = 1;
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return lines;
    position += bytesRead;
    for (let i = 0; i < bytesRead; i++) if (block[i] === LF) lines += 1;
  }
}
