import type { RingMemory } from '../ring/ring-memory.js';
import type { BankSession, DealerSession } from './joint-session.js';

/**
 * The static operands of all matrix products: each bank sends its columns X once, minus a mask U that only it and the dealer
 * can draw. U never changes and is never sent. It is safe to use it in any number of products, since every one multiplies it
 * with vectors that are masked afresh.
 */
export interface MaskedColumns {
  /** Own columns X, in clear. Train and test rows apart; the train block ends with its first `wrapRows` rows once more. */
  readonly own: ColumnBlocks;
  /** The other bank's X - U. */
  readonly other: ColumnBlocks;
}

export interface ColumnBlocks {
  readonly columns: number;
  readonly train: number;
  readonly test: number;
}

export interface RowPlan {
  readonly trainRows: number;
  readonly testRows: number;
  /** Rows repeated after the end, so that every batch taken in order is contiguous. */
  readonly wrapRows: number;
}

/** Purpose of the stream that both the owner and the dealer draw a mask from. */
const maskPurpose = 'column mask';

/**
 * Encodes the bank's own columns, and exchanges masked columns with the other bank.
 * values: rows x columns, row by row, training rows first. Rounds: 1. Bytes: 8 for each value. Learned: nothing, X - U is uniform.
 */
export async function exchangeMaskedColumns(
  session: BankSession,
  values: Float64Array,
  widths: readonly [number, number],
  plan: RowPlan,
  featureBits: number,
): Promise<MaskedColumns> {
  const { ring } = session;
  const rows = plan.trainRows + plan.testRows;
  const [ownWidth, otherWidth] = session.first ? widths : [widths[1], widths[0]];
  const own = allocateBlocks(ring, ownWidth, plan);
  const other = allocateBlocks(ring, otherWidth, plan);
  const scratch = ring.allocate(Math.max(ownWidth, otherWidth) * rows);

  ring.doubles(scratch, values.length).set(values);
  ring.kernels.encode(scratch, scratch, 2 ** featureBits, values.length);
  store(ring, own, scratch, plan);
  const mask = new Uint8Array(values.length * 8);
  session.streams.stream(maskPurpose).fill(mask);
  const maskAt = ring.allocate(values.length);
  ring.bytes(maskAt, mask.byteLength).set(mask);
  ring.kernels.subtract(scratch, scratch, maskAt, values.length);

  const outgoing = ring.bytes(scratch, values.length * 8).slice();
  const incoming = new Uint8Array(rows * otherWidth * 8);
  await session.other.exchangeParts('maskedColumns', outgoing, incoming);
  ring.bytes(scratch, incoming.byteLength).set(incoming);
  store(ring, other, scratch, plan);
  ring.release(scratch);
  return { own, other };
}

/** The dealer draws both masks: same blocks, same order of rows. */
export function drawColumnMasks(session: DealerSession, widths: readonly [number, number], plan: RowPlan): [ColumnBlocks, ColumnBlocks] {
  const { ring } = session;
  const draw = (bank: 0 | 1): ColumnBlocks => {
    const blocks = allocateBlocks(ring, widths[bank], plan);
    const count = widths[bank] * (plan.trainRows + plan.testRows);
    const scratch = ring.allocate(count);
    session.streams[bank].stream(maskPurpose).fill(ring.bytes(scratch, count * 8));
    store(ring, blocks, scratch, plan);
    ring.release(scratch);
    return blocks;
  };
  return [draw(0), draw(1)];
}

function allocateBlocks(ring: RingMemory, columns: number, plan: RowPlan): ColumnBlocks {
  return { columns, train: ring.allocate((plan.trainRows + plan.wrapRows) * columns), test: ring.allocate(plan.testRows * columns) };
}

function store(ring: RingMemory, blocks: ColumnBlocks, from: number, plan: RowPlan): void {
  const rowBytes = blocks.columns * 8;
  const trainBytes = plan.trainRows * rowBytes;
  ring.bytes(blocks.train, trainBytes).set(ring.bytes(from, trainBytes));
  ring.bytes(blocks.train + trainBytes, plan.wrapRows * rowBytes).set(ring.bytes(from, plan.wrapRows * rowBytes));
  ring.bytes(blocks.test, plan.testRows * rowBytes).set(ring.bytes(from + trainBytes, plan.testRows * rowBytes));
}
