import { ToolkitError } from '../../errors/toolkit-error.js';
import { kernelsBase64 } from './kernels-wasm.js';

// The part of the JavaScript API of WebAssembly that is used here; Node's types leave it to the browser's.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
  Memory: new (descriptor: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
};

/**
 * The kernels of src/privacy/ring/kernels; arguments are byte offsets and counts of 64-bit words, see the sources. All words are
 * elements of the integers modulo 2^64.
 */
export type RingKernels = {
  /** out = init + a v */
  matVec(out: number, init: number, a: number, v: number, rows: number, columns: number): void;
  /** out += transpose(a) e */
  transposedMatVec(out: number, a: number, e: number, rows: number, columns: number): void;
  /** out += a b, n x k times k x m */
  matMul(out: number, a: number, b: number, n: number, k: number, m: number): void;
  /** out += transpose(a) b, with a of n x p and b of n x q */
  transposedMatMul(out: number, a: number, b: number, n: number, p: number, q: number): void;
  add(out: number, a: number, b: number, n: number): void;
  subtract(out: number, a: number, b: number, n: number): void;
  scale(out: number, a: number, factor: bigint, n: number): void;
  multiply(out: number, a: number, b: number, n: number): void;
  fill(out: number, value: bigint, n: number): void;
  gatherRows(out: number, a: number, order: number, n: number, columns: number): void;
  transpose(out: number, a: number, rows: number, columns: number): void;
  encode(out: number, a: number, factor: number, n: number): void;
  decode(out: number, a: number, factor: number, n: number): void;
  dealTrig(cosOut: number, sinOut: number, cosShare: number, sinShare: number, r: number, rows: number, terms: number, scale: number): void;
  sineOfMasked(
    out: number,
    mine: number,
    theirs: number,
    cosShare: number,
    sinShare: number,
    coefficients: number,
    rows: number,
    terms: number,
  ): void;
  dealTruncation(shiftedOut: number, topOut: number, r: number, shiftedShare: number, topShare: number, n: number, shift: number): void;
  truncateMasked(out: number, mine: number, theirs: number, shifted: number, top: number, n: number, shift: number, first: bigint): void;
  dealComparison(
    tables: number,
    bits: number,
    flips: number,
    r: number,
    table0: number,
    triples0: number,
    flip0: number,
    triples1: number,
    n: number,
  ): void;
  lookUpComparison(state: number, mine: number, theirs: number, tables: number, n: number): void;
  openFold(message: number, state: number, triples: number, n: number, width: number): void;
  closeFold(state: number, mine: number, theirs: number, triples: number, corrections: number, n: number, width: number): void;
  openSign(message: number, state: number, mine: number, theirs: number, triples: number, corrections: number, n: number): void;
  closeSign(out: number, mine: number, theirs: number, flips: number, n: number, first: bigint): void;
};

const pageBytes = 65_536;
const maxPages = 32_768;
/** Offset 0 stays free: kernels read it as "none". */
const firstOffset = 1024;

/**
 * One party's ring words, in WebAssembly memory with the kernels that work on it. Blocks are handed out in order and given
 * back as a stack (mark, release). A typed view dies when the memory grows, so views are made after the blocks of a phase
 * have been allocated.
 */
export class RingMemory {
  readonly kernels: RingKernels;
  private readonly memory = new WebAssembly.Memory({ initial: 16, maximum: maxPages });
  private next = firstOffset;

  constructor() {
    const module = new WebAssembly.Module(new Uint8Array(Buffer.from(kernelsBase64, 'base64')));
    this.kernels = new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports as RingKernels;
  }

  /** Offset of a block of `words` zeroed words, 64-byte aligned. */
  allocate(words: number): number {
    const at = this.next;
    const end = at + Math.ceil((words * 8) / 64) * 64;
    const missing = end - this.memory.buffer.byteLength;
    if (end > maxPages * pageBytes) {
      throw new ToolkitError('DT_INPUT_TOO_LARGE', {
        what: 'The job',
        actual: `${end} bytes of ring words`,
        limit: `${maxPages * pageBytes} bytes`,
      });
    }
    if (missing > 0) this.memory.grow(Math.ceil(missing / pageBytes));
    this.next = end;
    return at;
  }

  mark(): number {
    return this.next;
  }

  /** Gives back, and wipes, everything allocated since the mark. */
  release(mark: number): void {
    new Uint8Array(this.memory.buffer, mark, this.next - mark).fill(0);
    this.next = mark;
  }

  bytes(at: number, byteLength: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, byteLength);
  }

  words(at: number, count: number): BigInt64Array {
    return new BigInt64Array(this.memory.buffer, at, count);
  }

  doubles(at: number, count: number): Float64Array {
    return new Float64Array(this.memory.buffer, at, count);
  }

  indexes(at: number, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, at, count);
  }
}
