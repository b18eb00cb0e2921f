import { requireOption, requirePositive } from './joint-options.js';

/** Options of every fit that takes steps with the sine sigmoid. */
export interface SineOptions {
  readonly steps: number;
  /** Held-out metrics after step 0, n, 2n, ... and the last; 0: after the last only. */
  readonly evaluateEvery: number;
  /** Period of the sine sigmoid, a power of two: faithful while |logit| stays well below half of it. */
  readonly period: number;
  readonly sineTerms: number;
  /** Least scale of the features, bits after the point. */
  readonly featureBits: number;
}

export const sineDefaults = { evaluateEvery: 0, period: 64, sineTerms: 8 } as const satisfies Partial<SineOptions>;

export function checkSineOptions({ steps, evaluateEvery, period, sineTerms, featureBits }: SineOptions): void {
  requirePositive(steps, 'steps');
  requirePositive(featureBits, 'featureBits');
  requireOption(Number.isSafeInteger(evaluateEvery) && evaluateEvery >= 0, 'evaluateEvery', `${evaluateEvery} is no whole number`);
  requireOption(
    Number.isInteger(Math.log2(period)) && period >= 16 && period <= 1024,
    'period',
    `${period} is no power of two from 16 to 1024`,
  );
  requireOption(Number.isSafeInteger(sineTerms) && sineTerms >= 4 && sineTerms <= 64, 'sineTerms', `${sineTerms} is not in 4 to 64`);
}

/** Whether the held-out rows are scored after this step. */
export function isEvaluated({ steps, evaluateEvery }: Pick<SineOptions, 'steps' | 'evaluateEvery'>, step: number): boolean {
  return step === steps - 1 || (evaluateEvery > 0 && step % evaluateEvery === 0);
}
