import type { RandomStream } from '../random-stream.js';
import type { RingMemory } from '../ring/ring-memory.js';
import type { BankSession, DealerSession } from './joint-session.js';
import type { ColumnBlocks, MaskedColumns } from './masked-columns.js';
import { drawPermutation } from './row-order.js';
import type { SplitWeights } from './split-weights.js';

/** Logits and labels of the held-out rows, in an order that bank 0 cannot undo. */
export interface ShuffledScores {
  readonly scores: Float64Array;
  readonly labels: Float64Array;
}

/**
 * Scores the held-out rows with secret weights and shows bank 0 the (logit, label) pairs in an order that only bank 1 and the
 * dealer know, so that it can compute every rank and threshold metric without tying a score to a row. (The permutation by one
 * party under masks of the other follows Chase, Ghosh, Poburinnaya, "Secret-Shared Shuffle", Asiacrypt 2020, with a dealer for
 * the correlation.)
 *
 * z0 = own part of bank 0, z1 of bank 1, c = U0 v0 + U1 v1 of the dealer; z0 + z1 + c = logits.
 *  1. bank 0 to bank 1: (z0, y) + a      2. bank 1 to bank 0: shuffle((z0 + z1, y) + a) + b; dealer to bank 0: shuffle((c, 0) - a) - b
 *
 * Learned: bank 0 the multiset of (logit, label) pairs at each scoring, which is more than the metrics; bank 1 and the dealer
 * nothing. Many scorings of the same rows show how their distribution moves. Collusion of bank 0 with bank 1 or the dealer ties
 * scores to rows. Rounds: 2. Bytes: 16 a row on each of three ways.
 */
export class BankScoring {
  private readonly masks: RandomStream;
  private readonly orders: RandomStream;
  private readonly pairs: number;
  private readonly scratch: number;
  private readonly order: number;

  constructor(
    private readonly session: BankSession,
    private readonly columns: MaskedColumns,
    private readonly weights: SplitWeights,
    private readonly rows: number,
    private readonly bits: { readonly scores: number; readonly labels: number },
  ) {
    this.masks = session.streams.stream('scoring masks');
    this.orders = session.streams.stream('scoring orders');
    this.pairs = session.ring.allocate(2 * rows);
    this.scratch = session.ring.allocate(2 * rows);
    this.order = session.ring.allocate(rows);
  }

  /** Bank 0. labels: one for each held-out row, in the order of the run. */
  async openShuffled(labels: Float64Array): Promise<ShuffledScores> {
    const { ring, other, dealer } = this.session;
    const { rows, pairs, scratch, bits } = this;
    ring.doubles(pairs, rows).fill(0);
    ring.doubles(pairs + 8 * rows, rows).set(labels);
    ring.kernels.encode(pairs, pairs, 2 ** bits.labels, 2 * rows);
    const sent = this.fingerprint();
    this.masks.fill(ring.bytes(scratch, 16 * rows));
    this.addOwnPart(pairs);
    ring.kernels.add(pairs, pairs, scratch, 2 * rows);
    await other.sendParts('blindedScores', ring.bytes(pairs, 16 * rows));
    await other.receiveParts('shuffledScores', ring.bytes(pairs, 16 * rows));
    await dealer.receiveParts('shuffleMaterial', ring.bytes(scratch, 16 * rows));
    ring.kernels.add(pairs, pairs, scratch, 2 * rows);
    // The one thing that bank 0 can check: the labels are its own, in another order.
    if (this.fingerprint() !== sent) throw other.broken('what it sent back are not the labels that it was given');
    ring.kernels.decode(pairs, pairs, 2 ** -bits.scores, rows);
    ring.kernels.decode(pairs + 8 * rows, pairs + 8 * rows, 2 ** -bits.labels, rows);
    return { scores: ring.doubles(pairs, rows).slice(), labels: ring.doubles(pairs + 8 * rows, rows).slice() };
  }

  /** Bank 1. */
  async shuffle(): Promise<void> {
    const { ring, other } = this.session;
    const { rows, pairs, scratch } = this;
    await other.receiveParts('blindedScores', ring.bytes(pairs, 16 * rows));
    this.addOwnPart(pairs);
    shufflePairs(ring, scratch, pairs, this.order, drawPermutation(this.orders, rows));
    this.masks.fill(ring.bytes(pairs, 16 * rows));
    ring.kernels.add(scratch, scratch, pairs, 2 * rows);
    await other.sendParts('shuffledScores', ring.bytes(scratch, 16 * rows));
  }

  /** Of the label words, whatever their order: their sum and the sum of their squares. */
  private fingerprint(): string {
    const { ring } = this.session;
    const at = this.pairs + 8 * this.rows;
    const sums = this.order;
    ring.words(sums, 2).fill(0n);
    ring.kernels.transposedMatVec(sums, at, at, this.rows, 1);
    ring.kernels.fill(this.scratch, 1n, this.rows);
    ring.kernels.transposedMatVec(sums + 8, at, this.scratch, this.rows, 1);
    return ring.words(sums, 2).join();
  }

  private addOwnPart(pairs: number): void {
    const { kernels } = this.session.ring;
    const { own, other } = this.columns;
    kernels.matVec(pairs, pairs, own.test, this.weights.visible, this.rows, own.columns);
    kernels.matVec(pairs, pairs, other.test, this.weights.otherMask, this.rows, other.columns);
  }
}

/** The dealer's part of BankScoring. */
export class DealerScoring {
  private readonly masks: readonly [RandomStream, RandomStream];
  private readonly orders: RandomStream;
  private readonly pairs: number;
  private readonly scratch: number;
  private readonly order: number;

  constructor(
    private readonly session: DealerSession,
    private readonly columnMasks: readonly [ColumnBlocks, ColumnBlocks],
    private readonly weightMasks: readonly [number, number],
    private readonly rows: number,
  ) {
    this.masks = [session.streams[0].stream('scoring masks'), session.streams[1].stream('scoring masks')];
    this.orders = session.streams[1].stream('scoring orders');
    this.pairs = session.ring.allocate(2 * rows);
    this.scratch = session.ring.allocate(2 * rows);
    this.order = session.ring.allocate(rows);
  }

  async deal(): Promise<void> {
    const { ring, banks } = this.session;
    const { rows, pairs, scratch } = this;
    ring.kernels.fill(pairs, 0n, 2 * rows);
    for (const bank of [0, 1] as const) {
      const { test, columns } = this.columnMasks[bank];
      ring.kernels.matVec(pairs, pairs, test, this.weightMasks[bank], rows, columns);
    }
    this.masks[0].fill(ring.bytes(scratch, 16 * rows));
    ring.kernels.subtract(pairs, pairs, scratch, 2 * rows);
    shufflePairs(ring, scratch, pairs, this.order, drawPermutation(this.orders, rows));
    this.masks[1].fill(ring.bytes(pairs, 16 * rows));
    ring.kernels.subtract(scratch, scratch, pairs, 2 * rows);
    await banks[0].sendParts('shuffleMaterial', ring.bytes(scratch, 16 * rows));
  }
}

/** Both halves of the pairs by the same order. */
function shufflePairs(ring: RingMemory, out: number, pairs: number, orderAt: number, order: Uint32Array): void {
  ring.indexes(orderAt, order.length).set(order);
  ring.kernels.gatherRows(out, pairs, orderAt, order.length, 1);
  ring.kernels.gatherRows(out + 8 * order.length, pairs + 8 * order.length, orderAt, order.length, 1);
}
