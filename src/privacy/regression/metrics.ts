import type { MetricKind } from './held-out.js';

/** Quality on rows that the fit did not see. */
export interface HeldOutMetrics {
  readonly auc: number;
  /** Kolmogorov-Smirnov: largest distance between the score distributions of the two classes. */
  readonly ks: number;
  readonly accuracy: number;
  /** Mean logistic loss. */
  readonly loss: number;
}

/** From logits and their 0/1 labels, in any common order. Equal scores count half in the AUC. */
export function heldOutMetrics(scores: Float64Array, labels: ArrayLike<number>): HeldOutMetrics {
  const positives = pick(scores, labels, 1);
  const negatives = pick(scores, labels, 0);
  let right = 0;
  let loss = 0;
  for (let i = 0; i < scores.length; i++) {
    const z = scores[i] as number;
    const label = labels[i] as number;
    if (z > 0 === (label === 1)) right += 1;
    loss += Math.max(z, 0) - z * label + Math.log1p(Math.exp(-Math.abs(z)));
  }
  return { ...rankMetrics(positives, negatives), accuracy: right / scores.length, loss: loss / scores.length };
}

export const logisticMetrics: MetricKind<HeldOutMetrics> = {
  count: 4,
  compute: heldOutMetrics,
  toFigures: ({ auc, ks, accuracy, loss }) => [auc, ks, accuracy, loss],
  fromFigures: ([auc = 0, ks = 0, accuracy = 0, loss = 0]) => ({ auc, ks, accuracy, loss }),
  // The line that the original project wrote to its log.
  line: (round, { auc }) => `AUC at round ${round}: ${auc}`,
};

/** Quality of a linear fit on rows that it did not see, in the target's own unit. */
export interface LinearMetrics {
  readonly r2: number;
  readonly rmse: number;
  readonly mae: number;
}

/** The scores and labels are standardised; `deviation` brings errors back to the target's unit. */
export function linearMetrics(deviation: number): MetricKind<LinearMetrics> {
  return {
    count: 3,
    compute(scores, labels) {
      const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
      let squares = 0;
      let total = 0;
      let absolute = 0;
      labels.forEach((label, i) => {
        const error = (scores[i] as number) - label;
        squares += error ** 2;
        absolute += Math.abs(error);
        total += (label - mean) ** 2;
      });
      return { r2: 1 - squares / total, rmse: deviation * Math.sqrt(squares / labels.length), mae: (deviation * absolute) / labels.length };
    },
    toFigures: ({ r2, rmse, mae }) => [r2, rmse, mae],
    fromFigures: ([r2 = 0, rmse = 0, mae = 0]) => ({ r2, rmse, mae }),
    line: (round, { r2, rmse }) => `R2 at round ${round}: ${r2}, RMSE ${rmse}`,
  };
}

function pick(scores: Float64Array, labels: ArrayLike<number>, label: number): Float64Array {
  return scores.filter((_, i) => labels[i] === label).sort();
}

/** Both arrays sorted: one merge gives the rank sum and the largest distance. */
function rankMetrics(positives: Float64Array, negatives: Float64Array): { auc: number; ks: number } {
  let p = 0;
  let n = 0;
  let pairs = 0;
  let ks = 0;
  while (p < positives.length || n < negatives.length) {
    const score = Math.min(positives[p] ?? Number.POSITIVE_INFINITY, negatives[n] ?? Number.POSITIVE_INFINITY);
    const below = n;
    while (n < negatives.length && (negatives[n] as number) <= score) n += 1;
    while (p < positives.length && (positives[p] as number) <= score) {
      pairs += below + (n - below) / 2;
      p += 1;
    }
    ks = Math.max(ks, Math.abs(p / positives.length - n / negatives.length));
  }
  return { auc: pairs / (positives.length * negatives.length), ks };
}
