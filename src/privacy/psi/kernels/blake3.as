// BLAKE3 in keyed mode (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), four independent inputs at a time: lane l of every vector
// belongs to input l. Inputs of up to 1,024 bytes are one chunk, so no tree is needed.

const flagStart: u32 = 1;
const flagEnd: u32 = 2;
const flagRoot: u32 = 8;
const flagKeyed: u32 = 16;

@inline
function rotate16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function rotate12(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 12), i32x4.shl(x, 20));
}

@inline
function rotate8(x: v128): v128 {
  return i8x16.shuffle(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

@inline
function rotate7(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
}

/** Writes each of n words four times over: a key as the chaining value that compress takes, or a secret for four lanes. */
export function spreadWords(out: usize, words: usize, n: i32): void {
  for (let word: usize = 0; word < <usize>n; word++) v128.store(out + (word << 4), v128.load32_splat(words + (word << 2)));
}

/**
 * One compression of four blocks. chain: eight vectors. message: sixteen vectors. lengths: bytes of each lane's block. Block counter zero, as
 * in the first chunk. Writes the first eight output vectors to `out`, which may be `chain`; all sixteen when `wide`, where it may not.
 */
function compress(out: usize, chain: usize, message: usize, lengths: v128, flags: v128, wide: bool): void {
  let v0 = v128.load(chain, 0);
  let v1 = v128.load(chain, 16);
  let v2 = v128.load(chain, 32);
  let v3 = v128.load(chain, 48);
  let v4 = v128.load(chain, 64);
  let v5 = v128.load(chain, 80);
  let v6 = v128.load(chain, 96);
  let v7 = v128.load(chain, 112);
  let v8 = i32x4.splat(0x6a09e667);
  let v9 = i32x4.splat(0xbb67ae85);
  let v10 = i32x4.splat(0x3c6ef372);
  let v11 = i32x4.splat(0xa54ff53a);
  let v12 = i32x4.splat(0);
  let v13 = i32x4.splat(0);
  let v14 = lengths;
  let v15 = flags;
  let m0 = v128.load(message, 0);
  let m1 = v128.load(message, 16);
  let m2 = v128.load(message, 32);
  let m3 = v128.load(message, 48);
  let m4 = v128.load(message, 64);
  let m5 = v128.load(message, 80);
  let m6 = v128.load(message, 96);
  let m7 = v128.load(message, 112);
  let m8 = v128.load(message, 128);
  let m9 = v128.load(message, 144);
  let m10 = v128.load(message, 160);
  let m11 = v128.load(message, 176);
  let m12 = v128.load(message, 192);
  let m13 = v128.load(message, 208);
  let m14 = v128.load(message, 224);
  let m15 = v128.load(message, 240);
  for (let round = 0; round < 7; round++) {
    v0 = i32x4.add(i32x4.add(v0, v4), m0);
    v12 = rotate16(v128.xor(v12, v0));
    v8 = i32x4.add(v8, v12);
    v4 = rotate12(v128.xor(v4, v8));
    v0 = i32x4.add(i32x4.add(v0, v4), m1);
    v12 = rotate8(v128.xor(v12, v0));
    v8 = i32x4.add(v8, v12);
    v4 = rotate7(v128.xor(v4, v8));
    v1 = i32x4.add(i32x4.add(v1, v5), m2);
    v13 = rotate16(v128.xor(v13, v1));
    v9 = i32x4.add(v9, v13);
    v5 = rotate12(v128.xor(v5, v9));
    v1 = i32x4.add(i32x4.add(v1, v5), m3);
    v13 = rotate8(v128.xor(v13, v1));
    v9 = i32x4.add(v9, v13);
    v5 = rotate7(v128.xor(v5, v9));
    v2 = i32x4.add(i32x4.add(v2, v6), m4);
    v14 = rotate16(v128.xor(v14, v2));
    v10 = i32x4.add(v10, v14);
    v6 = rotate12(v128.xor(v6, v10));
    v2 = i32x4.add(i32x4.add(v2, v6), m5);
    v14 = rotate8(v128.xor(v14, v2));
    v10 = i32x4.add(v10, v14);
    v6 = rotate7(v128.xor(v6, v10));
    v3 = i32x4.add(i32x4.add(v3, v7), m6);
    v15 = rotate16(v128.xor(v15, v3));
    v11 = i32x4.add(v11, v15);
    v7 = rotate12(v128.xor(v7, v11));
    v3 = i32x4.add(i32x4.add(v3, v7), m7);
    v15 = rotate8(v128.xor(v15, v3));
    v11 = i32x4.add(v11, v15);
    v7 = rotate7(v128.xor(v7, v11));
    v0 = i32x4.add(i32x4.add(v0, v5), m8);
    v15 = rotate16(v128.xor(v15, v0));
    v10 = i32x4.add(v10, v15);
    v5 = rotate12(v128.xor(v5, v10));
    v0 = i32x4.add(i32x4.add(v0, v5), m9);
    v15 = rotate8(v128.xor(v15, v0));
    v10 = i32x4.add(v10, v15);
    v5 = rotate7(v128.xor(v5, v10));
    v1 = i32x4.add(i32x4.add(v1, v6), m10);
    v12 = rotate16(v128.xor(v12, v1));
    v11 = i32x4.add(v11, v12);
    v6 = rotate12(v128.xor(v6, v11));
    v1 = i32x4.add(i32x4.add(v1, v6), m11);
    v12 = rotate8(v128.xor(v12, v1));
    v11 = i32x4.add(v11, v12);
    v6 = rotate7(v128.xor(v6, v11));
    v2 = i32x4.add(i32x4.add(v2, v7), m12);
    v13 = rotate16(v128.xor(v13, v2));
    v8 = i32x4.add(v8, v13);
    v7 = rotate12(v128.xor(v7, v8));
    v2 = i32x4.add(i32x4.add(v2, v7), m13);
    v13 = rotate8(v128.xor(v13, v2));
    v8 = i32x4.add(v8, v13);
    v7 = rotate7(v128.xor(v7, v8));
    v3 = i32x4.add(i32x4.add(v3, v4), m14);
    v14 = rotate16(v128.xor(v14, v3));
    v9 = i32x4.add(v9, v14);
    v4 = rotate12(v128.xor(v4, v9));
    v3 = i32x4.add(i32x4.add(v3, v4), m15);
    v14 = rotate8(v128.xor(v14, v3));
    v9 = i32x4.add(v9, v14);
    v4 = rotate7(v128.xor(v4, v9));
    // The permutation of the message words between rounds, cycle by cycle.
    const kept0 = m0;
    m0 = m2;
    m2 = m3;
    m3 = m10;
    m10 = m12;
    m12 = m9;
    m9 = m11;
    m11 = m5;
    m5 = kept0;
    const kept1 = m1;
    m1 = m6;
    m6 = m4;
    m4 = m7;
    m7 = m13;
    m13 = m14;
    m14 = m15;
    m15 = m8;
    m8 = kept1;
  }
  v128.store(out, v128.xor(v0, v8), 0);
  v128.store(out, v128.xor(v1, v9), 16);
  v128.store(out, v128.xor(v2, v10), 32);
  v128.store(out, v128.xor(v3, v11), 48);
  v128.store(out, v128.xor(v4, v12), 64);
  v128.store(out, v128.xor(v5, v13), 80);
  v128.store(out, v128.xor(v6, v14), 96);
  v128.store(out, v128.xor(v7, v15), 112);
  if (wide) {
    v128.store(out, v128.xor(v8, v128.load(chain, 0)), 128);
    v128.store(out, v128.xor(v9, v128.load(chain, 16)), 144);
    v128.store(out, v128.xor(v10, v128.load(chain, 32)), 160);
    v128.store(out, v128.xor(v11, v128.load(chain, 48)), 176);
    v128.store(out, v128.xor(v12, v128.load(chain, 64)), 192);
    v128.store(out, v128.xor(v13, v128.load(chain, 80)), 208);
    v128.store(out, v128.xor(v14, v128.load(chain, 96)), 224);
    v128.store(out, v128.xor(v15, v128.load(chain, 112)), 240);
  }
}

/** Sixteen bytes at each of four addresses, turned into four vectors of one word an address. */
@inline
function interleave(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(out, i64x2.shuffle(ab, cd, 0, 2), 0);
  v128.store(out, i64x2.shuffle(ab, cd, 1, 3), 16);
  v128.store(out, i64x2.shuffle(abHigh, cdHigh, 0, 2), 32);
  v128.store(out, i64x2.shuffle(abHigh, cdHigh, 1, 3), 48);
}

/** The first sixteen output bytes of each lane, to four addresses in order of the lanes: with addresses less than sixteen apart, each store cuts the one before. */
@inline
function storeOutputs(result: usize, a: usize, b: usize, c: usize, d: usize): void {
  const w0 = v128.load(result, 0);
  const w1 = v128.load(result, 16);
  const w2 = v128.load(result, 32);
  const w3 = v128.load(result, 48);
  const low01 = i32x4.shuffle(w0, w1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(w2, w3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(w0, w1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(w2, w3, 2, 6, 3, 7);
  v128.store(a, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(b, i64x2.shuffle(low01, low23, 1, 3));
  v128.store(c, i64x2.shuffle(high01, high23, 0, 2));
  v128.store(d, i64x2.shuffle(high01, high23, 1, 3));
}

/** Sixteen of at most `left` bytes, zeros behind them. Reads up to sixteen bytes past the input. */
@inline
function loadPadded(from: usize, left: i32): v128 {
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const limit = left <= 0 ? 0 : left >= 16 ? 16 : left;
  return v128.and(v128.load(from), i8x16.lt_u(places, i8x16.splat(<i8>limit)));
}

@inline
function loadBlocks(message: usize, a: usize, la: i32, b: usize, lb: i32, c: usize, lc: i32, d: usize, ld: i32): void {
  for (let part = 0; part < 4; part++) {
    const at = <usize>(part << 4);
    const used = part << 4;
    interleave(message + (at << 2), loadPadded(a + at, la - used), loadPadded(b + at, lb - used), loadPadded(c + at, lc - used), loadPadded(d + at, ld - used));
  }
}

/** One input of any length up to 1,024 bytes, in lane 0. */
function digestLong(out: usize, from: usize, length: i32, chain: usize, scratch: usize): void {
  const message = scratch;
  const state = scratch + 256;
  memory.copy(state, chain, 128);
  let flags: u32 = flagKeyed | flagStart;
  while (length > 64) {
    loadBlocks(message, from, 64, from, 64, from, 64, from, 64);
    compress(state, state, message, i32x4.splat(64), i32x4.splat(flags), false);
    flags = flagKeyed;
    from += 64;
    length -= 64;
  }
  loadBlocks(message, from, length, from, length, from, length, from, length);
  compress(state, state, message, i32x4.splat(length), i32x4.splat(flags | flagEnd | flagRoot), false);
  storeOutputs(state, out, scratch, scratch, scratch);
}

/**
 * The first 16 bytes of the keyed hash of n inputs that lie one after the other; ends: u32 each. The input needs 64 readable bytes behind its
 * end. chain: the spread key. scratch: 512 bytes.
 */
export function digestInputs(out: usize, input: usize, ends: usize, n: i32, chain: usize, scratch: usize): void {
  const result = scratch + 256;
  let start: i32 = 0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const e0 = load<i32>(ends, 0);
    const e1 = load<i32>(ends, 4);
    const e2 = load<i32>(ends, 8);
    const e3 = load<i32>(ends, 12);
    const l0 = e0 - start;
    const l1 = e1 - e0;
    const l2 = e2 - e1;
    const l3 = e3 - e2;
    if (l0 <= 64 && l1 <= 64 && l2 <= 64 && l3 <= 64) {
      loadBlocks(scratch, input + start, l0, input + e0, l1, input + e1, l2, input + e2, l3);
      const flags = i32x4.splat(flagKeyed | flagStart | flagEnd | flagRoot);
      compress(result, chain, scratch, i32x4(l0, l1, l2, l3), flags, false);
      storeOutputs(result, out, out + 16, out + 32, out + 48);
    } else {
      digestLong(out, input + start, l0, chain, scratch);
      digestLong(out + 16, input + e0, l1, chain, scratch);
      digestLong(out + 32, input + e1, l2, chain, scratch);
      digestLong(out + 48, input + e2, l3, chain, scratch);
    }
    start = e3;
    ends += 16;
    out += 64;
  }
  for (; i < n; i++) {
    const end = load<i32>(ends);
    digestLong(out, input + start, end - start, chain, scratch);
    start = end;
    ends += 4;
    out += 16;
  }
}

/** 56 bytes and the number of the bin, in four lanes; the last word is zero. */
@inline
function hashFour(message: usize, result: usize, chain: usize): void {
  const flags = i32x4.splat(flagKeyed | flagStart | flagEnd | flagRoot);
  compress(result, chain, message, i32x4.splat(64), flags, false);
}

/**
 * Keyed hashes of n rows (64 bytes apart, 56 used) of the bins that start at `firstBin`; 16 bytes each to `out`. n is a multiple of four.
 */
export function hashRows(out: usize, rows: usize, n: i32, firstBin: u32, chain: usize, scratch: usize): void {
  const result = scratch + 256;
  for (let i = 0; i < n; i += 4) {
    for (let part: usize = 0; part < 3; part++) {
      const at = rows + (part << 4);
      interleave(scratch + (part << 6), v128.load(at, 0), v128.load(at, 64), v128.load(at, 128), v128.load(at, 192));
    }
    const bin = firstBin + <u32>i;
    interleave(
      scratch + 192,
      i64x2(load<i64>(rows, 48), <i64>bin),
      i64x2(load<i64>(rows, 112), <i64>(bin + 1)),
      i64x2(load<i64>(rows, 176), <i64>(bin + 2)),
      i64x2(load<i64>(rows, 240), <i64>(bin + 3)),
    );
    hashFour(scratch, result, chain);
    storeOutputs(result, out, out + 16, out + 32, out + 48);
    rows += 256;
    out += 64;
  }
}

/**
 * The code of four digests: 512 bits of the keyed hash's output stream, as sixteen vectors. blank: sixteen vectors whose last twelve are zero;
 * the first four are overwritten.
 */
@inline
function encodeFour(out: usize, a: v128, b: v128, c: v128, d: v128, chain: usize, blank: usize): void {
  interleave(blank, a, b, c, d);
  const flags = i32x4.splat(flagKeyed | flagStart | flagEnd | flagRoot);
  compress(out, chain, blank, i32x4.splat(16), flags, true);
}

@inline
function clearBlank(blank: usize): void {
  memory.fill(blank, 0, 256);
}

@inline
function digestOfBin(table: usize, digests: usize): v128 {
  const item = load<u32>(table);
  return item == 0 ? i64x2.splat(0) : v128.load(digests + (<usize>(item - 1) << 4));
}

@inline
function maskPart(out: usize, first: usize, second: usize, code: v128): void {
  v128.store(out, v128.xor(v128.xor(v128.load(first), v128.load(second)), code));
}

/**
 * The receiver's corrections, 56 bytes a row: first ^ second ^ code of the item in the bin (of zeros where there is none). Rows are 64 bytes
 * apart. table: u32 a bin, item + 1. n is a multiple of four. chain: the spread key of the code. Needs eight bytes of room behind the end.
 */
export function maskRows(out: usize, first: usize, second: usize, table: usize, digests: usize, n: i32, chain: usize, scratch: usize): void {
  const code = scratch;
  const blank = scratch + 256;
  clearBlank(blank);
  for (let i = 0; i < n; i += 4) {
    const d0 = digestOfBin(table, digests);
    const d1 = digestOfBin(table + 4, digests);
    const d2 = digestOfBin(table + 8, digests);
    const d3 = digestOfBin(table + 12, digests);
    encodeFour(code, d0, d1, d2, d3, chain, blank);
    // From one word a vector to one row a vector; the last 16 bytes of a row reach 8 into the next one, which is written after it.
    for (let part: usize = 0; part < 64; part += 16) {
      const from = code + (part << 2);
      interleave(from, v128.load(from, 0), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48));
    }
    for (let lane: usize = 0; lane < 4; lane++) {
      const from = code + (lane << 4);
      const at = lane << 6;
      const to = out + lane * 56;
      maskPart(to, first + at, second + at, v128.load(from, 0));
      maskPart(to + 16, first + at + 16, second + at + 16, v128.load(from, 64));
      maskPart(to + 32, first + at + 32, second + at + 32, v128.load(from, 128));
      maskPart(to + 48, first + at + 48, second + at + 48, v128.load(from, 192));
    }
    out += 224;
    first += 256;
    second += 256;
    table += 16;
  }
}

@inline
function openWord(message: usize, secret: usize, code: usize, at: usize): void {
  v128.store(message + at, v128.xor(v128.load(message + at), v128.and(v128.load(secret + at), v128.load(code + at))));
}

/**
 * The sender's tags of n items in one region of bins: the keyed hash of the row of the item's bin, with the item's code taken off where the
 * secret has ones, and of the number of the bin. bins: the bin of item i inside the region, u32 every 12 bytes. rows: of the region, 64 bytes
 * apart. secret: 14 spread words. codeChain, hashChain: spread keys. Tags are written `width` bytes apart. When n is not a multiple of four,
 * the items behind the end are read as well, and up to 64 bytes are written behind the last tag.
 */
export function hashCandidates(
  out: usize,
  width: i32,
  bins: usize,
  digests: usize,
  rows: usize,
  secret: usize,
  n: i32,
  firstBin: u32,
  codeChain: usize,
  hashChain: usize,
  scratch: usize,
): void {
  const result = scratch + 256;
  const code = scratch + 512;
  const blank = scratch + 768;
  clearBlank(blank);
  for (let i = 0; i < n; i += 4) {
    const b0 = load<u32>(bins, 0);
    const b1 = load<u32>(bins, 12);
    const b2 = load<u32>(bins, 24);
    const b3 = load<u32>(bins, 36);
    const r0 = rows + (<usize>b0 << 6);
    const r1 = rows + (<usize>b1 << 6);
    const r2 = rows + (<usize>b2 << 6);
    const r3 = rows + (<usize>b3 << 6);
    for (let at: usize = 0; at < 64; at += 16) {
      interleave(scratch + (at << 2), v128.load(r0 + at), v128.load(r1 + at), v128.load(r2 + at), v128.load(r3 + at));
    }
    encodeFour(code, v128.load(digests, 0), v128.load(digests, 16), v128.load(digests, 32), v128.load(digests, 48), codeChain, blank);
    for (let at: usize = 0; at < 224; at += 16) openWord(scratch, secret, code, at);
    const first = i32x4.splat(firstBin);
    v128.store(scratch, i32x4.add(first, i32x4(b0, b1, b2, b3)), 224);
    v128.store(scratch, i32x4.splat(0), 240);
    hashFour(scratch, result, hashChain);
    storeOutputs(result, out, out + width, out + 2 * width, out + 3 * width);
    bins += 48;
    digests += 64;
    out += 4 * width;
  }
}
