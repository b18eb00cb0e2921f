import { ToolkitError } from '../../errors/toolkit-error.js';
import { runParty } from '../party.js';
import type { RandomSource } from '../random-source.js';
import { type Columns, type PreparedColumns, prepareColumns, prepareLabels } from './columns.js';
import { type BankLinks, type DealerLinks, openBankSession, openDealerSession, sayDone } from './joint-session.js';
import { drawColumnMasks, exchangeMaskedColumns, type RowPlan } from './masked-columns.js';
import { aucLine, type HeldOutMetrics, heldOutMetrics } from './metrics.js';
import { announceMetrics, MetricsListener, receiveMetrics } from './metrics-messages.js';
import { type ModelPart, partFrame } from './model-part.js';
import { revealToBank, revealToDealer } from './reveal-model.js';
import { orderRows } from './row-order.js';
import { SgdBank } from './sgd-bank.js';
import { SgdDealer } from './sgd-dealer.js';
import { checkSgdOptions, isEvaluated, type SgdOptions, sgdScales, sgdTerms } from './sgd-options.js';
import { BankScoring, DealerScoring } from './shuffled-scores.js';
import { allocateSplitWeights } from './split-weights.js';

export interface Evaluation extends HeldOutMetrics {
  readonly round: number;
}

export interface FitResult {
  /** The parts of the model that this party is told: see SgdOptions.modelTo. */
  readonly parts: readonly ModelPart[];
  readonly evaluations: readonly Evaluation[];
  /** Time from the end of the set-up (keys, masked columns) to the last step, milliseconds. */
  readonly trainMs: number;
}

export interface FitHooks {
  /** Log lines for people: `AUC at round N: x`, and how many values were clipped. */
  readonly log?: (line: string) => void;
}

export interface BankInput {
  readonly columns: Columns;
  /** Bank 0 only. */
  readonly labels?: { readonly name: string; readonly values: ArrayLike<number> };
}

/** Fewer held-out rows would make their (logit, label) pairs as good as named. */
const leastTestRows = 20;

/**
 * A bank's side of the joint fit by stochastic gradient descent: checks its data, meets the others, trains, scores the held-out
 * rows and takes its part of the model. The labels make a bank the first one. See SgdBank, BankScoring and revealToBank for what
 * each step costs and shows.
 * Errors: DT_INPUT_COLUMN and DT_INPUT_INVALID before any message; DT_PEER_* afterwards, on every side.
 */
export function fitSgdBank(
  links: BankLinks,
  options: SgdOptions,
  input: BankInput,
  random: RandomSource,
  hooks: FitHooks = {},
): Promise<FitResult> {
  return runParty([links.otherBank, links.dealer], async () => {
    checkSgdOptions(options);
    const scales = sgdScales(options);
    const first = input.labels !== undefined;
    const plan = rowPlan(options, input.columns.rows);
    const order = orderRows({ ...options, rows: input.columns.rows });
    const prepared = prepareColumns(input.columns, options, order, plan.trainRows, first && options.intercept);
    const labels = input.labels && prepareLabels(input.labels.name, input.labels.values, order, plan.trainRows);
    logClipped(prepared, hooks);

    const own = { rows: input.columns.rows, columns: prepared.names.length };
    const session = await openBankSession(first, links, sgdTerms(options), own, options.inDim, random);
    const widths = fittedWidths(options, session.shape.columns);
    const columns = await exchangeMaskedColumns(session, prepared.values, widths, plan, scales.featureBits);
    const weights = allocateSplitWeights(session.ring, columns.own.columns, columns.other.columns);
    const scoring = plan.testRows > 0 ? new BankScoring(session, columns, weights, plan.testRows, scales.logitBits) : undefined;
    const fit = new SgdBank(session, options, scales, columns, weights, labels);

    const evaluations: Evaluation[] = [];
    const score = async (round: number, bank: BankScoring): Promise<void> => {
      let metrics: HeldOutMetrics;
      if (labels === undefined) {
        await bank.shuffle();
        metrics = await receiveMetrics(session.other);
      } else {
        const opened = await bank.openShuffled(labels.subarray(plan.trainRows));
        metrics = heldOutMetrics(opened.scores, opened.labels);
        await announceMetrics([session.other, session.dealer], metrics);
      }
      evaluations.push({ round, ...metrics });
      hooks.log?.(aucLine(round, metrics));
    };
    const start = performance.now();
    await fit.run((step) => (scoring !== undefined && isEvaluated(options, step) ? score(step, scoring) : undefined));
    const trainMs = performance.now() - start;

    const frame = partFrame(first ? 'bank0' : 'bank1', prepared, options.clip, first && options.intercept);
    const parts = await revealToBank({ session, weights, frame, widths, weightBits: scales.weightBits, modelTo: options.modelTo });
    await sayDone([session.other, session.dealer]);
    return { parts, evaluations, trainMs };
  });
}

/** The dealer's side: it brings no data and sees none. */
export function fitSgdDealer(links: DealerLinks, options: SgdOptions, random: RandomSource, hooks: FitHooks = {}): Promise<FitResult> {
  return runParty(links.banks, async () => {
    checkSgdOptions(options);
    const scales = sgdScales(options);
    const session = await openDealerSession(links, sgdTerms(options), options.inDim, random);
    const plan = rowPlan(options, session.shape.rows);
    const widths = fittedWidths(options, session.shape.columns);
    const masks = drawColumnMasks(session, widths, plan);
    const weightMasks = [session.ring.allocate(widths[0]), session.ring.allocate(widths[1])] as const;
    const scoring = plan.testRows > 0 ? new DealerScoring(session, masks, weightMasks, plan.testRows) : undefined;
    const fit = new SgdDealer(session, options, scales, masks, weightMasks);

    const evaluations: Evaluation[] = [];
    const listener = new MetricsListener(session.banks[0], (round, metrics) => {
      evaluations.push({ round, ...metrics });
      hooks.log?.(aucLine(round, metrics));
    });
    const score = async (round: number, dealer: DealerScoring): Promise<void> => {
      await dealer.deal();
      await listener.expect(round);
    };
    const start = performance.now();
    await fit.run((step) => (scoring !== undefined && isEvaluated(options, step) ? score(step, scoring) : undefined));
    await listener.finish();
    const trainMs = performance.now() - start;
    const parts = await revealToDealer(session, widths, scales.weightBits, options.modelTo);
    await sayDone(session.banks);
    return { parts, evaluations, trainMs };
  });
}

function rowPlan(options: SgdOptions, rows: number): RowPlan {
  const testRows = rows - options.trainRows;
  if (testRows < 0 || (testRows > 0 && testRows < leastTestRows)) {
    const reason = `${rows} rows leave ${testRows} to hold out after ${options.trainRows} for training; none, or at least ${leastTestRows}, are possible`;
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'trainRows', reason });
  }
  return { trainRows: options.trainRows, testRows, wrapRows: options.batchSize };
}

/** The intercept is a column of ones that bank 0 puts before its own. */
function fittedWidths(options: SgdOptions, columns: readonly [number, number]): [number, number] {
  return [columns[0] + (options.intercept ? 1 : 0), columns[1]];
}

function logClipped(prepared: PreparedColumns, hooks: FitHooks): void {
  prepared.clipped.forEach((count, j) => {
    if (count > 0) hooks.log?.(`Column ${prepared.names[j]}: ${count} values clipped`);
  });
}
