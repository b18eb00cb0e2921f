import type { RandomSource } from '../random-source.js';
import { prepareTarget } from './columns.js';
import { type FullBatch, fitFullBatchBank, fitFullBatchDealer } from './fit-full-batch.js';
import type { BankInput, FitResult } from './fit-sgd.js';
import type { FitHooks } from './held-out.js';
import type { BankLinks, DealerLinks } from './joint-session.js';
import {
  checkLinearOptions,
  fittedRows,
  type LinearOptions,
  linearScoreBits,
  linearTerms,
  linearWeightBits,
  runLinear,
  targetBits,
} from './linear.js';
import { type LinearMetrics, linearMetrics } from './metrics.js';
import { announceFigures, receiveFigures } from './metrics-messages.js';
import { inTargetUnits } from './model-part.js';

/**
 * A bank's side of the joint linear regression: see runLinear. Also learned by all: mean and deviation of the target over the training rows, with
 * which the weights get back its unit. Errors as for fitSgdBank.
 */
export async function fitLinearBank(
  links: BankLinks,
  options: LinearOptions,
  input: BankInput,
  random: RandomSource,
  hooks: FitHooks = {},
): Promise<FitResult<LinearMetrics>> {
  return fitFullBatchBank(links, options, input, random, hooks, (order) => {
    checkLinearOptions(options);
    const { trainRows } = options;
    const target = input.labels && prepareTarget(input.labels.name, input.labels.values, order, trainRows, options.intercept);
    return {
      ...planOf(options, target?.deviation ?? 1),
      labels: target?.values,
      run({ session, ...party }, score) {
        const { ring } = session;
        const count = fittedRows(options);
        const at = ring.allocate(count);
        ring.doubles(at, count).fill(0);
        if (target !== undefined) ring.doubles(at, trainRows).set(target.values.subarray(0, trainRows));
        ring.kernels.encode(at, at, 2 ** targetBits, count);
        return runLinear({ ...party, target: { rows: count, columns: 1, at } }, options).then(() => score(0));
      },
      async finish(session, parts) {
        if (target !== undefined) await announceFigures([session.other, session.dealer], [target.mean, target.deviation]);
        const [mean = 0, deviation = 1] = target === undefined ? await receiveFigures(session.other, 2) : [target.mean, target.deviation];
        return parts.map((part) => inTargetUnits(part, mean, deviation));
      },
    };
  });
}

/** The dealer's side. */
export async function fitLinearDealer(
  links: DealerLinks,
  options: LinearOptions,
  random: RandomSource,
  hooks: FitHooks = {},
): Promise<FitResult<LinearMetrics>> {
  checkLinearOptions(options);
  return fitFullBatchDealer(links, options, random, hooks, {
    ...planOf(options, 1),
    run: (party, score) => runLinear({ ...party, target: { rows: fittedRows(options), columns: 1, at: 0 } }, options).then(() => score(0)),
    async finish(session, parts) {
      const [mean = 0, deviation = 1] = await receiveFigures(session.banks[0], 2);
      return parts.map((part) => inTargetUnits(part, mean, deviation));
    },
  });
}

function planOf(options: LinearOptions, deviation: number): FullBatch<LinearMetrics> {
  return {
    terms: linearTerms(options),
    featureBits: options.featureBits,
    weightBits: linearWeightBits,
    scoreBits: { scores: linearScoreBits(options), labels: targetBits },
    metrics: linearMetrics(deviation),
    widestScore: Number.POSITIVE_INFINITY,
    l2: options.l2,
    fittedRows: fittedRows(options),
  };
}
