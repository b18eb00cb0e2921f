import { ToolkitError } from '../../errors/toolkit-error.js';
import type { RandomSource } from '../random-source.js';
import { maxSetSize } from './kkrt-plan.js';
import { digestBytes, type IdBatch, IdDigester } from './psi-digest.js';
import type { PsiMemory } from './psi-memory.js';
import type { PsiOwnOptions } from './psi-options.js';

/** Batches of ids, at once or as they are read. */
export type IdSource = Iterable<IdBatch> | AsyncIterable<IdBatch>;

/** One party's set in memory: distinct digests, then random ones up to the declared size. */
export interface OwnSet {
  /** Offset of `declared` digests. */
  readonly digests: number;
  /** True number of distinct ids. */
  readonly count: number;
  readonly declared: number;
  /** Row of each distinct id; undefined where it is its own number. */
  readonly rows: Uint32Array | undefined;
  readonly duplicatesDropped: number;
}

/** Reads, digests, finds repeated ids and pads. Errors: DT_PSI_ID, DT_PSI_DUPLICATE, DT_PSI_SIZE. */
export async function readOwnSet(
  memory: PsiMemory,
  source: IdSource,
  normalize: readonly string[],
  key: Uint8Array,
  options: PsiOwnOptions,
  random: RandomSource,
): Promise<OwnSet> {
  const mark = memory.mark();
  const digester = new IdDigester(normalize.length, key, { normalize }, memory);
  for await (const batch of source) {
    digester.add(batch);
    if (digester.rows > maxSetSize) throw new ToolkitError('DT_PSI_SIZE', { actual: digester.rows, limit: maxSetSize });
  }
  memory.release(mark);
  const total = digester.rows;
  const digests = memory.allocate(digestBytes * Math.max(total, options.padTo ?? 0));
  memory.bytes(digests, digestBytes * total).set(digester.finish());
  const { count, rows } = dropRepeated(memory, digests, total, options.duplicates ?? 'refuse');
  const declared = options.padTo ?? count;
  if (declared < count) throw new ToolkitError('DT_PSI_SIZE', { actual: count, limit: declared });
  pad(memory, digests, count, declared, random);
  return { digests, count, declared, rows, duplicatesDropped: total - count };
}

function dropRepeated(memory: PsiMemory, digests: number, total: number, policy: 'refuse' | 'keep-first') {
  const mark = memory.mark();
  const slots = Math.max(2, 2 ** Math.ceil(Math.log2(2 * total)));
  const [table, rowsAt, repeat] = [memory.allocate(4 * slots), memory.allocate(4 * total), memory.allocate(8)];
  const count = memory.kernels.keepFirst(digests, rowsAt, total, table, slots - 1, repeat);
  if (count < total && policy === 'refuse') {
    const [row, first] = memory.indexes(repeat, 2);
    throw new ToolkitError('DT_PSI_DUPLICATE', { count: total - count, row: (row as number) + 1, first: (first as number) + 1 });
  }
  const rows = count < total ? memory.indexes(rowsAt, count).slice() : undefined;
  memory.release(mark);
  return { count, rows };
}

/** Ids of nobody: uniform digests, which equal none of the peer's but for a chance of 2^-80. */
function pad(memory: PsiMemory, digests: number, from: number, to: number, random: RandomSource): void {
  for (let at = from; at < to; at += 4096) {
    const n = Math.min(4096, to - at);
    memory.bytes(digests + digestBytes * at, digestBytes * n).set(random.bytes(digestBytes * n));
  }
}
