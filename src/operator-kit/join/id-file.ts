import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { IdBatch, PackedIds } from '../../privacy/psi/psi-digest.js';
import {
  COMMA,
  CR,
  fieldsOf,
  headerOf,
  LF,
  linesOf,
  openCsv,
  QUOTE,
  type RecordBlock,
  recordBlocks,
  recordsOf,
  wrongFieldCount,
} from '../csv-records.js';

/**
 * The id columns of a CSV file (RFC 4180, UTF-8, a header), read block by block: memory does not grow with the file. Rows are those of
 * `readTable`: an empty line is none, unless the file has one column only.
 */
export class IdFile {
  /** Known when all batches have been read. */
  rows = 0;

  private constructor(
    readonly path: string,
    readonly names: readonly string[],
    private readonly targets: Int32Array,
    private readonly width: number,
  ) {}

  /** @throws DT_INPUT_COLUMN for one that is not there, DT_INPUT_FILE, DT_DATASET_INVALID; DT_INPUT_INVALID when one is named twice */
  static async open(path: string, names: readonly string[]): Promise<IdFile> {
    const header = await readHeader(path);
    for (const name of names)
      if (!header.includes(name)) {
        const reason = `it is not among the ${header.length} columns of ${basename(path)}`;
        throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason });
      }
    if (names.length === 0 || new Set(names).size !== names.length)
      throw new ToolkitError('DT_INPUT_INVALID', { what: 'The list of id columns', reason: 'it is empty or names one twice' });
    const targets = Int32Array.from(header, (name) => names.indexOf(name));
    return new IdFile(path, names, targets, header.length);
  }

  /** The ids of all rows in their order, one PackedIds for each name. @throws DT_DATASET_INVALID, DT_INPUT_COLUMN for broken text */
  async *batches(): AsyncGenerator<IdBatch> {
    const file = await openCsv(this.path);
    this.rows = 0;
    try {
      for await (const block of recordBlocks(file, basename(this.path))) {
        const from = block.position === 0 ? startOfRows(block) : 0;
        const batch = new BatchWriter(basename(this.path), this.names, this.targets, this.width, block, from, this.rows).read();
        const rows = batch[0]?.ends.length ?? 0;
        this.rows += rows;
        if (rows > 0) yield batch;
      }
    } finally {
      await file.close();
    }
  }
}

/** The names in the first line. @throws DT_INPUT_FILE, DT_DATASET_INVALID */
export async function readHeader(path: string): Promise<readonly string[]> {
  const file = await openCsv(path);
  const name = basename(path);
  try {
    for await (const block of recordBlocks(file, name)) for (const record of recordsOf(block)) return headerOf(record, name);
    throw new ToolkitError('DT_DATASET_INVALID', { name, line: 1, reason: 'it is empty' });
  } finally {
    await file.close();
  }
}

/** Offset of the first record after the header. */
export function startOfRows(block: RecordBlock): number {
  const [header] = recordsOf(block);
  const end = header?.length ?? 0;
  return Math.min(block.bytes.length, end + (block.bytes[end] === CR ? 2 : 1));
}

/** Copies the id fields of one block together. */
class BatchWriter {
  private readonly columns: { readonly bytes: Uint8Array; readonly ends: Uint32Array }[];
  private readonly filled: number[];
  private count = 0;

  constructor(
    private readonly file: string,
    private readonly names: readonly string[],
    private readonly targets: Int32Array,
    private readonly width: number,
    private readonly block: RecordBlock,
    private readonly from: number,
    private readonly rowsBefore: number,
  ) {
    // A last record may have no line end.
    this.columns = names.map(() => ({ bytes: Buffer.allocUnsafe(block.bytes.length - from), ends: new Uint32Array(block.lines + 1) }));
    this.filled = names.map(() => 0);
  }

  read(): PackedIds[] {
    const { block } = this;
    if (block.quoted) this.readQuoted();
    else this.readPlain(block.bytes, this.from, block.bytes.length, () => this.lineAt(block.bytes, this.from));
    const batch = this.columns.map(({ bytes, ends }, j) => ({
      bytes: bytes.subarray(0, this.filled[j]),
      ends: ends.subarray(0, this.count),
    }));
    if (!isUtf8(block.bytes)) this.requireText(batch);
    return batch;
  }

  private readQuoted(): void {
    let line = this.lineAt(this.block.bytes, this.from);
    for (const record of recordsOf(this.block, this.from)) {
      if (record.includes(QUOTE)) this.addFields(fieldsOf(record, this.file, line), line);
      else if (record.length === 0 && this.width === 1) this.endRow();
      else this.readPlain(record, 0, record.length, () => line);
      line += linesOf(record);
    }
  }

  private addFields(fields: readonly string[], line: number): void {
    if (fields.length !== this.width) throw wrongFieldCount(this.file, line, fields.length, this.width);
    fields.forEach((field, i) => {
      const j = this.targets[i] ?? -1;
      if (j < 0) return;
      // What is not UTF-8 would become this character, and so equal to other broken text.
      if (field.includes('\ufffd') && !isUtf8(this.block.bytes)) throw this.brokenText(j, this.count);
      const bytes = Buffer.from(field, 'utf8');
      (this.columns[j] as PackedIds).bytes.set(bytes, this.filled[j] as number);
      this.filled[j] = (this.filled[j] as number) + bytes.length;
    });
    this.endRow();
  }

  /** Records without quotes in bytes[from, to). `firstLine` is asked for only when something is wrong. */
  private readPlain(bytes: Buffer, from: number, to: number, firstLine: () => number): void {
    const { targets, width, columns, filled } = this;
    let line = 0;
    for (let at = from; at < to; ) {
      const start = at;
      let field = 0;
      let target = targets[0] as number;
      let out = target < 0 ? undefined : columns[target]?.bytes;
      let end = target < 0 ? 0 : (filled[target] as number);
      for (; at < to; at++) {
        const code = bytes[at] as number;
        if (code === LF) break;
        if (code !== COMMA) {
          if (out !== undefined) out[end++] = code;
          continue;
        }
        if (target >= 0) filled[target] = end;
        field += 1;
        target = field < width ? (targets[field] as number) : -1;
        out = target < 0 ? undefined : columns[target]?.bytes;
        end = target < 0 ? 0 : (filled[target] as number);
      }
      const hasReturn = at > start && bytes[at - 1] === CR;
      const length = at - start - (hasReturn ? 1 : 0);
      at += 1;
      line += 1;
      if (length === 0 && width > 1) continue;
      if (target >= 0) filled[target] = hasReturn ? end - 1 : end;
      if (field + 1 !== width) throw wrongFieldCount(this.file, firstLine() + line - 1, field + 1, width);
      this.endRow();
    }
  }

  private endRow(): void {
    for (let j = 0; j < this.columns.length; j++) (this.columns[j] as PackedIds).ends[this.count] = this.filled[j] as number;
    this.count += 1;
  }

  private requireText(batch: readonly PackedIds[]): void {
    batch.forEach(({ bytes, ends }, j) => {
      let start = 0;
      ends.forEach((end, row) => {
        if (!isUtf8(bytes.subarray(start, end))) throw this.brokenText(j, row);
        start = end;
      });
    });
  }

  private brokenText(column: number, row: number): ToolkitError {
    const reason = `the cell in row ${this.rowsBefore + row + 1} of ${this.file} is no UTF-8 text`;
    return new ToolkitError('DT_INPUT_COLUMN', { column: this.names[column] ?? '', reason });
  }

  private lineAt(bytes: Buffer, offset: number): number {
    return this.block.line + linesOf(bytes.subarray(0, offset)) - 1;
  }
}
