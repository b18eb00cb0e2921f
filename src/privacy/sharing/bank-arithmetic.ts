import { ToolkitError } from '../../errors/toolkit-error.js';
import type { LinkStreams } from '../key-agreement.js';
import type { MessageLink } from '../message-link.js';
import type { RandomStream } from '../random-stream.js';
import type { RingMemory } from '../ring/ring-memory.js';
import { type Arithmetic, comparisonDraws, foldWidths, productDraws, type Secret, sizeOf, truncationDraws } from './secret.js';

export interface ArithmeticBank {
  readonly first: boolean;
  readonly other: MessageLink;
  readonly dealer: MessageLink;
  readonly streams: LinkStreams;
  readonly ring: RingMemory;
}

/**
 * A bank's side of Arithmetic.
 *
 * Sources. Products: Beaver, "Efficient Multiparty Protocols Using Circuit Randomization" (CRYPTO 1991), for matrices as in
 * SecureML (2017). Truncation on the opened masked value with the top bit of the mask: Dalskov, Escudero, Keller, "Secure
 * Evaluation of Quantized Neural Networks" (PoPETs 2020). Comparison: sign of an opened masked value from the bits of the mask
 * (Damgard, Fitzi, Kiltz, Nielsen, Toft, TCC 2006), with one-time truth tables for four bits at a time (Ishai, Kushilevitz, Meldgaard,
 * Orlandi, Paskin-Cherniavsky, TCC 2013), and a bit that is shared in both ways (Rotaru, Wood, Indocrypt 2019) to get back.
 *
 * Everything sent is masked by words that only the sender and the dealer know and that are used once: the receiver sees uniform
 * words. Only `open` shows a value.
 */
export class BankArithmetic implements Arithmetic {
  private readonly stream: RandomStream;

  constructor(private readonly bank: ArithmeticBank) {
    this.stream = bank.streams.stream('arithmetic');
  }

  zero(rows: number, columns: number): Secret {
    return { rows, columns, at: this.bank.ring.allocate(rows * columns) };
  }

  publicMatrix(rows: number, columns: number, words: BigInt64Array): Secret {
    const out = this.zero(rows, columns);
    if (this.bank.first) this.bank.ring.words(out.at, words.length).set(words);
    return out;
  }

  add(a: Secret, b: Secret): Secret {
    const out = this.sameShape(a, b);
    this.bank.ring.kernels.add(out.at, a.at, b.at, sizeOf(a));
    return out;
  }

  subtract(a: Secret, b: Secret): Secret {
    const out = this.sameShape(a, b);
    this.bank.ring.kernels.subtract(out.at, a.at, b.at, sizeOf(a));
    return out;
  }

  scale(a: Secret, factor: bigint): Secret {
    const out = this.zero(a.rows, a.columns);
    this.bank.ring.kernels.scale(out.at, a.at, factor, sizeOf(a));
    return out;
  }

  bordered(corner: Secret, diagonal: bigint): Secret {
    const size = corner.rows + corner.columns;
    const out = this.zero(size, size);
    const words = this.bank.ring.words(out.at, size * size);
    const from = this.bank.ring.words(corner.at, sizeOf(corner));
    for (let i = 0; i < corner.rows; i++) {
      for (let j = 0; j < corner.columns; j++) {
        const word = from[i * corner.columns + j] as bigint;
        words[i * size + corner.rows + j] = word;
        words[(corner.rows + j) * size + i] = word;
      }
    }
    if (this.bank.first) for (let i = 0; i < size; i++) words[i * size + i] = diagonal;
    return out;
  }

  async product(a: Secret, b: Secret): Promise<Secret> {
    if (a.columns !== b.rows) throw shapeError(a, b);
    const { ring, first, dealer } = this.bank;
    const { kernels } = ring;
    const [sizeA, sizeB, size] = [sizeOf(a), sizeOf(b), a.rows * b.columns];
    const out = this.zero(a.rows, b.columns);
    const mark = ring.mark();
    const draw = this.draw(first ? productDraws(a, b).first : productDraws(a, b).second);
    const mine = ring.allocate(sizeA + sizeB);
    const theirs = ring.allocate(sizeA + sizeB);
    const maskB = draw + 8 * sizeA;
    kernels.subtract(mine, a.at, draw, sizeA);
    kernels.subtract(mine + 8 * sizeA, b.at, maskB, sizeB);
    await this.exchange(mine, theirs, 8 * (sizeA + sizeB));
    kernels.add(mine, mine, theirs, sizeA + sizeB);
    if (first) ring.bytes(out.at, 8 * size).set(ring.bytes(maskB + 8 * sizeB, 8 * size));
    else await dealer.receiveParts('material', ring.bytes(out.at, 8 * size));
    // D = a - A and E = b - B are open: a b = C + D B + A E + D E, the last one added by the first bank.
    const openedB = mine + 8 * sizeA;
    kernels.matMul(out.at, draw, openedB, a.rows, a.columns, b.columns);
    if (first) kernels.add(maskB, maskB, openedB, sizeB);
    kernels.matMul(out.at, mine, maskB, a.rows, a.columns, b.columns);
    ring.release(mark);
    return out;
  }

  async truncate(a: Secret, bits: number): Promise<Secret> {
    checkShift(bits);
    const { ring, first, dealer } = this.bank;
    const { kernels } = ring;
    const count = sizeOf(a);
    const out = this.zero(a.rows, a.columns);
    const mark = ring.mark();
    const draw = this.draw(first ? truncationDraws(count).first : truncationDraws(count).second);
    const mine = ring.allocate(count);
    const theirs = ring.allocate(count);
    const dealt = first ? draw + 8 * count : ring.allocate(2 * count);
    kernels.add(mine, a.at, draw, count);
    if (first) {
      kernels.fill(theirs, 1n << 62n, count);
      kernels.add(mine, mine, theirs, count);
    }
    await this.exchange(mine, theirs, 8 * count);
    if (!first) await dealer.receiveParts('material', ring.bytes(dealt, 16 * count));
    kernels.truncateMasked(out.at, mine, theirs, dealt, dealt + 8 * count, count, bits, first ? 1n : 0n);
    ring.release(mark);
    return out;
  }

  async isNonNegative(a: Secret): Promise<Secret> {
    const { ring, first, dealer } = this.bank;
    const { kernels } = ring;
    const count = sizeOf(a);
    const out = this.zero(a.rows, a.columns);
    const mark = ring.mark();
    const draw = this.draw(first ? comparisonDraws(count).first : comparisonDraws(count).second);
    const mine = ring.allocate(count);
    const theirs = ring.allocate(count);
    const state = ring.allocate(count);
    const openMine = ring.allocate(count);
    const openTheirs = ring.allocate(count);
    const dealt = first ? 0 : ring.allocate(10 * count);
    kernels.add(mine, a.at, draw, count);
    await this.exchange(mine, theirs, 8 * count);
    if (!first) await dealer.receiveParts('material', ring.bytes(dealt, 76 * count));

    const tables = first ? draw + 8 * count : dealt;
    const flips = first ? draw + 88 * count : dealt + 64 * count;
    const corrections = first ? 0 : dealt + 72 * count;
    const triples = first ? draw + 72 * count : draw + 8 * count;
    kernels.lookUpComparison(state, mine, theirs, tables, count);
    for (const width of foldWidths) {
      kernels.openFold(openMine, state, triples, count, width);
      await this.exchange(openMine, openTheirs, (width === 8 ? 4 : 2) * count);
      kernels.closeFold(state, openMine, openTheirs, triples, corrections, count, width);
    }
    kernels.openSign(openMine, state, mine, theirs, triples, corrections, count);
    await this.exchange(openMine, openTheirs, count);
    kernels.closeSign(out.at, openMine, openTheirs, flips, count, first ? 1n : 0n);
    ring.release(mark);
    return out;
  }

  async open(a: Secret): Promise<BigInt64Array> {
    const { ring } = this.bank;
    const count = sizeOf(a);
    const mark = ring.mark();
    const theirs = ring.allocate(count);
    await this.exchange(a.at, theirs, 8 * count);
    ring.kernels.add(theirs, theirs, a.at, count);
    const words = ring.words(theirs, count).slice();
    ring.release(mark);
    return words;
  }

  private draw(words: number): number {
    const at = this.bank.ring.allocate(words);
    this.stream.fill(this.bank.ring.bytes(at, words * 8));
    return at;
  }

  private exchange(mine: number, theirs: number, byteLength: number): Promise<void> {
    const { ring, other } = this.bank;
    return other.exchangeParts('opening', ring.bytes(mine, byteLength), ring.bytes(theirs, byteLength));
  }

  private sameShape(a: Secret, b: Secret): Secret {
    if (a.rows !== b.rows || a.columns !== b.columns) throw shapeError(a, b);
    return this.zero(a.rows, a.columns);
  }
}

export function shapeError(a: Secret, b: Secret): ToolkitError {
  return new ToolkitError('DT_BUG_UNEXPECTED', { reason: `matrices of ${a.rows} x ${a.columns} and ${b.rows} x ${b.columns} do not fit` });
}

export function checkShift(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 61)
    throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: `truncation by ${bits} bits` });
}
