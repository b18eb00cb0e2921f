// Sine series on a masked angle. A word t stands for the angle t / 2^64 of a full turn, so the ring's own wrap-around is
// the period. Both banks must get bit-identical coefficients: only + - * and rounding are used here, which WebAssembly
// fixes to the last bit on every machine, unlike a library's sin().

// Adding 1.5 * 2^52 leaves the rounded integer in the low bits of the double.
const MAGIC: f64 = 6755399441055744.0;
const MAGIC_BITS: i64 = 0x4338000000000000;

@inline
function round(x: f64): i64 {
  return reinterpret<i64>(x + MAGIC) - MAGIC_BITS;
}

@inline
function sinQuarter(u: f64): f64 {
  // Taylor about 0 in quarter turns, |u| <= 1/2; the next term is below 2e-11.
  const v = u * u;
  return u * (1.5707963267948966 + v * (-0.6459640975062462 + v * (0.07969262624616703 + v * (-0.004681754135318687 + v * (0.00016044118478735975 - v * 3.5988432352120836e-6)))));
}

@inline
function cosQuarter(u: f64): f64 {
  const v = u * u;
  return 1.0 + v * (-1.2337005501361697 + v * (0.25366950790104797 + v * (-0.020863480763352957 + v * (0.0009192602748394262 + v * (-2.5202042373060595e-5 + v * 4.710874778818169e-7)))));
}

/**
 * The dealer's part: cos and sin of k theta at `scale` for k = 1, 3, ... 2 terms - 1 and theta the angle of each word of r,
 * minus the other bank's share. Element by element, `terms` words each.
 */
export function dealTrig(cosOut: usize, sinOut: usize, cosShare: usize, sinShare: usize, r: usize, rows: i32, terms: i32, scale: f64): void {
  for (let i = 0; i < rows; i++) {
    const y = <f64>load<i64>(r) * (4.0 / 18446744073709551616.0);
    const q = nearest(y);
    const u = y - q;
    const quadrant = <i32>q & 3;
    const a = sinQuarter(u);
    const b = cosQuarter(u);
    let s = quadrant & 1 ? b : a;
    let c = quadrant & 1 ? a : b;
    s = quadrant & 2 ? -s : s;
    c = (quadrant + 1) & 2 ? -c : c;
    const twice = 2.0 - 4.0 * s * s;
    s *= scale;
    c *= scale;
    let sBefore = -s;
    let cBefore = c;
    for (let k = 0; k < terms; k++) {
      store<i64>(cosOut, round(c) - load<i64>(cosShare));
      store<i64>(sinOut, round(s) - load<i64>(sinShare));
      const sNext = twice * s - sBefore;
      const cNext = twice * c - cBefore;
      sBefore = s;
      cBefore = c;
      s = sNext;
      c = cNext;
      cosOut += 8;
      sinOut += 8;
      cosShare += 8;
      sinShare += 8;
    }
    r += 8;
  }
}

/**
 * A bank's part: out[i] = sum over k of coefficient[k] (sin(k t) cosShare - cos(k t) sinShare), with t the sum of the two
 * halves of the opened masked logit. Rounded coefficients are public, so this is linear in the shares.
 */
export function sineOfMasked(out: usize, mine: usize, theirs: usize, cosShare: usize, sinShare: usize, coefficients: usize, rows: i32, terms: i32): void {
  for (let i = 0; i < rows; i++) {
    const y = <f64>(load<i64>(mine) + load<i64>(theirs)) * (4.0 / 18446744073709551616.0);
    const q = nearest(y);
    const u = y - q;
    const quadrant = <i32>q & 3;
    const a = sinQuarter(u);
    const b = cosQuarter(u);
    let s = quadrant & 1 ? b : a;
    let c = quadrant & 1 ? a : b;
    s = quadrant & 2 ? -s : s;
    c = (quadrant + 1) & 2 ? -c : c;
    const twice = 2.0 - 4.0 * s * s;
    let sBefore = -s;
    let cBefore = c;
    let sum: i64 = 0;
    let coefficient = coefficients;
    for (let k = 0; k < terms; k++) {
      const f = load<f64>(coefficient);
      sum += round(f * s) * load<i64>(cosShare) - round(f * c) * load<i64>(sinShare);
      const sNext = twice * s - sBefore;
      const cNext = twice * c - cBefore;
      sBefore = s;
      cBefore = c;
      s = sNext;
      c = cNext;
      coefficient += 8;
      cosShare += 8;
      sinShare += 8;
    }
    store<i64>(out, sum);
    out += 8;
    mine += 8;
    theirs += 8;
  }
}
