import type { Terms } from '../handshake.js';
import { runParty } from '../party.js';
import type { RandomSource } from '../random-source.js';
import { BankArithmetic } from '../sharing/bank-arithmetic.js';
import { DealerArithmetic } from '../sharing/dealer-arithmetic.js';
import type { Arithmetic } from '../sharing/secret.js';
import { BankProducts } from './bank-products.js';
import { prepareColumns } from './columns.js';
import { DealerProducts } from './dealer-products.js';
import type { BankInput, FitResult } from './fit-sgd.js';
import { powerBitsOf } from './fixed-hessian.js';
import { BankHeldOut, DealerHeldOut, type FitHooks, type MetricKind } from './held-out.js';
import { fittedWidths, type JointOptions, testRowsOf } from './joint-options.js';
import type { JointProducts } from './joint-products.js';
import {
  type BankLinks,
  type BankSession,
  type DealerLinks,
  type DealerSession,
  openBankSession,
  openDealerSession,
  sayDone,
} from './joint-session.js';
import { drawColumnMasks, exchangeMaskedColumns } from './masked-columns.js';
import { type ModelPart, partFrame } from './model-part.js';
import { noteClipped } from './note-clipped.js';
import { withPenaltyRows } from './penalty-rows.js';
import { revealToBank, revealToDealer } from './reveal-model.js';
import { orderRows } from './row-order.js';
import { BankScoring, DealerScoring } from './shuffled-scores.js';
import { allocateSplitWeights } from './split-weights.js';
import { whitenColumns } from './whiten.js';

/** What a full-batch fit does between the common set-up and the common end. */
export interface FullBatch<Metrics> {
  readonly terms: Terms;
  readonly featureBits: number;
  readonly weightBits: number;
  readonly scoreBits: { readonly scores: number; readonly labels: number };
  readonly metrics: MetricKind<Metrics>;
  readonly widestScore: number;
  /** Ridge penalty, 0 for none, and the rows that are fitted, those of the penalty counted: see runLinear. */
  readonly l2: number;
  readonly fittedRows: number;
}

export interface BankFullBatch<Metrics> extends FullBatch<Metrics> {
  /** Bank 0: labels or standardised target, in the order of the run, without rows of a penalty. */
  readonly labels: Float64Array | undefined;
  run(
    party: { session: BankSession; arithmetic: Arithmetic; products: JointProducts; width: number },
    score: (round: number) => Promise<void>,
  ): Promise<void>;
  /** Last touch on the parts that this bank is told. */
  finish(session: BankSession, parts: ModelPart[]): Promise<ModelPart[]>;
}

export interface DealerFullBatch<Metrics> extends FullBatch<Metrics> {
  run(
    party: { session: DealerSession; arithmetic: Arithmetic; products: JointProducts; width: number },
    score: (round: number) => Promise<void>,
  ): Promise<void>;
  finish(session: DealerSession, parts: ModelPart[]): Promise<ModelPart[]>;
}

/** Makes the part of a fit that depends on the bank's checked data; runs before any message. */
export type BankPlanner<Metrics> = (order: Uint32Array) => BankFullBatch<Metrics>;

/** A bank's side of every full-batch fit: data, set-up, run, model. */
export function fitFullBatchBank<Metrics>(
  links: BankLinks,
  options: JointOptions,
  input: BankInput,
  random: RandomSource,
  hooks: FitHooks,
  planner: BankPlanner<Metrics>,
): Promise<FitResult<Metrics>> {
  return runParty([links.otherBank, links.dealer], async () => {
    const first = input.labels !== undefined;
    const { rows } = input.columns;
    const { trainRows } = options;
    const testRows = testRowsOf(options, rows);
    const order = orderRows({ ...options, rows });
    const prepared = prepareColumns(input.columns, { ...options, standardise: true }, order, trainRows, first && options.intercept);
    const fit = planner(order);
    const plan = { trainRows: fit.fittedRows, testRows, wrapRows: 0 };
    const table = withPenaltyRows(prepared, { trainRows, inDim: options.inDim, l2: fit.l2, first });
    const power = 2 ** powerBitsOf(fit.fittedRows);
    const whitened = whitenColumns(table, fit.fittedRows, power, options.intercept && !first, fit.fittedRows - trainRows);
    noteClipped(prepared, hooks);

    const session = await openBankSession(first, links, fit.terms, { rows, columns: prepared.names.length }, options.inDim, random);
    const widths = fittedWidths(options, session.shape.columns);
    const columns = await exchangeMaskedColumns(session, whitened.values, widths, plan, fit.featureBits, first);
    const weights = allocateSplitWeights(session.ring, columns.own.columns, columns.other.columns);
    const scoring = plan.testRows > 0 ? new BankScoring(session, columns, weights, plan.testRows, fit.scoreBits) : undefined;
    const heldOut = new BankHeldOut(session, scoring, fit.labels?.subarray(trainRows), fit.metrics, hooks, fit.widestScore);
    const products = new BankProducts(session, columns, weights, fit.fittedRows);
    const arithmetic = new BankArithmetic(session);

    const start = performance.now();
    await fit.run({ session, arithmetic, products, width: widths[0] + widths[1] }, (round) => heldOut.score(round));
    const trainMs = performance.now() - start;

    const frame = {
      ...partFrame(first ? 'bank0' : 'bank1', prepared, options.clip, first && options.intercept),
      transform: whitened.transform,
      ...centersOf(whitened.centers),
    };
    const parts = await revealToBank({ session, weights, frame, widths, weightBits: fit.weightBits, modelTo: options.modelTo });
    const finished = await fit.finish(session, parts);
    await sayDone([session.other, session.dealer]);
    return { parts: finished, evaluations: heldOut.evaluations, trainMs };
  });
}

/** The dealer's side of every full-batch fit. */
export function fitFullBatchDealer<Metrics>(
  links: DealerLinks,
  options: JointOptions,
  random: RandomSource,
  hooks: FitHooks,
  fit: DealerFullBatch<Metrics>,
): Promise<FitResult<Metrics>> {
  return runParty(links.banks, async () => {
    const session = await openDealerSession(links, fit.terms, options.inDim, random);
    const plan = { trainRows: fit.fittedRows, testRows: testRowsOf(options, session.shape.rows), wrapRows: 0 };
    const widths = fittedWidths(options, session.shape.columns);
    const masks = drawColumnMasks(session, widths, plan);
    const weightMasks = [session.ring.allocate(widths[0]), session.ring.allocate(widths[1])] as const;
    const scoring = plan.testRows > 0 ? new DealerScoring(session, masks, weightMasks, plan.testRows) : undefined;
    const heldOut = new DealerHeldOut(session.banks[0], scoring, fit.metrics, hooks);
    const products = new DealerProducts(session, masks, weightMasks, fit.fittedRows);
    const arithmetic = new DealerArithmetic(session);

    const start = performance.now();
    await fit.run({ session, arithmetic, products, width: widths[0] + widths[1] }, (round) => heldOut.score(round));
    await heldOut.finish();
    const trainMs = performance.now() - start;
    const parts = await revealToDealer(session, widths, fit.weightBits, options.modelTo);
    const finished = await fit.finish(session, parts);
    await sayDone(session.banks);
    return { parts: finished, evaluations: heldOut.evaluations, trainMs };
  });
}

function centersOf(centers: number[] | undefined): { centers?: number[] } {
  return centers === undefined ? {} : { centers };
}
