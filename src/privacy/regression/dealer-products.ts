import type { RandomStream } from '../random-stream.js';
import type { Secret } from '../sharing/secret.js';
import type { JointProducts } from './joint-products.js';
import type { DealerSession } from './joint-session.js';
import type { ColumnBlocks } from './masked-columns.js';

/** The dealer's side of JointProducts: it draws what the banks draw and sends the halves that make the sums true. */
export class DealerProducts implements JointProducts {
  private readonly streams: readonly [RandomStream, RandomStream];
  private readonly logits: number;

  constructor(
    private readonly session: DealerSession,
    private readonly masks: readonly [ColumnBlocks, ColumnBlocks],
    /** Offsets of the current masks of each bank's weights. */
    private readonly weightMasks: readonly [number, number],
    private readonly rows: number,
  ) {
    this.streams = [session.streams[0].stream('products'), session.streams[1].stream('products')];
    this.logits = session.ring.allocate(rows);
  }

  async cross(): Promise<Secret> {
    const { ring, banks } = this.session;
    const [mask0, mask1] = this.masks;
    const words = mask0.columns * mask1.columns;
    const mark = ring.mark();
    const out = ring.allocate(words);
    const pad = ring.allocate(words);
    this.streams[1].fill(ring.bytes(pad, 8 * words));
    ring.kernels.transposedMatMul(out, mask0.train, mask1.train, this.rows, mask0.columns, mask1.columns);
    ring.kernels.subtract(out, out, pad, words);
    await banks[0].sendParts('material', ring.bytes(out, 8 * words));
    ring.release(mark);
    return { rows: mask0.columns, columns: mask1.columns, at: 0 };
  }

  async transposed(): Promise<Secret> {
    const { ring, banks } = this.session;
    const mark = ring.mark();
    const draws = [this.drawFor(0), this.drawFor(1)] as const;
    for (const bank of [0, 1] as const) {
      // The other bank drew the mask of its residuals and the pad for this bank's columns.
      const draw = draws[bank === 0 ? 1 : 0];
      const { train, columns } = this.masks[bank];
      const out = ring.allocate(columns);
      ring.kernels.subtract(out, out, draw + 8 * this.rows, columns);
      ring.kernels.transposedMatVec(out, train, draw, this.rows, columns);
      await banks[bank].sendParts('material', ring.bytes(out, 8 * columns));
    }
    ring.release(mark);
    return { rows: this.masks[0].columns + this.masks[1].columns, columns: 1, at: 0 };
  }

  adopt(): Promise<void> {
    const { ring } = this.session;
    this.streams[0].fill(ring.bytes(this.weightMasks[1], 8 * this.masks[1].columns));
    this.streams[1].fill(ring.bytes(this.weightMasks[0], 8 * this.masks[0].columns));
    return Promise.resolve();
  }

  maskedLogits(): Secret {
    const { ring } = this.session;
    const at = this.logits;
    const mark = ring.mark();
    ring.kernels.fill(at, 0n, this.rows);
    const part = ring.allocate(this.rows);
    for (const bank of [0, 1] as const) {
      ring.kernels.fill(part, 0n, this.rows);
      ring.kernels.matVec(part, part, this.masks[bank].train, this.weightMasks[bank], this.rows, this.masks[bank].columns);
      ring.kernels.subtract(at, at, part, this.rows);
      this.streams[bank].fill(ring.bytes(part, 8 * this.rows));
      ring.kernels.add(at, at, part, this.rows);
    }
    ring.release(mark);
    return { rows: this.rows, columns: 1, at };
  }

  /** A bank's draw for one transposed product: the mask of its residuals, then the pad for the other bank's columns. */
  private drawFor(bank: 0 | 1): number {
    const words = this.rows + this.masks[bank === 0 ? 1 : 0].columns;
    const at = this.session.ring.allocate(words);
    this.streams[bank].fill(this.session.ring.bytes(at, 8 * words));
    return at;
  }
}
