/**
 * Logistic regression once more, by other means than the operator's: quasi-Newton steps on the columns as they are, a Hessian by
 * differences of the gradient, counting of all pairs. Slow and plain, so that agreement says something.
 */
export interface Problem {
  /** Without the intercept. */
  readonly x: readonly (readonly number[])[];
  readonly y: readonly number[];
  /** One for each column; the intercept is free. */
  readonly penalty: readonly number[];
}

/** Gradient of the penalised negative log-likelihood over the number of rows, and that value. The intercept comes first. */
export function gradientOf({ x, y, penalty }: Problem, beta: readonly number[]): { value: number; gradient: number[] } {
  const gradient = beta.map((b, j) => (j === 0 ? 0 : (penalty[j - 1] ?? 0) * b));
  let value = beta.reduce((sum, b, j) => sum + (j === 0 ? 0 : ((penalty[j - 1] ?? 0) * b * b) / 2), 0);
  x.forEach((row, i) => {
    const eta = row.reduce((sum, cell, j) => sum + cell * (beta[j + 1] ?? 0), beta[0] ?? 0);
    const label = y[i] ?? 0;
    const p = 1 / (1 + Math.exp(-eta));
    const against = label === 1 ? -eta : eta;
    value += against > 700 ? against : Math.log(1 + Math.exp(against));
    gradient[0] = (gradient[0] ?? 0) + p - label;
    row.forEach((cell, j) => {
      gradient[j + 1] = (gradient[j + 1] ?? 0) + (p - label) * cell;
    });
  });
  return { value: value / y.length, gradient: gradient.map((g) => g / y.length) };
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const plus = (a: readonly number[], b: readonly number[], times: number): number[] => a.map((value, i) => value + times * (b[i] ?? 0));

/** BFGS with an Armijo line search (Nocedal and Wright 2006, algorithm 6.1), until the gradient is as good as zero. */
export function fitByBfgs(problem: Problem): number[] {
  const width = (problem.x[0]?.length ?? 0) + 1;
  let beta = Array.from({ length: width }, () => 0);
  let inverse = identity(width);
  let now = gradientOf(problem, beta);
  for (let step = 0; step < 2000 && Math.max(...now.gradient.map(Math.abs)) > 1e-10; step += 1) {
    let direction = inverse.map((row) => -dot(row, now.gradient));
    if (dot(direction, now.gradient) >= 0) {
      inverse = identity(width);
      direction = now.gradient.map((g) => -g);
    }
    let length = 1;
    while (
      length > 1e-14 &&
      !(gradientOf(problem, plus(beta, direction, length)).value <= now.value + 1e-4 * length * dot(direction, now.gradient))
    )
      length /= 2;
    const moved = plus(beta, direction, length);
    const next = gradientOf(problem, moved);
    inverse = updated(inverse, plus(moved, beta, -1), plus(next.gradient, now.gradient, -1));
    beta = moved;
    now = next;
  }
  return beta;
}

const identity = (width: number): number[][] =>
  Array.from({ length: width }, (_, i) => Array.from({ length: width }, (_, j) => (i === j ? 1 : 0)));

function updated(inverse: readonly number[][], s: readonly number[], y: readonly number[]): number[][] {
  const curvature = dot(s, y);
  if (!(curvature > 1e-300)) return inverse.map((row) => [...row]);
  const hy = inverse.map((row) => dot(row, y));
  const scale = (1 + dot(y, hy) / curvature) / curvature;
  return inverse.map((row, i) =>
    row.map(
      (value, j) => value + scale * (s[i] ?? 0) * (s[j] ?? 0) - ((hy[i] ?? 0) * (s[j] ?? 0) + (s[i] ?? 0) * (hy[j] ?? 0)) / curvature,
    ),
  );
}

/** Hessian of the negative log-likelihood (not over the rows) by central differences of its gradient. */
export function hessianByDifferences(problem: Problem, beta: readonly number[]): number[][] {
  return beta.map((b, j) => {
    const h = 1e-4 * Math.max(Math.abs(b), 1e-3);
    const at = (shift: number): number[] =>
      gradientOf(
        problem,
        beta.map((value, k) => (k === j ? value + shift : value)),
      ).gradient;
    return plus(at(h), at(-h), -1).map((difference) => (difference / (2 * h)) * problem.y.length);
  });
}

/** Gauss and Jordan, with the largest pivot. */
export function inverted(matrix: readonly (readonly number[])[]): number[][] {
  const width = matrix.length;
  const work = matrix.map((row, i) => [...row, ...(identity(width)[i] ?? [])]);
  for (let j = 0; j < width; j += 1) {
    const pivot = work.slice(j).reduce((best, row, i) => (Math.abs(row[j] ?? 0) > Math.abs(work[best]?.[j] ?? 0) ? i + j : best), j);
    [work[j], work[pivot]] = [work[pivot] ?? [], work[j] ?? []];
    const lead = work[j]?.[j] ?? 0;
    work[j] = (work[j] ?? []).map((value) => value / lead);
    for (let i = 0; i < width; i += 1) if (i !== j) work[i] = plus(work[i] ?? [], work[j] ?? [], -(work[i]?.[j] ?? 0));
  }
  return work.map((row) => row.slice(width));
}

export const times = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] =>
  a.map((row) =>
    (b[0] ?? []).map((_, j) =>
      dot(
        row,
        b.map((other) => other[j] ?? 0),
      ),
    ),
  );

/** Wins of bad over good among all pairs, ties a half; and the widest gap between the two shares at or above any score. */
export function rankByCounting(scores: readonly number[], y: readonly number[]): { auc: number; ks: number } {
  const bad = Float64Array.from(scores.filter((_, i) => y[i] === 1));
  const good = Float64Array.from(scores.filter((_, i) => y[i] === 0));
  let wins = 0;
  for (const b of bad) for (const g of good) wins += b > g ? 1 : b === g ? 0.5 : 0;
  const above = (list: Float64Array, cut: number): number => {
    let count = 0;
    for (const value of list) if (value >= cut) count += 1;
    return count / list.length;
  };
  const ks = scores.reduce((widest, cut) => Math.max(widest, Math.abs(above(bad, cut) - above(good, cut))), 0);
  return { auc: wins / bad.length / good.length, ks };
}

/** Two-sided p-value by Simpson's rule over the normal density. */
export function pBySimpson(z: number): number {
  const from = Math.abs(z);
  const steps = 20_000;
  const h = 12 / steps;
  const density = (v: number): number => Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(from) + density(from + 12);
  for (let i = 1; i < steps; i += 1) sum += density(from + i * h) * (i % 2 === 1 ? 4 : 2);
  return (2 * sum * h) / 3;
}

/** The rows that the operator's header says are held out. */
export function heldOut(count: number, fraction: number, seed: number): ReadonlySet<number> {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1) >>> 0;
    t = (t ^ (t + Math.imul(t ^ (t >>> 7), t | 61))) >>> 0;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = Math.floor(next() * (i + 1));
    const kept = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = kept;
  }
  return new Set(order.slice(0, Math.round(count * fraction)));
}
