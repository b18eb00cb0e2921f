import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileProblem } from '../../errors/file-problem.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ColumnType, Dataset, DatasetDescription } from '../dataset.js';
import { type CsvRecord, CsvSplitter } from './csv-splitter.js';

const blockBytes = 256 * 1024;
const maxColumns = 10_000;
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const integerPattern = /^[+-]?\d+$/;
/** What people and programs write for "no value"; the sample operators read them alike. */
const missingWords = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None']);

/** A CSV file: RFC 4180, UTF-8 with or without a byte order mark, one header row, LF or CRLF; blank lines do not count. */
export class CsvDataset implements Dataset {
  readonly format = 'csv';
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async describe(signal?: AbortSignal): Promise<DatasetDescription> {
    const { size } = await stat(this.#path).catch((error: NodeJS.ErrnoException) => this.#unreadable(error));
    let names: readonly string[] = [];
    let types: ColumnType[] = [];
    let rows = -1;
    for await (const records of this.#records(signal))
      for (const { fields } of records) {
        rows += 1;
        if (rows > 0) types = types.map((type, i) => (type === 'text' ? type : widen(type, fields[i] ?? '')));
        else {
          names = fields;
          types = fields.map(() => 'empty');
        }
      }
    return { format: this.format, columns: names.map((name, i) => ({ name, type: types[i] ?? 'empty' })), rows, sizeBytes: size };
  }

  async *rows(signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    let header = true;
    for await (const records of this.#records(signal)) {
      for (const { fields } of header ? records.slice(1) : records) yield fields;
      header &&= records.length === 0;
    }
  }

  /** Every record of the file, the header first, a block at a time; all of the same number of fields. */
  async *#records(signal?: AbortSignal): AsyncGenerator<readonly CsvRecord[]> {
    const splitter = new CsvSplitter((line, reason) => this.#invalid(line, reason));
    const decoder = new TextDecoder('utf-8', { fatal: true });
    let names: readonly string[] | undefined;
    const check = (records: readonly CsvRecord[]): readonly CsvRecord[] => {
      for (const [i, { line, fields }] of records.entries()) {
        if (names !== undefined && fields.length !== names.length)
          this.#invalid(line, `it has ${fields.length} fields, the header has ${names.length}`);
        if (names !== undefined) continue;
        names = this.#headerOf(fields, line);
        records = records.with(i, { line, fields: names });
      }
      return records;
    };
    for await (const bytes of this.#blocks(signal)) yield check(splitter.push(this.#decode(decoder, bytes)));
    yield check(splitter.end(this.#decode(decoder)));
    if (names === undefined) this.#invalid(1, 'it is empty');
  }

  async *#blocks(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const stream = createReadStream(this.#path, { highWaterMark: blockBytes });
    try {
      for await (const bytes of stream) {
        signal?.throwIfAborted();
        yield bytes as Uint8Array;
      }
    } catch (error) {
      if (isSystemError(error)) this.#unreadable(error);
      throw error;
    }
  }

  #decode(decoder: InstanceType<typeof TextDecoder>, bytes?: Uint8Array): string {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      return this.#invalid(1, 'the file is not UTF-8 text');
    }
  }

  #headerOf(fields: readonly string[], line: number): readonly string[] {
    const names = fields.map(trimmed);
    if (names.length > maxColumns) this.#invalid(line, `it has ${names.length} columns, more than ${maxColumns}`);
    for (const [i, name] of names.entries()) {
      if (name === '') this.#invalid(line, `column ${i + 1} has no name`);
      if (/\p{Cc}/u.test(name)) this.#invalid(line, `the name of column ${i + 1} holds a control character`);
    }
    const seen = new Set<string>();
    const twice = names.find((name) => seen.size === seen.add(name).size);
    if (twice !== undefined) this.#invalid(line, `two columns are called ${twice.slice(0, 100)}`);
    return names;
  }

  #invalid(line: number, reason: string): never {
    throw new ToolkitError('DT_DATASET_INVALID', { name: basename(this.#path), line, reason });
  }

  #unreadable(error: NodeJS.ErrnoException): never {
    throw new ToolkitError('DT_INPUT_FILE', { path: this.#path, reason: fileProblem(error) }, error);
  }
}

const trimmed = (field: string): string => field.replace(/^[ \t]+|[ \t]+$/g, '');

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

/** The narrowest type that takes both what came before and this cell. */
function widen(type: ColumnType, field: string): ColumnType {
  const cell = trimmed(field);
  if (missingWords.has(cell)) return type;
  if (!numberPattern.test(cell)) return 'text';
  return type !== 'number' && integerPattern.test(cell) ? 'integer' : 'number';
}
