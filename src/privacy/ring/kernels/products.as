// Matrix products modulo 2^64. All matrices are row-major arrays of 64-bit words; pointers are byte offsets into the
// imported memory. Scalar i64 on purpose: x86 has no 64-bit lane multiply below AVX-512, so SIMD loses here.

/** out = init + a v, with a of rows x columns. init may be out. */
export function matVec(out: usize, init: usize, a: usize, v: usize, rows: i32, columns: i32): void {
  const stride: usize = (<usize>columns) << 3;
  const whole = rows & ~3;
  const pairs = columns & ~1;
  let i = 0;
  for (; i < whole; i += 4) {
    let p0 = a;
    let p1 = a + stride;
    let p2 = p1 + stride;
    let p3 = p2 + stride;
    let s0 = load<i64>(init);
    let s1 = load<i64>(init, 8);
    let s2 = load<i64>(init, 16);
    let s3 = load<i64>(init, 24);
    let q = v;
    let j = 0;
    for (; j < pairs; j += 2) {
      const x = load<i64>(q);
      const y = load<i64>(q, 8);
      s0 += load<i64>(p0) * x + load<i64>(p0, 8) * y;
      s1 += load<i64>(p1) * x + load<i64>(p1, 8) * y;
      s2 += load<i64>(p2) * x + load<i64>(p2, 8) * y;
      s3 += load<i64>(p3) * x + load<i64>(p3, 8) * y;
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
      q += 16;
    }
    if (j < columns) {
      const x = load<i64>(q);
      s0 += load<i64>(p0) * x;
      s1 += load<i64>(p1) * x;
      s2 += load<i64>(p2) * x;
      s3 += load<i64>(p3) * x;
    }
    store<i64>(out, s0);
    store<i64>(out, s1, 8);
    store<i64>(out, s2, 16);
    store<i64>(out, s3, 24);
    a += stride << 2;
    init += 32;
    out += 32;
  }
  for (; i < rows; i++) {
    let s = load<i64>(init);
    let q = v;
    for (let j = 0; j < columns; j++) {
      s += load<i64>(a) * load<i64>(q);
      a += 8;
      q += 8;
    }
    store<i64>(out, s);
    init += 8;
    out += 8;
  }
}

/** out += transpose(a) e, with a of rows x columns: out has `columns` words, e has `rows`. */
export function transposedMatVec(out: usize, a: usize, e: usize, rows: i32, columns: i32): void {
  const stride: usize = (<usize>columns) << 3;
  const whole = rows & ~3;
  const pairs = columns & ~1;
  let i = 0;
  for (; i < whole; i += 4) {
    let p0 = a;
    let p1 = a + stride;
    let p2 = p1 + stride;
    let p3 = p2 + stride;
    const e0 = load<i64>(e);
    const e1 = load<i64>(e, 8);
    const e2 = load<i64>(e, 16);
    const e3 = load<i64>(e, 24);
    let o = out;
    let j = 0;
    for (; j < pairs; j += 2) {
      store<i64>(o, load<i64>(o) + load<i64>(p0) * e0 + load<i64>(p1) * e1 + load<i64>(p2) * e2 + load<i64>(p3) * e3);
      store<i64>(o, load<i64>(o, 8) + load<i64>(p0, 8) * e0 + load<i64>(p1, 8) * e1 + load<i64>(p2, 8) * e2 + load<i64>(p3, 8) * e3, 8);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
      o += 16;
    }
    if (j < columns) {
      store<i64>(o, load<i64>(o) + load<i64>(p0) * e0 + load<i64>(p1) * e1 + load<i64>(p2) * e2 + load<i64>(p3) * e3);
    }
    a += stride << 2;
    e += 32;
  }
  for (; i < rows; i++) {
    const e0 = load<i64>(e);
    let o = out;
    for (let j = 0; j < columns; j++) {
      store<i64>(o, load<i64>(o) + load<i64>(a) * e0);
      a += 8;
      o += 8;
    }
    e += 8;
  }
}

/** out += a b, with a of n x k and b of k x m. */
export function matMul(out: usize, a: usize, b: usize, n: i32, k: i32, m: i32): void {
  for (let i = 0; i < n; i++) {
    // A row of the product is the transposed product of b with a row of a.
    transposedMatVec(out, b, a, k, m);
    out += (<usize>m) << 3;
    a += (<usize>k) << 3;
  }
}

/** out += transpose(a) b, with a of n x p and b of n x q: out has p x q words. */
export function transposedMatMul(out: usize, a: usize, b: usize, n: i32, p: i32, q: i32): void {
  const strideA: usize = (<usize>p) << 3;
  const strideB: usize = (<usize>q) << 3;
  const whole = n & ~3;
  let i = 0;
  for (; i < whole; i += 4) {
    let o = out;
    let a0 = a;
    for (let r = 0; r < p; r++) {
      const e0 = load<i64>(a0);
      const e1 = load<i64>(a0 + strideA);
      const e2 = load<i64>(a0 + (strideA << 1));
      const e3 = load<i64>(a0 + strideA * 3);
      let p0 = b;
      let p1 = b + strideB;
      let p2 = p1 + strideB;
      let p3 = p2 + strideB;
      for (let s = 0; s < q; s++) {
        store<i64>(o, load<i64>(o) + load<i64>(p0) * e0 + load<i64>(p1) * e1 + load<i64>(p2) * e2 + load<i64>(p3) * e3);
        p0 += 8;
        p1 += 8;
        p2 += 8;
        p3 += 8;
        o += 8;
      }
      a0 += 8;
    }
    a += strideA << 2;
    b += strideB << 2;
  }
  for (; i < n; i++) {
    let o = out;
    for (let r = 0; r < p; r++) {
      const e0 = load<i64>(a);
      let p0 = b;
      for (let s = 0; s < q; s++) {
        store<i64>(o, load<i64>(o) + load<i64>(p0) * e0);
        p0 += 8;
        o += 8;
      }
      a += 8;
    }
    b += strideB;
  }
}
