// Sign of a masked word: see sharing/comparison. A word r is cut into 16 nibbles; for nibble j the dealer deals a table of
// 32 bits: bit v says v < r_j, bit 16 + v says v = r_j. A bank looks its share up at the public nibble of c, and the 16
// pairs (less, equal) are folded to one in four rounds of bit products.

/** The nibble that is kept at this place, so that each fold pairs the low with the high half of what is left. */
@inline
function nibbleAt(place: i32): i32 {
  return ((place & 1) << 3) | ((place & 2) << 1) | ((place & 4) >> 1) | ((place & 8) >> 3);
}

/** 63 low bits only: the top bit is treated apart. */
@inline
function low(word: u64): u64 {
  return word & 0x7fffffffffffffff;
}

@inline
function foldOffset(width: i32): i32 {
  return width == 8 ? 0 : width == 4 ? 0 : width == 2 ? 20 : 30;
}

@inline
function correctionOffset(width: i32): i32 {
  return width == 8 ? 0 : width == 4 ? 16 : width == 2 ? 24 : 28;
}

@inline
function dealFold(triples0: usize, triples1: usize, width: i32): u32 {
  const word: usize = width == 8 ? 0 : 8;
  const at = <u64>foldOffset(width);
  const mask = (<u32>1 << width) - 1;
  const t0 = load<u64>(triples0 + word) >> at;
  const both = t0 ^ (load<u64>(triples1 + word) >> at);
  const a = <u32>both & mask;
  const less = <u32>(both >> <u64>width) & mask;
  const equal = <u32>(both >> <u64>(2 * width)) & mask;
  const c0 = <u32>(t0 >> <u64>(3 * width)) & mask;
  const d0 = <u32>(t0 >> <u64>(4 * width)) & mask;
  return ((a & less) ^ c0) | (((a & equal) ^ d0) << width);
}

/**
 * The dealer's part for n words r: corrections for the second bank. tables: n x 16 u32. bits: n u32 with the products of
 * the four folds (16 + 8 + 4 + 2 bits) and, in bit 30, the top bit of r. flips: n words.
 * table0, triples0, flip0 are the first bank's shares, triples1 the second's; a triple is two words, its bit 63 of word 0
 * is the share of the flip bit, its bit 62 the first bank's share of the top bit.
 */
export function dealComparison(tables: usize, bits: usize, flips: usize, r: usize, table0: usize, triples0: usize, flip0: usize, triples1: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const word = load<u64>(r);
    const body = low(word);
    for (let place = 0; place < 16; place++) {
      const nibble = <u32>(body >> (<u64>nibbleAt(place) << 2)) & 15;
      store<u32>(tables, (((<u32>1) << nibble) - 1 | ((<u32>0x10000) << nibble)) ^ load<u32>(table0));
      tables += 4;
      table0 += 4;
    }
    const t0 = load<u64>(triples0);
    const t1 = load<u64>(triples1);
    let correction: u32 = <u32>((word >> 63) ^ ((t0 >> 62) & 1)) << 30;
    for (let width = 8; width > 0; width >>= 1) correction |= dealFold(triples0, triples1, width) << correctionOffset(width);
    store<u32>(bits, correction);
    store<u64>(flips, ((t0 ^ t1) >> 63) - load<u64>(flip0));
    bits += 4;
    flips += 8;
    r += 8;
    triples0 += 16;
    triples1 += 16;
    flip0 += 8;
  }
}

/** Looks the shares up at the public c = mine + theirs: state = 16 bits less, 16 bits equal (u32 an element). */
export function lookUpComparison(state: usize, mine: usize, theirs: usize, tables: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const body = low(load<u64>(mine) + load<u64>(theirs));
    let less: u32 = 0;
    let equal: u32 = 0;
    for (let place = 0; place < 16; place++) {
      const looked = load<u32>(tables) >> (<u32>(body >> (<u64>nibbleAt(place) << 2)) & 15);
      less |= (looked & 1) << place;
      equal |= ((looked >> 16) & 1) << place;
      tables += 4;
    }
    store<u32>(state, less | (equal << 16));
    state += 4;
    mine += 8;
    theirs += 8;
  }
}

/** What a bank opens for a fold: 3 width masked bits an element, as u32 for width 8 and u16 for the others. */
export function openFold(message: usize, state: usize, triples: usize, n: i32, width: i32): void {
  const word: usize = width == 8 ? 0 : 8;
  const at = <u64>foldOffset(width);
  const mask = (<u32>1 << width) - 1;
  const all = (<u32>1 << (3 * width)) - 1;
  for (let i = 0; i < n; i++) {
    const s = load<u32>(state);
    const lessLow = s & mask;
    const equalLow = (s >> 16) & mask;
    const equalHigh = (s >> (16 + width)) & mask;
    const masked = (equalHigh | (lessLow << width) | (equalLow << (2 * width))) ^ (<u32>(load<u64>(triples + word) >> at) & all);
    if (width == 8) {
      store<u32>(message, masked);
      message += 4;
    } else {
      store<u16>(message, masked);
      message += 2;
    }
    state += 4;
    triples += 16;
  }
}

/**
 * Folds the state to `width` pairs. corrections: the dealer's n u32 for the second bank, 0 for the first, which uses the
 * products in its own triples and adds the public term.
 */
export function closeFold(state: usize, mine: usize, theirs: usize, triples: usize, corrections: usize, n: i32, width: i32): void {
  const word: usize = width == 8 ? 0 : 8;
  const at = <u64>foldOffset(width);
  const mask = (<u32>1 << width) - 1;
  const first = corrections == 0;
  for (let i = 0; i < n; i++) {
    const s = load<u32>(state);
    const open = width == 8 ? load<u32>(mine) ^ load<u32>(theirs) : <u32>(load<u16>(mine) ^ load<u16>(theirs));
    const triple = load<u64>(triples + word) >> at;
    const a = <u32>triple & mask;
    const less = <u32>(triple >> <u64>width) & mask;
    const equal = <u32>(triple >> <u64>(2 * width)) & mask;
    const products = first ? <u32>(triple >> <u64>(3 * width)) : load<u32>(corrections) >> correctionOffset(width);
    const d = open & mask;
    const e = (open >> width) & mask;
    const f = (open >> (2 * width)) & mask;
    let newLess = (d & less) ^ (e & a) ^ (products & mask);
    let newEqual = (d & equal) ^ (f & a) ^ ((products >> width) & mask);
    if (first) {
      newLess ^= d & e;
      newEqual ^= d & f;
    } else {
      corrections += 4;
    }
    newLess ^= (s >> width) & mask;
    store<u32>(state, newLess | (newEqual << 16));
    state += 4;
    triples += 16;
    const step: usize = width == 8 ? 4 : 2;
    mine += step;
    theirs += step;
  }
}

/** The masked sign bit that a bank opens, one byte an element. */
export function openSign(message: usize, state: usize, mine: usize, theirs: usize, triples: usize, corrections: usize, n: i32): void {
  const first = corrections == 0;
  for (let i = 0; i < n; i++) {
    const triple = load<u64>(triples);
    let bit = (load<u32>(state) & 1) ^ <u32>(triple >> 63);
    if (first) {
      bit ^= <u32>((load<u64>(mine) + load<u64>(theirs)) >> 63) ^ (<u32>(triple >> 62) & 1);
    } else {
      bit ^= (load<u32>(corrections) >> 30) & 1;
      corrections += 4;
    }
    store<u8>(message, bit);
    message += 1;
    state += 4;
    mine += 8;
    theirs += 8;
    triples += 16;
  }
}

/** A bank's additive share of [x >= 0] from the opened masked sign bits and its share of the flip bits. */
export function closeSign(out: usize, mine: usize, theirs: usize, flips: usize, n: i32, first: i64): void {
  for (let i = 0; i < n; i++) {
    const negative = <i64>((load<u8>(mine) ^ load<u8>(theirs)) & 1);
    store<i64>(out, (1 - negative) * first - (1 - 2 * negative) * load<i64>(flips));
    out += 8;
    mine += 1;
    theirs += 1;
    flips += 8;
  }
}
