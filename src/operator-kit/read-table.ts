import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { ToolkitError } from '../errors/toolkit-error.js';
import { COMMA, fieldsOf, headerOf, LF, linesOf, openCsv, QUOTE, recordBlocks, recordsOf, wrongFieldCount } from './csv-records.js';
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

/**
 * Reads a CSV file of numbers (RFC 4180, UTF-8, a header, LF or CRLF) into memory, 8 bytes a value.
 *
 * No message holds the content of a cell, since it is told to the peers.
 * @throws DT_INPUT_COLUMN, naming column, row (from 1) and line, for a cell that is empty, no number, or not finite; and for a column that is
 * not there. DT_DATASET_INVALID for a broken file, DT_INPUT_FILE for none.
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  const file = await openCsv(path);
  try {
    const mostRows = await countLines(file);
    const name = basename(path);
    let table: TableWriter | undefined;
    let line = 1;
    for await (const block of recordBlocks(file, name)) {
      for (const record of recordsOf(block)) {
        if (table === undefined) table = new TableWriter(name, headerOf(record, name), options, mostRows);
        else if (record.length > 0 || table.isNarrow) table.add(record, line);
        line += block.quoted ? linesOf(record) : 1;
      }
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
    if (count !== this.header.length) throw wrongFieldCount(this.file, line, count, this.header.length);
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
