import { ToolkitError } from '../../errors/toolkit-error.js';
import { kernelsBase64 } from './kernels-wasm.js';

// The part of the JavaScript API of WebAssembly that is used here; Node's types leave it to the browser's.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
  Memory: new (descriptor: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
};

/** The kernels of src/privacy/psi/kernels; arguments are byte offsets and counts, see the sources. */
export type PsiKernels = {
  spreadWords(out: number, words: number, n: number): void;
  digestInputs(out: number, input: number, ends: number, n: number, chain: number, scratch: number): void;
  hashRows(out: number, rows: number, n: number, firstBin: number, chain: number, scratch: number): void;
  maskRows(out: number, first: number, second: number, table: number, digests: number, n: number, chain: number, scratch: number): void;
  hashCandidates(
    out: number,
    width: number,
    bins: number,
    digests: number,
    rows: number,
    secret: number,
    n: number,
    firstBin: number,
    codeChain: number,
    hashChain: number,
    scratch: number,
  ): void;
  transposeBits(out: number, stride: number, columns: number, groups: number, columnBytes: number, scratch: number): void;
  openRows(rows: number, corrections: number, secret: number, n: number): void;
  locate(out: number, words: number, n: number, bins: number): void;
  cuckoo(table: number, locations: number, n: number, bins: number, limit: number, seed: number): number;
  gatherDigests(out: number, digests: number, order: number, n: number): void;
  keepFirst(digests: number, rows: number, n: number, table: number, mask: number, firstRepeat: number): number;
  fillTags(table: number, mask: number, tags: number, bins: number, n: number): void;
  matchTags(
    matches: number,
    table: number,
    mask: number,
    tags: number,
    bins: number,
    received: number,
    width: number,
    n: number,
    firstPosition: number,
  ): number;
  countUp(order: number, n: number): void;
  shuffle(order: number, from: number, words: number, n: number): number;
};

const pageBytes = 65_536;
const maxPages = 65_536;
const scratchBytes = 2048;

/**
 * One party's digests, rows and tables, in WebAssembly memory (at most 4 GiB) with the kernels that work on it. Blocks are handed out in
 * order and given back as a stack. A view dies when the memory grows, so views are made where they are used.
 */
export class PsiMemory {
  readonly kernels: PsiKernels;
  /** Working space of the kernels that ask for some; nothing stays there between calls. */
  readonly scratch: number;
  private readonly memory = new WebAssembly.Memory({ initial: 16, maximum: maxPages });
  private next = 64;

  constructor() {
    const module = new WebAssembly.Module(new Uint8Array(Buffer.from(kernelsBase64, 'base64')));
    this.kernels = new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports as PsiKernels;
    this.scratch = this.allocate(scratchBytes);
  }

  /** Offset of a block of zeroed bytes, 64-byte aligned. */
  allocate(byteLength: number): number {
    const at = this.next;
    const end = at + Math.ceil(byteLength / 64) * 64;
    const limit = maxPages * pageBytes;
    if (end > limit) {
      throw new ToolkitError('DT_INPUT_TOO_LARGE', { what: 'The set', actual: `${end} bytes of working memory`, limit: `${limit} bytes` });
    }
    const missing = end - this.memory.buffer.byteLength;
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

  indexes(at: number, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, at, count);
  }
}
