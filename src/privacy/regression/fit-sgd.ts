import { runParty } from '../party.js';
import type { RandomSource } from '../random-source.js';
import { type Columns, prepareColumns, prepareLabels } from './columns.js';
import { BankHeldOut, DealerHeldOut, type Evaluation, type FitHooks } from './held-out.js';
import { fittedWidths, testRowsOf } from './joint-options.js';
import { type BankLinks, type DealerLinks, openBankSession, openDealerSession, sayDone } from './joint-session.js';
import { drawColumnMasks, exchangeMaskedColumns } from './masked-columns.js';
import { type HeldOutMetrics, logisticMetrics } from './metrics.js';
import { type ModelPart, partFrame } from './model-part.js';
import { noteClipped } from './note-clipped.js';
import { revealToBank, revealToDealer } from './reveal-model.js';
import { orderRows } from './row-order.js';
import { SgdBank } from './sgd-bank.js';
import { SgdDealer } from './sgd-dealer.js';
import { checkSgdOptions, type SgdOptions, sgdScales, sgdTerms } from './sgd-options.js';
import { BankScoring, DealerScoring } from './shuffled-scores.js';
import { isEvaluated } from './sine-options.js';
import { widestLogit } from './sine-residuals.js';
import { allocateSplitWeights } from './split-weights.js';

export interface FitResult<Metrics> {
  /** The parts of the model that this party is told: see JointOptions.modelTo. */
  readonly parts: readonly ModelPart[];
  readonly evaluations: readonly Evaluation<Metrics>[];
  /** Time from the end of the set-up (keys, masked columns) to the last step, milliseconds. */
  readonly trainMs: number;
}

export interface BankInput {
  readonly columns: Columns;
  /** The labels make a bank the first one; the other has none. */
  readonly labels?: { readonly name: string; readonly values: ArrayLike<number> };
}

/**
 * A bank's side of the joint logistic regression by stochastic gradient descent: checks its data, meets the others, trains, scores the
 * held-out rows and takes its part of the model. See SgdBank, BankScoring and revealToBank for what each costs and shows.
 * Errors: DT_INPUT_COLUMN and DT_INPUT_INVALID before any message; DT_PEER_* afterwards, on every side.
 */
export function fitSgdBank(
  links: BankLinks,
  options: SgdOptions,
  input: BankInput,
  random: RandomSource,
  hooks: FitHooks = {},
): Promise<FitResult<HeldOutMetrics>> {
  return runParty([links.otherBank, links.dealer], async () => {
    checkSgdOptions(options);
    const scales = sgdScales(options);
    const { session, columns, labels, frame, plan } = await setUpBank(links, options, input, scales.featureBits, random, hooks);
    const widths = fittedWidths(options, session.shape.columns);
    const weights = allocateSplitWeights(session.ring, columns.own.columns, columns.other.columns);
    const bits = { scores: scales.logitBits, labels: 0 };
    const scoring = plan.testRows > 0 ? new BankScoring(session, columns, weights, plan.testRows, bits) : undefined;
    const heldOut = new BankHeldOut(
      session,
      scoring,
      labels?.subarray(plan.trainRows),
      logisticMetrics,
      hooks,
      widestLogit(options.period),
    );
    const fit = new SgdBank(session, options, scales, columns, weights, labels);

    const start = performance.now();
    await fit.run((step) => (isEvaluated(options, step) ? heldOut.score(step) : undefined));
    const trainMs = performance.now() - start;

    const parts = await revealToBank({ session, weights, frame, widths, weightBits: scales.weightBits, modelTo: options.modelTo });
    await sayDone([session.other, session.dealer]);
    return { parts, evaluations: heldOut.evaluations, trainMs };
  });
}

/** Everything before the first step, in a function of its own so that the prepared values are not held during the fit. */
async function setUpBank(
  links: BankLinks,
  options: SgdOptions,
  input: BankInput,
  featureBits: number,
  random: RandomSource,
  hooks: FitHooks,
) {
  const first = input.labels !== undefined;
  const { rows } = input.columns;
  const { trainRows } = options;
  const plan = { trainRows, testRows: testRowsOf(options, rows), wrapRows: options.batchSize };
  const order = orderRows({ ...options, rows });
  const prepared = prepareColumns(input.columns, options, order, trainRows, first && options.intercept);
  const labels = input.labels && prepareLabels(input.labels.name, input.labels.values, order, trainRows);
  noteClipped(prepared, hooks);
  const session = await openBankSession(first, links, sgdTerms(options), { rows, columns: prepared.names.length }, options.inDim, random);
  const columns = await exchangeMaskedColumns(session, prepared.values, fittedWidths(options, session.shape.columns), plan, featureBits);
  const frame = partFrame(first ? 'bank0' : 'bank1', prepared, options.clip, first && options.intercept);
  return { session, columns, labels, frame, plan };
}

/** The dealer's side: it brings no data and sees none. */
export function fitSgdDealer(
  links: DealerLinks,
  options: SgdOptions,
  random: RandomSource,
  hooks: FitHooks = {},
): Promise<FitResult<HeldOutMetrics>> {
  return runParty(links.banks, async () => {
    checkSgdOptions(options);
    const scales = sgdScales(options);
    const session = await openDealerSession(links, sgdTerms(options), options.inDim, random);
    const plan = { trainRows: options.trainRows, testRows: testRowsOf(options, session.shape.rows), wrapRows: options.batchSize };
    const widths = fittedWidths(options, session.shape.columns);
    const masks = drawColumnMasks(session, widths, plan);
    const weightMasks = [session.ring.allocate(widths[0]), session.ring.allocate(widths[1])] as const;
    const scoring = plan.testRows > 0 ? new DealerScoring(session, masks, weightMasks, plan.testRows) : undefined;
    const heldOut = new DealerHeldOut(session.banks[0], scoring, logisticMetrics, hooks);
    const fit = new SgdDealer(session, options, scales, masks, weightMasks);

    const start = performance.now();
    await fit.run((step) => (isEvaluated(options, step) ? heldOut.score(step) : undefined));
    await heldOut.finish();
    const trainMs = performance.now() - start;
    const parts = await revealToDealer(session, widths, scales.weightBits, options.modelTo);
    await sayDone(session.banks);
    return { parts, evaluations: heldOut.evaluations, trainMs };
  });
}
