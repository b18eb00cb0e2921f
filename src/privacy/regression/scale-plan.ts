import { ToolkitError } from '../../errors/toolkit-error.js';

/**
 * Where the binary point lies in every kind of ring word of the joint fit: a value v at b bits is the word round(v 2^b). The
 * scales are chosen so that nothing ever needs truncation: features x weights = logits, with the ring's modulus 2^64 equal to
 * one period of the sine series, and features x residuals = weights.
 */
export interface ScalePlan {
  readonly featureBits: number;
  readonly weightBits: number;
  readonly logitBits: number;
  readonly residualBits: number;
  /** Scale of the dealer's cosines and sines; trigBits + coefficientBits = residualBits. */
  readonly trigBits: number;
  readonly coefficientBits: number;
}

export interface ScaleRequest {
  /** Period of the sine series in units of the logit, a power of two. */
  readonly period: number;
  /** Smallest scale of features that is wanted. */
  readonly featureBits: number;
  /** What multiplies a residual before it meets the features: the learning rate, over the batch size for the mean. */
  readonly step: number;
  /** Proven bound of every weight over the whole run. */
  readonly weightBound: number;
}

/** Cosines at fewer bits than this would be noise; learning would still be unbiased, but poor. */
const leastTrigBits = 7;

/**
 * Raises the feature scale (and so lowers that of weights) until the bound of the weights fits 63 bits, and splits the
 * residual's bits evenly between the dealer's values and the public coefficients. Errors: DT_INPUT_INVALID when a learning
 * rate, step count or clip leaves no room.
 */
export function planScales(request: ScaleRequest): ScalePlan {
  const logitBits = 64 - Math.log2(request.period);
  const weightRange = Math.ceil(Math.log2(Math.max(request.weightBound, 1)));
  const featureBits = Math.max(request.featureBits, logitBits - (63 - weightRange));
  const weightBits = logitBits - featureBits;
  const residualBits = weightBits - featureBits;
  const trigBits = Math.round((residualBits + Math.log2(request.step)) / 2);
  if (!Number.isInteger(logitBits) || trigBits < leastTrigBits || trigBits > 40) {
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'The combination of learning rate, steps, batch size and clip',
      reason: `64-bit fixed point leaves ${trigBits} bits for the sigmoid where ${leastTrigBits} to 40 are possible`,
    });
  }
  return { featureBits, weightBits, logitBits, residualBits, trigBits, coefficientBits: residualBits - trigBits };
}

/**
 * Proven bound of the rounding error of one residual, in units of the step: the sine terms meet two roundings each (of the public
 * coefficient and of the dealer's value), the label's term one. kernelError bounds the kernels' polynomial sines.
 */
export function residualErrorBound(scales: ScalePlan, coefficients: Float64Array, step: number): number {
  const kernelError = 2 ** -26;
  const total = coefficients.reduce((sum, b) => sum + Math.abs(b), 0) * step * 2 ** scales.coefficientBits;
  const words = coefficients.length * (2 ** scales.trigBits + 1) + total * (1 + kernelError * 2 ** scales.trigBits) + 1;
  return words * 2 ** -scales.residualBits;
}
