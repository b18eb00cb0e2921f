// Bit matrices of the oblivious-transfer extension: columns come out of the generators, rows are what the protocol works with.

/**
 * Turns 64 x groups columns of `columnBytes` bytes (one after the other) into rows: bit k of column c becomes bit c of row k. A row takes 8
 * bytes a group and starts every `stride` bytes. columnBytes is a multiple of 16. scratch: 1,024 bytes.
 *
 * 64 x 64 bits at a time, two squares side by side in the halves of a vector, in six steps that swap halves of halves.
 */
export function transposeBits(out: usize, stride: usize, columns: usize, groups: i32, columnBytes: usize, scratch: usize): void {
  for (let group = 0; group < groups; group++) {
    const source = columns + ((<usize>group << 6) * columnBytes);
    for (let at: usize = 0; at < columnBytes; at += 16) {
      let from = source + at;
      // The first step swaps whole 32-bit halves and takes its input straight from the columns.
      const far = columnBytes << 5;
      for (let i: usize = 0; i < 32; i++) {
        const a = v128.load(from);
        const b = v128.load(from + far);
        const swapped = v128.and(v128.xor(i64x2.shr_u(a, 32), b), i64x2.splat(0xffffffff));
        v128.store(scratch + (i << 4), v128.xor(a, i64x2.shl(swapped, 32)));
        v128.store(scratch + ((i + 32) << 4), v128.xor(b, swapped));
        from += columnBytes;
      }
      swapHalves(scratch, 16, 0x0000ffff0000ffff);
      swapHalves(scratch, 8, 0x00ff00ff00ff00ff);
      swapHalves(scratch, 4, 0x0f0f0f0f0f0f0f0f);
      swapHalves(scratch, 2, 0x3333333333333333);
      let to = out + (at << 3) * stride + (<usize>group << 3);
      const high = to + (stride << 6);
      let next = high;
      for (let i: usize = 0; i < 64; i += 2) {
        const a = v128.load(scratch + (i << 4));
        const b = v128.load(scratch + (i << 4), 16);
        const swapped = v128.and(v128.xor(i64x2.shr_u(a, 1), b), i64x2.splat(0x5555555555555555));
        const first = v128.xor(a, i64x2.shl(swapped, 1));
        const second = v128.xor(b, swapped);
        store<i64>(to, i64x2.extract_lane(first, 0));
        store<i64>(next, i64x2.extract_lane(first, 1));
        to += stride;
        next += stride;
        store<i64>(to, i64x2.extract_lane(second, 0));
        store<i64>(next, i64x2.extract_lane(second, 1));
        to += stride;
        next += stride;
      }
    }
  }
}

@inline
function swapHalves(scratch: usize, width: i32, mask: i64): void {
  const distance = <usize>width << 4;
  for (let block: usize = 0; block < 1024; block += distance << 1) {
    for (let i: usize = 0; i < distance; i += 16) {
      const at = scratch + block + i;
      const a = v128.load(at);
      const b = v128.load(at + distance);
      const swapped = v128.and(v128.xor(i64x2.shr_u(a, width), b), i64x2.splat(mask));
      v128.store(at, v128.xor(a, i64x2.shl(swapped, width)));
      v128.store(at + distance, v128.xor(b, swapped));
    }
  }
}

/** The sender's rows: row ^ (secret & correction), in place; rows 64 bytes apart, corrections 56. */
export function openRows(rows: usize, corrections: usize, secret: usize, n: i32): void {
  const s0 = v128.load(secret, 0);
  const s1 = v128.load(secret, 16);
  const s2 = v128.load(secret, 32);
  const s3 = load<u64>(secret, 48);
  for (let i = 0; i < n; i++) {
    v128.store(rows, v128.xor(v128.load(rows, 0), v128.and(v128.load(corrections, 0), s0)), 0);
    v128.store(rows, v128.xor(v128.load(rows, 16), v128.and(v128.load(corrections, 16), s1)), 16);
    v128.store(rows, v128.xor(v128.load(rows, 32), v128.and(v128.load(corrections, 32), s2)), 32);
    store<u64>(rows, load<u64>(rows, 48) ^ (load<u64>(corrections, 48) & s3), 48);
    rows += 64;
    corrections += 56;
  }
}
