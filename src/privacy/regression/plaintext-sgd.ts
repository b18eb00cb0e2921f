import type { HeldOutMetrics } from './metrics.js';
import { heldOutMetrics } from './metrics.js';
import { batchStart } from './sgd-layout.js';
import { type SgdOptions, stepOf } from './sgd-options.js';
import { isEvaluated } from './sine-options.js';

export interface PlaintextSgdInput {
  readonly options: SgdOptions;
  /** Prepared values of all columns, row by row in the order of the run, without the intercept. */
  readonly values: Float64Array;
  readonly width: number;
  readonly labels: Float64Array;
  /** The exact sigmoid when absent. */
  readonly sigmoid?: (z: number) => number;
}

export interface PlaintextSgdResult {
  /** Intercept first where the options have one. */
  readonly weights: Float64Array;
  readonly evaluations: readonly (HeldOutMetrics & { readonly round: number })[];
  /** Largest |logit| of a training row in its batch: tells whether the period of the sine sigmoid was wide enough. */
  readonly largestLogit: number;
}

/** The same algorithm as SgdBank on pooled data in float64: what the joint run is compared with. It protects nothing. */
export function plaintextSgd(input: PlaintextSgdInput): PlaintextSgdResult {
  const { options, labels } = input;
  const sigmoid = input.sigmoid ?? exactSigmoid;
  const { values, width } = options.intercept ? prependOnes(input.values, input.width, labels.length) : input;
  const weights = new Float64Array(width);
  const gradient = new Float64Array(width);
  const step = stepOf(options);
  const evaluations: (HeldOutMetrics & { round: number })[] = [];
  let largestLogit = 0;
  for (let round = 0; round < options.steps; round++) {
    const start = batchStart(round, options.batchSize, options.trainRows);
    gradient.fill(0);
    for (let k = 0; k < options.batchSize; k++) {
      const row = (start + k) % options.trainRows;
      const z = dot(values, row * width, weights);
      largestLogit = Math.max(largestLogit, Math.abs(z));
      const residual = sigmoid(z) - (labels[row] as number);
      for (let j = 0; j < width; j++) gradient[j] = (gradient[j] as number) + (values[row * width + j] as number) * residual;
    }
    for (let j = 0; j < width; j++) weights[j] = (weights[j] as number) - step * (gradient[j] as number);
    if (isEvaluated(options, round) && labels.length > options.trainRows) {
      evaluations.push({ round, ...scoreHeldOut(values, width, weights, labels, options.trainRows) });
    }
  }
  return { weights, evaluations, largestLogit };
}

/** Metrics of weights on the rows from `trainRows` on. */
export function scoreHeldOut(
  values: Float64Array,
  width: number,
  weights: Float64Array,
  labels: Float64Array,
  trainRows: number,
): HeldOutMetrics {
  const scores = Float64Array.from({ length: labels.length - trainRows }, (_, i) => dot(values, (trainRows + i) * width, weights));
  return heldOutMetrics(scores, labels.subarray(trainRows));
}

export function exactSigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

export function prependOnes(values: Float64Array, width: number, rows: number): { values: Float64Array; width: number } {
  const out = new Float64Array(rows * (width + 1)).fill(1);
  for (let i = 0; i < rows; i++) out.set(values.subarray(i * width, (i + 1) * width), i * (width + 1) + 1);
  return { values: out, width: width + 1 };
}

function dot(values: Float64Array, at: number, weights: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < weights.length; j++) sum += (values[at + j] as number) * (weights[j] as number);
  return sum;
}
