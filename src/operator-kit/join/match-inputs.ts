import { ToolkitError } from '../../errors/toolkit-error.js';
import { digestBytes, digestKeyBytes, type IdBatch, IdDigester, type PackedIds } from '../../privacy/psi/psi-digest.js';
import { systemRandom } from '../../privacy/random-source.js';
import type { JoinChoice } from '../../privacy/vertical/join-arguments.js';
import { IdFile } from './id-file.js';

/** An input with id columns. */
export interface KeyedInput {
  readonly path: string;
  readonly columns: readonly string[];
}

/**
 * Aligns the inputs of one party to the first by their ids, without a word to anyone: for each of the others, its row for each row of the
 * first, or -1. With a rule for duplicates as between the parties. @throws DT_PSI_ID, DT_PSI_DUPLICATE, and those of IdFile
 */
export async function matchInputs(first: KeyedInput, others: readonly KeyedInput[], choice: JoinChoice): Promise<readonly Int32Array[]> {
  const key = systemRandom().bytes(digestKeyBytes);
  const keys = keysOf(await digestsOf(first, choice, key));
  rowsByKey(keys, choice);
  return Promise.all(
    others.map(async (other) => {
      const rowOf = rowsByKey(keysOf(await digestsOf(other, choice, key)), choice);
      return Int32Array.from(keys, (id) => rowOf.get(id) ?? -1);
    }),
  );
}

/** The batches without the rows for which `keep` is 0. */
export async function* keptBatches(batches: AsyncIterable<IdBatch>, keep: Uint8Array): AsyncGenerator<IdBatch> {
  let before = 0;
  for await (const batch of batches) {
    const columns = batch as readonly PackedIds[];
    const rows = columns[0]?.ends.length ?? 0;
    yield columns.map((column) => keptOf(column, keep.subarray(before, before + rows)));
    before += rows;
  }
}

function keptOf({ bytes, ends }: PackedIds, keep: Uint8Array): PackedIds {
  const kept = { bytes: new Uint8Array(bytes.length), ends: new Uint32Array(ends.length) };
  let [start, filled, count] = [0, 0, 0];
  ends.forEach((end, row) => {
    if (keep[row] === 1) {
      kept.bytes.set(bytes.subarray(start, end), filled);
      filled += end - start;
      kept.ends[count++] = filled;
    }
    start = end;
  });
  return { bytes: kept.bytes.subarray(0, filled), ends: kept.ends.subarray(0, count) };
}

async function digestsOf({ path, columns }: KeyedInput, { normalize }: JoinChoice, key: Uint8Array): Promise<Uint8Array> {
  const digester = new IdDigester(columns.length, key, { normalize });
  for await (const batch of (await IdFile.open(path, columns)).batches()) digester.add(batch);
  return digester.finish();
}

function keysOf(digests: Uint8Array): string[] {
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
  return Array.from({ length: bytes.length / digestBytes }, (_, i) => bytes.toString('latin1', i * digestBytes, (i + 1) * digestBytes));
}

/** Of repeated ids the first. @throws DT_PSI_DUPLICATE where they are refused */
function rowsByKey(keys: readonly string[], { duplicates }: JoinChoice): ReadonlyMap<string, number> {
  const rowOf = new Map<string, number>();
  let repeat: { readonly row: number; readonly first: number } | undefined;
  keys.forEach((key, row) => {
    const first = rowOf.get(key);
    if (first === undefined) rowOf.set(key, row);
    else repeat ??= { row: row + 1, first: first + 1 };
  });
  if (repeat !== undefined && duplicates === 'refuse')
    throw new ToolkitError('DT_PSI_DUPLICATE', { count: keys.length - rowOf.size, ...repeat });
  return rowOf;
}
