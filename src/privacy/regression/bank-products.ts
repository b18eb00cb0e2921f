import { messageHeaderBytes } from '../message-link.js';
import type { RandomStream } from '../random-stream.js';
import type { Secret } from '../sharing/secret.js';
import type { JointProducts } from './joint-products.js';
import type { BankSession } from './joint-session.js';
import type { MaskedColumns } from './masked-columns.js';
import type { SplitWeights } from './split-weights.js';

/**
 * A bank's side of JointProducts. Own columns X, the other bank's masked columns E' = X' - U'. Every word sent is masked by
 * words that only the sender and the dealer know and that are used once. Semi-honest, with a dealer that must not collude with a
 * bank. Source: static operand masks as in Mohassel, Zhang, "SecureML" (IEEE S&P 2017).
 */
export class BankProducts implements JointProducts {
  private readonly stream: RandomStream;
  private readonly logits: number;

  constructor(
    private readonly session: BankSession,
    private readonly columns: MaskedColumns,
    private readonly weights: SplitWeights,
    private readonly rows: number,
  ) {
    this.stream = session.streams.stream('products');
    this.logits = session.ring.allocate(rows);
  }

  async cross(): Promise<Secret> {
    const { ring, first, dealer } = this.session;
    const { own, other } = this.columns;
    const [width0, width1] = first ? [own.columns, other.columns] : [other.columns, own.columns];
    const out = ring.allocate(width0 * width1);
    if (first) {
      // U0' E1 here, E0' X1 there, U0' U1 from the dealer: together X0' X1.
      await dealer.receiveParts('material', ring.bytes(out, 8 * width0 * width1));
      const mask = ring.allocate(this.rows * own.columns);
      ring.kernels.subtract(mask, own.train, this.columns.ownMasked, this.rows * own.columns);
      ring.kernels.transposedMatMul(out, mask, other.train, this.rows, width0, width1);
      ring.release(mask);
    } else {
      this.stream.fill(ring.bytes(out, 8 * width0 * width1));
      ring.kernels.transposedMatMul(out, other.train, own.train, this.rows, width0, width1);
    }
    return { rows: width0, columns: width1, at: out };
  }

  async transposed(rows: Secret): Promise<Secret> {
    const { ring, first, dealer, other: link } = this.session;
    const { kernels } = ring;
    const { own, other } = this.columns;
    const { rows: count } = this;
    const out = ring.allocate(own.columns + other.columns);
    const ownOut = first ? out : out + 8 * other.columns;
    const otherOut = first ? out + 8 * own.columns : out;
    const mark = ring.mark();
    const draw = ring.allocate(count + other.columns);
    const mine = ring.allocate(count);
    const theirs = ring.allocate(count);
    this.stream.fill(ring.bytes(draw, 8 * (count + other.columns)));
    kernels.subtract(mine, rows.at, draw, count);
    await link.exchangeParts('maskedResiduals', ring.bytes(mine, 8 * count), ring.bytes(theirs, 8 * count));
    await dealer.receiveParts('material', ring.bytes(ownOut, 8 * own.columns));
    kernels.add(theirs, theirs, rows.at, count);
    kernels.transposedMatVec(ownOut, own.train, theirs, count, own.columns);
    ring.bytes(otherOut, 8 * other.columns).set(ring.bytes(draw + 8 * count, 8 * other.columns));
    kernels.transposedMatVec(otherOut, other.train, draw, count, other.columns);
    ring.release(mark);
    return { rows: own.columns + other.columns, columns: 1, at: out };
  }

  async adopt(weights: Secret): Promise<void> {
    const { ring, first, other: link } = this.session;
    const { own, other } = this.columns;
    const ownShare = first ? weights.at : weights.at + 8 * other.columns;
    const otherShare = first ? weights.at + 8 * own.columns : weights.at;
    const mark = ring.mark();
    const frame = ring.allocate(messageHeaderBytes / 8 + other.columns);
    this.stream.fill(ring.bytes(this.weights.otherMask, 8 * other.columns));
    ring.kernels.subtract(frame + messageHeaderBytes, otherShare, this.weights.otherMask, other.columns);
    await link.send('maskedWeights', ring.bytes(frame, messageHeaderBytes + 8 * other.columns));
    ring.bytes(this.weights.visible, 8 * own.columns).set(await link.receive('maskedWeights', 8 * own.columns));
    ring.kernels.add(this.weights.visible, this.weights.visible, ownShare, own.columns);
    ring.release(mark);
  }

  maskedLogits(): Secret {
    const { ring } = this.session;
    const { own, other } = this.columns;
    const at = this.logits;
    this.stream.fill(ring.bytes(at, 8 * this.rows));
    ring.kernels.matVec(at, at, own.train, this.weights.visible, this.rows, own.columns);
    ring.kernels.matVec(at, at, other.train, this.weights.otherMask, this.rows, other.columns);
    return { rows: this.rows, columns: 1, at };
  }
}
