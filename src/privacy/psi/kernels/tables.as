// Hash tables of digests and tags, and the orders of items. Digests are 16 bytes and look uniform, so their bits are hash values.

/** Bin of each item in each of three regions of `bins` bins: 3 x u32 an item, from 16 uniform bytes an item. */
export function locate(out: usize, words: usize, n: i32, bins: u32): void {
  for (let i = 0; i < n; i++) {
    store<u32>(out, <u32>((<u64>load<u32>(words, 0) * <u64>bins) >> 32), 0);
    store<u32>(out, <u32>((<u64>load<u32>(words, 4) * <u64>bins) >> 32), 4);
    store<u32>(out, <u32>((<u64>load<u32>(words, 8) * <u64>bins) >> 32), 8);
    out += 12;
    words += 16;
  }
}

/**
 * Puts n items into 3 x bins bins, at most one a bin: an item that finds no free bin pushes another one out. table: u32 a bin, item + 1, zero at
 * the start. locations: of locate. Returns 1, or 0 when an item has moved others `limit` times.
 */
export function cuckoo(table: usize, locations: usize, n: i32, bins: u32, limit: i32, seed: u32): i32 {
  let state: u32 = seed | 1;
  const region = <usize>bins << 2;
  for (let i = 0; i < n; i++) {
    let item = <u32>i;
    let barred: usize = 0;
    for (let step = 0; ; step++) {
      const at = locations + <usize>item * 12;
      const a = table + (<usize>load<u32>(at, 0) << 2);
      const b = table + region + (<usize>load<u32>(at, 4) << 2);
      const c = table + region + region + (<usize>load<u32>(at, 8) << 2);
      if (load<u32>(a) == 0) {
        store<u32>(a, item + 1);
        break;
      }
      if (load<u32>(b) == 0) {
        store<u32>(b, item + 1);
        break;
      }
      if (load<u32>(c) == 0) {
        store<u32>(c, item + 1);
        break;
      }
      if (step == limit) return 0;
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      // Not back to the bin that the item has just been pushed out of.
      const first = a == barred ? b : a;
      const second = c == barred ? b : c;
      const place = barred == 0 && state % 3 == 0 ? b : (state >> 8) & 1 ? first : second;
      const evicted = load<u32>(place) - 1;
      store<u32>(place, item + 1);
      item = evicted;
      barred = place;
    }
  }
  return 1;
}

/** out[i] = digests[order[i]] */
export function gatherDigests(out: usize, digests: usize, order: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    v128.store(out, v128.load(digests + (<usize>load<u32>(order) << 4)));
    order += 4;
    out += 16;
  }
}

@inline
function sameDigest(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8);
}

/**
 * Keeps the first of equal digests, in place. rows: u32 an item, filled with the place that each kept one had. table: mask + 1 words u32,
 * zero. Returns how many are left; firstRepeat gets the place of the first one that was dropped and of the one that it repeats.
 */
export function keepFirst(digests: usize, rows: usize, n: i32, table: usize, mask: u32, firstRepeat: usize): i32 {
  let kept = 0;
  for (let i = 0; i < n; i++) {
    const from = digests + (<usize>i << 4);
    let slot = load<u32>(from) & mask;
    let found: u32 = 0;
    while (true) {
      const entry = load<u32>(table + (<usize>slot << 2));
      if (entry == 0) break;
      if (sameDigest(digests + (<usize>(entry - 1) << 4), from)) {
        found = entry;
        break;
      }
      slot = (slot + 1) & mask;
    }
    if (found != 0) {
      if (kept == i) {
        store<u32>(firstRepeat, <u32>i, 0);
        store<u32>(firstRepeat, load<u32>(rows + (<usize>(found - 1) << 2)), 4);
      }
      continue;
    }
    v128.store(digests + (<usize>kept << 4), v128.load(from));
    store<u32>(rows + (<usize>kept << 2), <u32>i);
    kept += 1;
    store<u32>(table + (<usize>slot << 2), <u32>kept);
  }
  return kept;
}

/** Table of the tags of the occupied bins of a region: 8 bytes a slot, 4 of the tag and bin + 1. tags: 16 bytes a bin. bins: u32 a bin. */
export function fillTags(table: usize, mask: u32, tags: usize, bins: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    if (load<u32>(bins + (<usize>i << 2)) == 0) continue;
    const tag = load<u64>(tags + (<usize>i << 4));
    let slot = <u32>tag & mask;
    while (load<u64>(table + (<usize>slot << 3)) != 0) slot = (slot + 1) & mask;
    store<u64>(table + (<usize>slot << 3), (tag & 0xffffffff00000000) | <u64>(i + 1));
  }
}

/**
 * Looks n tags of `width` (8 to 16) bytes up. Where one is found, matches[item] = position + 1, u32. Returns how many were.
 * Reads 16 bytes from the start of the last tag.
 */
export function matchTags(
  matches: usize,
  table: usize,
  mask: u32,
  tags: usize,
  bins: usize,
  received: usize,
  width: i32,
  n: i32,
  firstPosition: u32,
): i32 {
  let found = 0;
  const tail: u64 = width == 16 ? <u64>-1 : (<u64>1 << (<u64>(width - 8) << 3)) - 1;
  for (let i = 0; i < n; i++) {
    const low = load<u64>(received);
    const high = load<u64>(received, 8) & tail;
    const wanted = <u32>(low >> 32);
    let slot = <u32>low & mask;
    while (true) {
      const entry = load<u64>(table + (<usize>slot << 3));
      if (entry == 0) break;
      if (<u32>(entry >> 32) == wanted) {
        const bin = <usize>(<u32>entry - 1);
        const own = tags + (bin << 4);
        if (load<u64>(own) == low && (load<u64>(own, 8) & tail) == high) {
          const item = <usize>(load<u32>(bins + (bin << 2)) - 1);
          store<u32>(matches + (item << 2), firstPosition + <u32>i + 1);
          found += 1;
          break;
        }
      }
      slot = (slot + 1) & mask;
    }
    received += width;
  }
  return found;
}

/** order = 0, 1, 2 ... */
export function countUp(order: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<u32>(order + (<usize>i << 2), <u32>i);
}

/**
 * Fisher-Yates from place `from` downwards, with as many uniform u32 as `words` holds; a word outside the largest multiple of the range is
 * thrown away, so that every order is equally likely. Returns the place where to go on; done at 0.
 */
export function shuffle(order: usize, from: i32, words: usize, n: i32): i32 {
  let i = <u32>from;
  for (let used = 0; used < n && i > 0; used++) {
    const range = i + 1;
    const product = <u64>load<u32>(words + (<usize>used << 2)) * <u64>range;
    const low = <u32>product;
    if (low < range && low < (0 - range) % range) continue;
    const j = <usize>(product >> 32);
    const at = order + (<usize>i << 2);
    const other = order + (j << 2);
    const kept = load<u32>(at);
    store<u32>(at, load<u32>(other));
    store<u32>(other, kept);
    i -= 1;
  }
  return <i32>i;
}
