import { BlockFunction } from './column-generators.js';
import type { PsiSession } from './psi-session.js';

/**
 * Private set intersection for large sets: an oblivious pseudo-random function from oblivious-transfer extension, two parties, no
 * helper, semi-honest. Time, memory and bytes grow linearly with the sets.
 *
 * Sources. Batched related-key OPRF: Kolesnikov, Kumaresan, Rosulek, Trieu, "Efficient Batched Oblivious PRF with Applications to
 * Private Set Intersection" (CCS 2016; ePrint 2016/799), figures 2 and 6. OT extension: IKNP (CRYPTO 2003). Cuckoo hashing with three
 * functions and no stash: Pinkas, Schneider, Zohner (ACM TOPS 2018; ePrint 2016/930) and Pinkas, Schneider, Tkachenko, Yanai (EUROCRYPT 2019;
 * ePrint 2019/241). Base transfers: base-ot, seed-ot. The three regions with one shared order of the sender's tags are this project's.
 *
 * The receiver puts each item into one of three bins, at most one item a bin. For bin b and its item x it holds a random row t_b of 448 bits
 * and sends t_b ^ u_b ^ C(x); the sender, with a secret s of 448 bits, gets q_b = t_b ^ (s & C(x)). So H(b, t_b) is a value that the
 * sender can compute for x, as H(b, q_b ^ (s & C(x))), while for any other item its value differs from all that the receiver knows in the
 * s-bits of at least 128 places. The sender sends, for each of its items, the three values for its three bins, as three lists that follow one
 * secret random order; the receiver looks its own up. As each function has its own region of bins, an item never has two equal bins, so all
 * lists have the same length and a match shows a place in the secret order and nothing more.
 *
 * Trust: both parties follow the protocol and do not share what they see. A receiver that deviates may test more items than it declared; a
 * sender that deviates may spoil the result.
 * Learned: the receiver learns which of its items are common and random place numbers; the sender nothing (until it is told). Both learn the
 * declared sizes, and whether the first placement of the receiver's items failed (probability below).
 * Rounds: 3.5 (key, points, seed corrections, then rows one way and tags the other, as a stream).
 * Bytes: 56 * 1.27 n of the receiver + 3 w m of the sender, w the tag width, + 15.6 kB; small receivers: bins as for 1,209 items.
 *
 * Security parameters
 * - computational 128: AES-128 (generators), keyed BLAKE3 as correlation-robust hash and as pseudo-random code, P-256, 128 base transfers,
 *   Hamming distance 128.
 * - code C(x): 448 bits of keyed BLAKE3's output stream for the 128-bit digest. Two digests come closer than 128 places with probability
 *   2^-66.5, the lower tail of Binomial(448, 1/2); at most 3 m pairs meet in a bin, so below 2^-40.9 for m = 2^24.
 * - tags of 40 + log2 n + log2 m bits, rounded up to bytes: any false match among n m pairs of a list with probability 2^-40 at most.
 *   (Each list compares an item with m tags, and an item is in one list only.)
 * - digests of 128 bits: see psi-digest.
 * - placement: 1.27 n bins in three regions, at least 1,536. The smallest obstruction is four items with the same three bins:
 *   C(n, 4) (3 / bins)^9, 2^-44 at worst (n = 1,209), 2^-93 at 2^20. Overload of larger parts, measured with this kernel for 1,536 bins,
 *   the worst case: 2^-1.7, 2^-4.1, 2^-8.3, 2^-12.5 of the placements fail at loads of 0.915, 0.905, 0.895, 0.885, four powers of two and
 *   more for each 0.01, so beyond 2^-50 at 0.787 (extrapolated). A failure is not an error: the run takes new hash functions before
 *   anything else is sent, and only that event shows.
 */
export interface KkrtPlan {
  /** In each of the three regions; a multiple of 128. */
  readonly bins: number;
  readonly tagBytes: number;
}

/** Columns of the extension: the length of the code. */
export const codeBits = 448;
/** A row on the wire. */
export const rowBytes = codeBits / 8;
/** A row in memory. */
export const rowStride = 64;
export const regions = 3;
/** Rows drawn from the generators at a time. */
export const rowsPerDraw = 1 << 15;
/** Rows in a message. */
export const rowsPerMessage = 1 << 14;
/** Tags in a message. */
export const tagsPerMessage = 1 << 16;
/** Items whose bins are computed at a time. */
const itemsAtOnce = 1024;
export const maxPlacements = 16;
/** Each party takes at most this many ids. */
export const maxSetSize = 1 << 24;

const expansion = 1.27;
const minBinsPerRegion = 512;
const statisticalBits = 40;

export function kkrtPlan(receiverCount: number, senderCount: number): KkrtPlan {
  const wanted = Math.max(minBinsPerRegion, Math.ceil((expansion * receiverCount) / regions));
  const tagBits = statisticalBits + Math.log2(receiverCount) + Math.log2(senderCount);
  return { bins: Math.ceil(wanted / 128) * 128, tagBytes: Math.max(8, Math.ceil(tagBits / 8)) };
}

/** The public functions of a run: the keys of code and hash in the form that the kernels take, and the bins of an item. */
export class KkrtFunctions {
  readonly codeChain: number;
  readonly hashChain: number;

  constructor(private readonly session: PsiSession) {
    this.codeChain = this.chainOf('psi code');
    this.hashChain = this.chainOf('psi hash');
  }

  /** The three bins of each item, 12 bytes an item, for one try at placing them. */
  locate(locations: number, digests: number, count: number, bins: number, attempt: number): void {
    const { memory, streams } = this.session;
    const key = new Uint8Array(16);
    streams.stream(`psi locations ${attempt}`).fill(key);
    const blocks = new BlockFunction(key);
    const mark = memory.mark();
    const words = memory.allocate(16 * itemsAtOnce);
    for (let at = 0; at < count; at += itemsAtOnce) {
      const n = Math.min(itemsAtOnce, count - at);
      memory.bytes(words, 16 * n).set(blocks.apply(memory.bytes(digests + 16 * at, 16 * n)));
      memory.kernels.locate(locations + 12 * at, words, n, bins);
    }
    memory.release(mark);
  }

  private chainOf(purpose: string): number {
    const { memory, streams } = this.session;
    const chain = memory.allocate(128);
    streams.stream(purpose).fill(memory.bytes(memory.scratch, 32));
    memory.kernels.spreadWords(chain, memory.scratch, 8);
    return chain;
  }
}
