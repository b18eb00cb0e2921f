import { describe, expect, it } from 'vitest';
import { exactSigmoid } from '../../../src/privacy/regression/plaintext-sgd.js';
import { planScales, residualErrorBound } from '../../../src/privacy/regression/scale-plan.js';
import { evaluateSeries, seriesErrorBound, sineSeries } from '../../../src/privacy/ring/sine-series.js';

describe('sine series of the sigmoid', () => {
  it.each([
    [64, 6],
    [64, 8],
    [64, 12],
    [32, 6],
    [128, 16],
  ])('stays within its proven bound for period %i and %i terms', (period, terms) => {
    const series = sineSeries(period, terms);
    for (const share of [0.1, 0.25, 0.5, 0.75, 0.9]) {
      const bound = (share * period) / 2;
      let worst = 0;
      for (let z = -bound; z <= bound; z += 0.01) worst = Math.max(worst, Math.abs(evaluateSeries(series, z) - exactSigmoid(z)));
      expect(worst).toBeLessThanOrEqual(seriesErrorBound(series, bound));
    }
  });

  it('is within 0.005 of the sigmoid at the defaults, and stays bounded beyond the period', () => {
    const series = sineSeries(64, 8);
    expect(seriesErrorBound(series, 24)).toBeLessThan(0.005);
    for (let z = -500; z <= 500; z += 0.37) {
      const value = evaluateSeries(series, z);
      expect(value).toBeGreaterThan(-0.02);
      expect(value).toBeLessThan(1.02);
    }
  });

  it('is odd about one half and turns at half the period', () => {
    const series = sineSeries(64, 8);
    for (let z = 0; z < 32; z += 0.7) {
      expect(evaluateSeries(series, z) + evaluateSeries(series, -z)).toBeCloseTo(1, 12);
      expect(evaluateSeries(series, z)).toBeCloseTo(evaluateSeries(series, 32 - z), 12);
    }
  });
});

describe('scales', () => {
  it('make the ring the period: features x weights = logits, features x residuals = weights', () => {
    const scales = planScales({ period: 64, featureBits: 8, step: 0.01 / 256, weightBound: 900 });
    expect(scales).toEqual({ featureBits: 8, weightBits: 50, logitBits: 58, residualBits: 42, trigBits: 14, coefficientBits: 28 });
  });

  it('lower the weights when their bound is large', () => {
    const scales = planScales({ period: 64, featureBits: 8, step: 0.01, weightBound: 250_000 });
    expect(scales.weightBits + 18).toBeLessThanOrEqual(63);
    expect(scales.featureBits + scales.weightBits).toBe(58);
  });

  it('refuse a learning rate that leaves nothing of the sigmoid', () => {
    expect(() => planScales({ period: 64, featureBits: 8, step: 2 ** -40, weightBound: 1 })).toThrow(/learning rate/);
  });

  it('bound the rounding of a residual to a small share of the step', () => {
    const step = 0.01 / 256;
    const scales = planScales({ period: 64, featureBits: 8, step, weightBound: 900 });
    const bound = residualErrorBound(scales, sineSeries(64, 8).coefficients, step);
    expect(bound / step).toBeLessThan(0.001);
    expect(bound).toBeGreaterThan(0);
  });
});
