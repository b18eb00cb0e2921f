import type { RandomSource } from '../random-source.js';
import { prepareLabels } from './columns.js';
import { type FullBatch, fitFullBatchBank, fitFullBatchDealer } from './fit-full-batch.js';
import type { BankInput, FitResult } from './fit-sgd.js';
import {
  checkFixedHessianOptions,
  type FixedHessianOptions,
  fixedHessianScales,
  fixedHessianTerms,
  hessianStep,
  runFixedHessian,
} from './fixed-hessian.js';
import type { FitHooks } from './held-out.js';
import type { BankLinks, DealerLinks } from './joint-session.js';
import { type HeldOutMetrics, logisticMetrics } from './metrics.js';
import { isEvaluated } from './sine-options.js';
import { BankResiduals, DealerResiduals, widestLogit } from './sine-residuals.js';

/** A bank's side of the full-batch logistic fit: see runFixedHessian. Errors as for fitSgdBank. */
export async function fitFixedHessianBank(
  links: BankLinks,
  options: FixedHessianOptions,
  input: BankInput,
  random: RandomSource,
  hooks: FitHooks = {},
): Promise<FitResult<HeldOutMetrics>> {
  return fitFullBatchBank(links, options, input, random, hooks, (order) => {
    checkFixedHessianOptions(options);
    const labels = input.labels && prepareLabels(input.labels.name, input.labels.values, order, options.trainRows);
    const scales = fixedHessianScales(options);
    const { trainRows } = options;
    return {
      ...planOf(options),
      labels,
      run({ session, ...party }, score) {
        const residuals = new BankResiduals(session, options, scales, trainRows, hessianStep(trainRows), labels);
        return runFixedHessian({ ...party, residuals }, options, scales, (step) => (isEvaluated(options, step) ? score(step) : undefined));
      },
      finish: (_, parts) => Promise.resolve(parts),
    };
  });
}

/** The dealer's side. */
export async function fitFixedHessianDealer(
  links: DealerLinks,
  options: FixedHessianOptions,
  random: RandomSource,
  hooks: FitHooks = {},
): Promise<FitResult<HeldOutMetrics>> {
  checkFixedHessianOptions(options);
  const scales = fixedHessianScales(options);
  return fitFullBatchDealer(links, options, random, hooks, {
    ...planOf(options),
    run({ session, ...party }, score) {
      const residuals = new DealerResiduals(session, options, scales, options.trainRows);
      return runFixedHessian({ ...party, residuals }, options, scales, (step) => (isEvaluated(options, step) ? score(step) : undefined));
    },
    finish: (_, parts) => Promise.resolve(parts),
  });
}

function planOf(options: FixedHessianOptions): FullBatch<HeldOutMetrics> {
  const { featureBits, weightBits, logitBits } = fixedHessianScales(options);
  return {
    terms: fixedHessianTerms(options),
    featureBits,
    weightBits,
    scoreBits: { scores: logitBits, labels: 0 },
    metrics: logisticMetrics,
    widestScore: widestLogit(options.period),
    l2: 0,
    fittedRows: options.trainRows,
  };
}
