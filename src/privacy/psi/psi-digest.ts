import { ToolkitError } from '../../errors/toolkit-error.js';
import { IdError, type NormalizeId, normalizerOf } from './normalize-id.js';
import { PsiMemory } from './psi-memory.js';

/** Ids as bytes, one after the other: id i is bytes[ends[i - 1] .. ends[i]]. The form for large sets: no object for each id. */
export interface PackedIds {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** One column of ids. An integer equals the text of its decimal digits. */
export type IdColumn = readonly string[] | Int32Array | Uint32Array | Float64Array | BigInt64Array | BigUint64Array | PackedIds;

/** Rows of a set: one column, or several that make a key together. All have the same number of rows. */
export type IdBatch = readonly IdColumn[];

export interface PsiDigestOptions {
  /** One rule for each column, see normalize-id; `none` where absent. */
  readonly normalize?: readonly string[];
}

export const digestBytes = 16;
export const digestKeyBytes = 32;
/** Bytes of one id, all columns together. */
export const maxIdBytes = 1024;

const rowsAtOnce = 4096;
const stagingBytes = 1 << 18;

/**
 * Ids to 16-byte digests: the first 128 bits of the keyed BLAKE3 of the id's UTF-8 bytes (of several columns: each with its length in
 * front, u32). Two different ids of two sets of n and m collide with probability below (n + m)^2 / 2^129: for 2^24 each 2^-79, far under the
 * 2^-40 that the protocols promise. Digests never leave the process; the key is one of the job so that nothing of one job helps in another.
 *
 * Takes batches, so that a file can be read piece by piece; memory is 16 bytes an id and a fixed working space.
 * Errors: DT_PSI_ID (no id, broken text, too long, not in the form of the rule; names row and column, never the value).
 */
export class IdDigester {
  rows = 0;
  private batchStart = 0;
  private readonly rules: readonly (NormalizeId | undefined)[];
  private readonly blocks: Uint8Array[] = [];
  private readonly at: { chain: number; staging: number; ends: number; out: number };
  private readonly text = new TextEncoder();

  /** columns: how many make one id. key: digestKeyBytes. memory: where the working space is taken; the caller gives it back. */
  constructor(
    private readonly columns: number,
    key: Uint8Array,
    options: PsiDigestOptions = {},
    private readonly memory = new PsiMemory(),
  ) {
    this.rules = Array.from({ length: columns }, (_, i) => normalizerOf(options.normalize?.[i] ?? 'none'));
    if (columns < 1 || (options.normalize !== undefined && options.normalize.length !== columns) || key.byteLength !== digestKeyBytes) {
      throw new ToolkitError('DT_INPUT_INVALID', { what: 'The id columns', reason: 'there must be one rule for each column' });
    }
    this.at = {
      chain: memory.allocate(128),
      staging: memory.allocate(stagingBytes + maxIdBytes + 64),
      ends: memory.allocate(4 * rowsAtOnce),
      out: memory.allocate(digestBytes * rowsAtOnce),
    };
    memory.bytes(this.at.out, digestKeyBytes).set(key);
    memory.kernels.spreadWords(this.at.chain, this.at.out, digestKeyBytes / 4);
  }

  add(batch: IdBatch): void {
    const counts = batch.map(rowsOf);
    const count = counts[0] ?? 0;
    if (batch.length !== this.columns || counts.some((other) => other !== count)) {
      throw new ToolkitError('DT_INPUT_INVALID', {
        what: 'A batch of ids',
        reason: `${this.columns} columns of equal length are due, not of ${counts.join(', ')} rows`,
      });
    }
    this.batchStart = this.rows;
    const [only] = batch;
    if (batch.length === 1 && only !== undefined && isPacked(only) && this.rules[0] === undefined) return this.addPacked(only);
    const staging = this.memory.bytes(this.at.staging, stagingBytes + maxIdBytes + 64);
    const ends = this.memory.indexes(this.at.ends, rowsAtOnce);
    let [filled, waiting] = [0, 0];
    for (let row = 0; row < count; row++) {
      filled = this.writeId(staging, filled, batch, row);
      ends[waiting] = filled;
      waiting += 1;
      if (waiting < rowsAtOnce && filled < stagingBytes && row + 1 < count) continue;
      this.hash(waiting);
      [filled, waiting] = [0, 0];
    }
  }

  /** All digests so far, `digestBytes` each, in the order of the rows. */
  finish(): Uint8Array {
    const all = new Uint8Array(digestBytes * this.rows);
    let at = 0;
    for (const block of this.blocks) {
      all.set(block, at);
      at += block.byteLength;
    }
    this.blocks.length = 0;
    return all;
  }

  /** One column of bytes that need no change: whole runs of rows are copied at once. */
  private addPacked({ bytes, ends }: PackedIds): void {
    const staging = this.memory.bytes(this.at.staging, stagingBytes + maxIdBytes + 64);
    const staged = this.memory.indexes(this.at.ends, rowsAtOnce);
    let start = 0;
    for (let row = 0; row < ends.length; ) {
      const first = start;
      let waiting = 0;
      for (; waiting < rowsAtOnce && row < ends.length && start - first < stagingBytes; waiting++, row++) {
        const end = ends[row] as number;
        if (!(start <= end && end <= bytes.byteLength)) throw this.refused(row, 0, 'lies outside of its column');
        if (end === start) throw this.refused(row, 0, 'is empty');
        if (end - start > maxIdBytes) throw this.refused(row, 0, `makes an id of more than ${maxIdBytes} bytes`);
        staged[waiting] = end - first;
        start = end;
      }
      staging.set(bytes.subarray(first, start));
      this.hash(waiting);
    }
  }

  private hash(count: number): void {
    const { memory, at } = this;
    memory.kernels.digestInputs(at.out, at.staging, at.ends, count, at.chain, memory.scratch);
    this.blocks.push(memory.bytes(at.out, digestBytes * count).slice());
    this.rows += count;
  }

  /** Returns where the id ends. */
  private writeId(staging: Uint8Array, start: number, batch: IdBatch, row: number): number {
    const limit = start + maxIdBytes;
    let at = start;
    for (let column = 0; column < batch.length; column++) {
      const from = batch.length === 1 ? at : at + 4;
      const end = this.writeValue(staging, from, limit, batch[column] as IdColumn, row, column);
      if (end === from) throw this.refused(row, column, 'is empty');
      if (end > limit) throw this.refused(row, column, `makes an id of more than ${maxIdBytes} bytes`);
      if (batch.length > 1) writeLength(staging, at, end - from);
      at = end;
    }
    return at;
  }

  private writeValue(staging: Uint8Array, at: number, limit: number, column: IdColumn, row: number, index: number): number {
    const rule = this.rules[index];
    if (!isPacked(column)) {
      const value = column[row];
      const text = typeof value === 'string' ? value : this.integerText(column, row, index);
      return this.writeText(staging, at, limit, rule === undefined ? text : this.normalized(rule, text, row, index), row, index);
    }
    const from = row === 0 ? 0 : (column.ends[row - 1] as number);
    const end = column.ends[row] as number;
    if (!(from <= end && end <= column.bytes.byteLength)) throw this.refused(row, index, 'lies outside of its column');
    if (rule !== undefined) {
      const text = Buffer.from(column.bytes.buffer, column.bytes.byteOffset + from, end - from).toString('utf8');
      return this.writeText(staging, at, limit, this.normalized(rule, text, row, index), row, index);
    }
    if (at + end - from > limit) return limit + 1;
    // Faster than set(subarray) for the usual short id.
    for (let i = from; i < end; i++) staging[at + i - from] = column.bytes[i] as number;
    return at + end - from;
  }

  private writeText(staging: Uint8Array, at: number, limit: number, text: string, row: number, column: number): number {
    const length = text.length;
    if (at + length > limit) return limit + 1;
    let plain = 0;
    for (; plain < length; plain++) {
      const unit = text.charCodeAt(plain);
      if (unit > 127) break;
      staging[at + plain] = unit;
    }
    if (plain === length) return at + length;
    // Half a surrogate pair would become U+FFFD, and so equal to other broken text.
    if (/\p{Surrogate}/u.test(text)) throw this.refused(row, column, 'is broken text (half of a surrogate pair)');
    const { read, written } = this.text.encodeInto(text, staging.subarray(at, limit));
    return read === length ? at + written : limit + 1;
  }

  private integerText(column: ArrayLike<number | bigint | string>, row: number, index: number): string {
    const value = column[row];
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value.toString();
    throw this.refused(row, index, 'is no integer that a double holds exactly');
  }

  private normalized(rule: NormalizeId, text: string, row: number, column: number): string {
    try {
      return rule(text);
    } catch (thrown) {
      if (thrown instanceof IdError) throw this.refused(row, column, thrown.message);
      throw thrown;
    }
  }

  private refused(row: number, column: number, reason: string): ToolkitError {
    return new ToolkitError('DT_PSI_ID', { row: this.batchStart + row + 1, column: column + 1, reason });
  }
}

/** Digests of one batch, 16 bytes an id. */
export function psiDigest(batch: IdBatch, key: Uint8Array, options: PsiDigestOptions = {}): Uint8Array {
  const digester = new IdDigester(batch.length, key, options);
  digester.add(batch);
  return digester.finish();
}

const isPacked = (column: IdColumn): column is PackedIds => 'ends' in column;

const rowsOf = (column: IdColumn): number => (isPacked(column) ? column.ends.length : column.length);

function writeLength(target: Uint8Array, at: number, length: number): void {
  target[at] = length & 255;
  target[at + 1] = length >> 8;
  target[at + 2] = 0;
  target[at + 3] = 0;
}
