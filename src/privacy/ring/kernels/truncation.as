// Exact truncation on the opened masked value: see sharing/truncation in the bank's and the dealer's arithmetic.

/** The dealer's part: r >> shift and the top bit of r, each minus the other bank's share. r is read as unsigned. */
export function dealTruncation(shiftedOut: usize, topOut: usize, r: usize, shiftedShare: usize, topShare: usize, n: i32, shift: i32): void {
  for (let i = 0; i < n; i++) {
    const word = load<u64>(r);
    store<u64>(shiftedOut, (word >> (<u64>shift)) - load<u64>(shiftedShare));
    store<u64>(topOut, (word >> 63) - load<u64>(topShare));
    shiftedOut += 8;
    topOut += 8;
    shiftedShare += 8;
    topShare += 8;
    r += 8;
  }
}

/**
 * A bank's part: its share of floor(x / 2^shift) or that plus one, from the two halves of c = x + 2^62 + r.
 * first: 1 for the bank that adds the public terms, else 0.
 */
export function truncateMasked(out: usize, mine: usize, theirs: usize, shifted: usize, top: usize, n: i32, shift: i32, first: i64): void {
  const s = <u64>shift;
  const offset = (<u64>1) << (62 - s);
  const wrap = (<u64>1) << (64 - s);
  for (let i = 0; i < n; i++) {
    const c = load<u64>(mine) + load<u64>(theirs);
    const open = ((c >> s) - offset) * <u64>first;
    store<u64>(out, open - load<u64>(shifted) + (1 - (c >> 63)) * wrap * load<u64>(top));
    out += 8;
    mine += 8;
    theirs += 8;
    shifted += 8;
    top += 8;
  }
}
