import { maxPartBytes, messageHeaderBytes } from '../message-link.js';
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
  /** Own X - U over the training rows, where it was asked to be kept. */
  readonly ownMasked: number;
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
 * Encodes the bank's own columns, and exchanges masked columns with the other bank, in chunks: nothing is held twice.
 * values: rows x columns, row by row, training rows first. Rounds: 1. Bytes: 8 for each value. Learned: nothing, X - U is uniform.
 */
export async function exchangeMaskedColumns(
  session: BankSession,
  values: Float64Array,
  widths: readonly [number, number],
  plan: RowPlan,
  featureBits: number,
  keepOwnMasked = false,
): Promise<MaskedColumns> {
  const { ring } = session;
  const [ownWidth, otherWidth] = session.first ? widths : [widths[1], widths[0]];
  const own = allocateBlocks(ring, ownWidth, plan);
  const other = allocateBlocks(ring, otherWidth, plan);
  const ownMasked = keepOwnMasked ? ring.allocate(plan.trainRows * ownWidth) : 0;
  const frame = ring.allocate(maxPartBytes / 8 + 1);
  const mask = ring.allocate(maxPartBytes / 8);
  await Promise.all([
    sendMasked(session, values, { own, ownMasked }, plan, featureBits, { frame, mask }),
    receiveMasked(session, other, plan),
  ]);
  repeatFirstRows(ring, own, plan);
  repeatFirstRows(ring, other, plan);
  ring.release(frame);
  return { own, ownMasked, other };
}

async function sendMasked(
  session: BankSession,
  values: Float64Array,
  { own, ownMasked }: { own: ColumnBlocks; ownMasked: number },
  plan: RowPlan,
  featureBits: number,
  { frame, mask }: { frame: number; mask: number },
): Promise<void> {
  const { ring } = session;
  const stream = session.streams.stream(maskPurpose);
  const body = frame + messageHeaderBytes;
  for (const { row, at, words } of chunksOf(own, plan)) {
    ring.doubles(at, words).set(values.subarray(row * own.columns, row * own.columns + words));
    ring.kernels.encode(at, at, 2 ** featureBits, words);
    stream.fill(ring.bytes(mask, words * 8));
    ring.kernels.subtract(body, at, mask, words);
    if (ownMasked !== 0 && row < plan.trainRows) ring.bytes(ownMasked + row * own.columns * 8, words * 8).set(ring.bytes(body, words * 8));
    await session.other.send('maskedColumns', ring.bytes(frame, messageHeaderBytes + words * 8));
  }
}

async function receiveMasked(session: BankSession, other: ColumnBlocks, plan: RowPlan): Promise<void> {
  for (const { at, words } of chunksOf(other, plan)) {
    const chunk = await session.other.receive('maskedColumns', words * 8);
    session.ring.bytes(at, words * 8).set(chunk);
  }
}

/** The dealer draws both masks: same blocks, same order of rows. */
export function drawColumnMasks(session: DealerSession, widths: readonly [number, number], plan: RowPlan): [ColumnBlocks, ColumnBlocks] {
  const { ring } = session;
  const draw = (bank: 0 | 1): ColumnBlocks => {
    const blocks = allocateBlocks(ring, widths[bank], plan);
    const stream = session.streams[bank].stream(maskPurpose);
    for (const { at, words } of chunksOf(blocks, plan)) stream.fill(ring.bytes(at, words * 8));
    repeatFirstRows(ring, blocks, plan);
    return blocks;
  };
  return [draw(0), draw(1)];
}

function allocateBlocks(ring: RingMemory, columns: number, plan: RowPlan): ColumnBlocks {
  return { columns, train: ring.allocate((plan.trainRows + plan.wrapRows) * columns), test: ring.allocate(plan.testRows * columns) };
}

/** Runs of whole rows that fit one message, in the order of the rows; `row` is the first one's number. */
function* chunksOf(blocks: ColumnBlocks, plan: RowPlan): Generator<{ row: number; at: number; words: number }> {
  const most = Math.max(1, Math.floor(maxPartBytes / 8 / blocks.columns));
  const parts = [
    { first: 0, rows: plan.trainRows, at: blocks.train },
    { first: plan.trainRows, rows: plan.testRows, at: blocks.test },
  ];
  for (const { first, rows, at } of parts) {
    for (let row = 0; row < rows; row += most) {
      yield { row: first + row, at: at + row * blocks.columns * 8, words: Math.min(most, rows - row) * blocks.columns };
    }
  }
}

function repeatFirstRows(ring: RingMemory, blocks: ColumnBlocks, plan: RowPlan): void {
  const bytes = plan.wrapRows * blocks.columns * 8;
  ring.bytes(blocks.train + plan.trainRows * blocks.columns * 8, bytes).set(ring.bytes(blocks.train, bytes));
}
