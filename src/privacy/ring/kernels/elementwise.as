// Element by element operations modulo 2^64 on arrays of n words, and the way between doubles and fixed point.

/** out = a + b */
export function add(out: usize, a: usize, b: usize, n: i32): void {
  const end = out + ((<usize>n) << 3);
  while (out < end) {
    store<i64>(out, load<i64>(a) + load<i64>(b));
    out += 8;
    a += 8;
    b += 8;
  }
}

/** out = a - b */
export function subtract(out: usize, a: usize, b: usize, n: i32): void {
  const end = out + ((<usize>n) << 3);
  while (out < end) {
    store<i64>(out, load<i64>(a) - load<i64>(b));
    out += 8;
    a += 8;
    b += 8;
  }
}

/** out = a factor */
export function scale(out: usize, a: usize, factor: i64, n: i32): void {
  const end = out + ((<usize>n) << 3);
  while (out < end) {
    store<i64>(out, load<i64>(a) * factor);
    out += 8;
    a += 8;
  }
}

/** out = a b, element by element */
export function multiply(out: usize, a: usize, b: usize, n: i32): void {
  const end = out + ((<usize>n) << 3);
  while (out < end) {
    store<i64>(out, load<i64>(a) * load<i64>(b));
    out += 8;
    a += 8;
    b += 8;
  }
}

/** out = value everywhere */
export function fill(out: usize, value: i64, n: i32): void {
  const end = out + ((<usize>n) << 3);
  while (out < end) {
    store<i64>(out, value);
    out += 8;
  }
}

/** out[i] = a[order[i]]: order holds n 32-bit row numbers, a row is `columns` words. */
export function gatherRows(out: usize, a: usize, order: usize, n: i32, columns: i32): void {
  const stride = (<usize>columns) << 3;
  for (let i = 0; i < n; i++) {
    memory.copy(out, a + <usize>load<u32>(order) * stride, stride);
    out += stride;
    order += 4;
  }
}

/** out = transpose(a), with a of rows x columns. */
export function transpose(out: usize, a: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      store<i64>(out + ((<usize>(j * rows + i)) << 3), load<i64>(a));
      a += 8;
    }
  }
}

/** out = round(a * factor), from doubles; the caller has checked that |a * factor| < 2^63. */
export function encode(out: usize, a: usize, factor: f64, n: i32): void {
  const end = out + ((<usize>n) << 3);
  while (out < end) {
    store<i64>(out, <i64>nearest(load<f64>(a) * factor));
    out += 8;
    a += 8;
  }
}

/** out = a * factor, from signed words to doubles. */
export function decode(out: usize, a: usize, factor: f64, n: i32): void {
  const end = out + ((<usize>n) << 3);
  while (out < end) {
    store<f64>(out, <f64>load<i64>(a) * factor);
    out += 8;
    a += 8;
  }
}
