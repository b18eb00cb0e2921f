/** Sigmoid as a sine series with period `period`: 1/2 + sum of coefficients[i] sin(2 pi (2 i + 1) z / period). */
export interface SineSeries {
  readonly period: number;
  readonly terms: number;
  readonly coefficients: Float64Array;
}

/**
 * The Fourier coefficients of the sigmoid whose sign is turned every half period (z and period / 2 - z have the same value),
 * which leaves odd harmonics only: b_k = (4 pi / period) / sinh(2 pi^2 k / period). Eight of them at period 64 do what
 * seventeen harmonics of the plain periodic sigmoid would, and each harmonic costs two words of dealer material an element.
 *
 * Fourier series under a mask: Boura, Chillotti, Gama, Jetchev, Peceny, Petric, "High-Precision Privacy-Preserving
 * Real-Valued Function Evaluation", Financial Cryptography 2018 (IACR ePrint 2017/1234), section 3. The choice of odd
 * harmonics and of a period that is the ring's own modulus is made here.
 */
export function sineSeries(period: number, terms: number): SineSeries {
  const coefficients = Float64Array.from({ length: terms }, (_, i) => coefficientOf(period, 2 * i + 1));
  return { period, terms, coefficients };
}

function coefficientOf(period: number, harmonic: number): number {
  return (4 * Math.PI) / period / Math.sinh((2 * Math.PI ** 2 * harmonic) / period);
}

/** The series in double precision: what the joint run computes up to rounding. */
export function evaluateSeries(series: SineSeries, z: number): number {
  let sum = 0.5;
  for (let i = 0; i < series.terms; i++) {
    sum += (series.coefficients[i] as number) * Math.sin((2 * Math.PI * (2 * i + 1) * z) / series.period);
  }
  return sum;
}

/**
 * Proven bound of |series(z) - sigmoid(z)| for |z| <= bound < period / 2. The turned sigmoid differs from the sigmoid by an
 * alternating falling series that starts with exp(bound - period / 2); what is cut off is at most the sum of the other coefficients,
 * which fall faster than geometrically.
 */
export function seriesErrorBound(series: SineSeries, bound: number): number {
  const first = coefficientOf(series.period, 2 * series.terms + 1);
  const ratio = Math.exp((-4 * Math.PI ** 2) / series.period);
  return Math.exp(bound - series.period / 2) + first / (1 - ratio);
}
