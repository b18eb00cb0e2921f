import type { LinkStreams } from '../key-agreement.js';
import type { MessageLink } from '../message-link.js';
import type { RandomStream } from '../random-stream.js';
import type { RingMemory } from '../ring/ring-memory.js';
import { checkShift, shapeError } from './bank-arithmetic.js';
import { type Arithmetic, comparisonDraws, type DrawPlan, productDraws, type Secret, sizeOf, truncationDraws } from './secret.js';

export interface ArithmeticDealer {
  readonly banks: readonly [MessageLink, MessageLink];
  readonly streams: readonly [LinkStreams, LinkStreams];
  readonly ring: RingMemory;
}

/**
 * The dealer's side of Arithmetic: for each operation it draws what the banks draw and sends the second bank the words that
 * make the correlation true. The first bank's share comes from its seed alone. It receives nothing, so it runs ahead.
 */
export class DealerArithmetic implements Arithmetic {
  private readonly draws: readonly [RandomStream, RandomStream];

  constructor(private readonly dealer: ArithmeticDealer) {
    this.draws = [dealer.streams[0].stream('arithmetic'), dealer.streams[1].stream('arithmetic')];
  }

  zero(rows: number, columns: number): Secret {
    return { rows, columns, at: 0 };
  }

  publicMatrix(rows: number, columns: number): Secret {
    return this.zero(rows, columns);
  }

  add(a: Secret, b: Secret): Secret {
    if (a.rows !== b.rows || a.columns !== b.columns) throw shapeError(a, b);
    return a;
  }

  subtract(a: Secret, b: Secret): Secret {
    return this.add(a, b);
  }

  scale(a: Secret): Secret {
    return a;
  }

  bordered(corner: Secret): Secret {
    const size = corner.rows + corner.columns;
    return this.zero(size, size);
  }

  async product(a: Secret, b: Secret): Promise<Secret> {
    if (a.columns !== b.rows) throw shapeError(a, b);
    const { ring } = this.dealer;
    const { kernels } = ring;
    const [sizeA, sizeB, size] = [sizeOf(a), sizeOf(b), a.rows * b.columns];
    const mark = ring.mark();
    const [draw0, draw1] = this.draw(productDraws(a, b));
    const out = ring.allocate(size);
    kernels.add(draw1, draw1, draw0, sizeA + sizeB);
    kernels.matMul(out, draw1, draw1 + 8 * sizeA, a.rows, a.columns, b.columns);
    kernels.subtract(out, out, draw0 + 8 * (sizeA + sizeB), size);
    await this.send(out, 8 * size);
    ring.release(mark);
    return this.zero(a.rows, b.columns);
  }

  async truncate(a: Secret, bits: number): Promise<Secret> {
    checkShift(bits);
    const { ring } = this.dealer;
    const count = sizeOf(a);
    const mark = ring.mark();
    const [draw0, draw1] = this.draw(truncationDraws(count));
    const out = ring.allocate(2 * count);
    ring.kernels.add(draw1, draw1, draw0, count);
    ring.kernels.dealTruncation(out, out + 8 * count, draw1, draw0 + 8 * count, draw0 + 16 * count, count, bits);
    await this.send(out, 16 * count);
    ring.release(mark);
    return a;
  }

  async isNonNegative(a: Secret): Promise<Secret> {
    const { ring } = this.dealer;
    const count = sizeOf(a);
    const mark = ring.mark();
    const [draw0, draw1] = this.draw(comparisonDraws(count));
    const out = ring.allocate(10 * count);
    ring.kernels.add(draw1, draw1, draw0, count);
    ring.kernels.dealComparison(
      out,
      out + 72 * count,
      out + 64 * count,
      draw1,
      draw0 + 8 * count,
      draw0 + 72 * count,
      draw0 + 88 * count,
      draw1 + 8 * count,
      count,
    );
    await this.send(out, 76 * count);
    ring.release(mark);
    return a;
  }

  open(): Promise<BigInt64Array> {
    return Promise.resolve(new BigInt64Array(0));
  }

  private draw(plan: DrawPlan): [number, number] {
    const { ring } = this.dealer;
    const [first, second] = [ring.allocate(plan.first), ring.allocate(plan.second)];
    this.draws[0].fill(ring.bytes(first, plan.first * 8));
    this.draws[1].fill(ring.bytes(second, plan.second * 8));
    return [first, second];
  }

  private send(at: number, byteLength: number): Promise<void> {
    return this.dealer.banks[1].sendParts('material', this.dealer.ring.bytes(at, byteLength));
  }
}
