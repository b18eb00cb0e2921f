import { messageHeaderBytes } from '../message-link.js';
import type { RandomStream } from '../random-stream.js';
import type { DealerSession } from './joint-session.js';
import type { ColumnBlocks } from './masked-columns.js';
import type { ScalePlan } from './scale-plan.js';
import { batchStart, headerWords, type StepLayout, stepLayout, stepsInMessage } from './sgd-layout.js';
import type { SgdOptions } from './sgd-options.js';

/**
 * The dealer's side of SgdBank: it draws what both banks draw, and sends each the half that makes the correlations true. It
 * needs nothing from the banks, so it runs ahead of them as far as the links take it. It sees neither data nor opened values.
 */
export class SgdDealer {
  private readonly layouts: readonly [StepLayout, StepLayout];
  private readonly draws: readonly [RandomStream, RandomStream];
  private readonly at: { draw: [number, number]; frame: [number, number]; cross: number; angle: number };

  constructor(
    private readonly session: DealerSession,
    private readonly options: SgdOptions,
    private readonly scales: ScalePlan,
    private readonly masks: readonly [ColumnBlocks, ColumnBlocks],
    /** Offsets of the current mask of each bank's weights, which the other bank holds too. */
    private readonly weightMasks: readonly [number, number],
  ) {
    const { ring } = session;
    const { batchSize, sineTerms } = options;
    const [columns0, columns1] = [masks[0].columns, masks[1].columns];
    this.layouts = [stepLayout(batchSize, sineTerms, columns0, columns1), stepLayout(batchSize, sineTerms, columns1, columns0)];
    const frameOf = (layout: StepLayout): number => ring.allocate(headerWords + layout.material.words * layout.stepsPerMessage);
    const [layout0, layout1] = this.layouts;
    this.at = {
      draw: [ring.allocate(layout0.draw.words), ring.allocate(layout1.draw.words)],
      frame: [frameOf(layout0), frameOf(layout1)],
      cross: ring.allocate(batchSize),
      angle: ring.allocate(batchSize),
    };
    this.draws = [session.streams[0].stream('steps'), session.streams[1].stream('steps')];
  }

  /** All steps; `afterStep` runs after the last step of each message, which covers every step whose weights are scored. */
  async run(afterStep: (step: number) => Promise<void> | undefined): Promise<void> {
    const { steps, batchSize, trainRows } = this.options;
    const { ring } = this.session;
    const [layout0, layout1] = this.layouts;
    // Every block of the run has been allocated: these views stay valid.
    const draws = [ring.bytes(this.at.draw[0], layout0.draw.words * 8), ring.bytes(this.at.draw[1], layout1.draw.words * 8)] as const;
    for (let start = 0; start < steps; ) {
      const count = stepsInMessage(this.layouts[0], this.options, start);
      for (let place = 0; place < count; place++) this.deal(draws, batchStart(start + place, batchSize, trainRows), place);
      await this.sendMaterial(count);
      start += count;
      await afterStep(start - 1);
    }
  }

  private deal(views: readonly [Uint8Array, Uint8Array], row: number, place: number): void {
    const { ring } = this.session;
    const { kernels } = ring;
    const { at, masks, layouts, options } = this;
    this.draws[0].fill(views[0]);
    this.draws[1].fill(views[1]);
    const [layout0, layout1] = layouts;
    const material = [this.materialAt(0, place), this.materialAt(1, place)] as const;
    const [draw0, draw1] = at.draw;

    // r = s0 + s1 - U0 v0 - U1 v1: no word has to be sent for the mask of the logits.
    kernels.fill(at.cross, 0n, layout0.batch);
    for (const bank of [0, 1] as const) {
      kernels.matVec(at.cross, at.cross, this.rowsAt(bank, row), this.weightMasks[bank], layout0.batch, masks[bank].columns);
    }
    kernels.add(at.angle, draw0 + layout0.draw.logitMask * 8, draw1 + layout1.draw.logitMask * 8, layout0.batch);
    kernels.subtract(at.angle, at.angle, at.cross, layout0.batch);
    // Bank 0 draws its cosines and is sent its sines, bank 1 the other way round: both links carry half.
    kernels.dealTrig(
      material[1] + layout1.material.trig * 8,
      material[0] + layout0.material.trig * 8,
      draw0 + layout0.draw.trig * 8,
      draw1 + layout1.draw.trig * 8,
      at.angle,
      layout0.batch,
      options.sineTerms,
      2 ** this.scales.trigBits,
    );
    this.dealUpdate(0, draw1, layout1, material[0] + layout0.material.weights * 8, row);
    this.dealUpdate(1, draw0, layout0, material[1] + layout1.material.weights * 8, row);
  }

  /** For one bank's weights: U^T rho + pad - next mask, all three drawn by the other bank. */
  private dealUpdate(bank: 0 | 1, draw: number, drawnBy: StepLayout, out: number, row: number): void {
    const { ring } = this.session;
    const { kernels } = ring;
    const columns = this.masks[bank].columns;
    const nextMask = draw + drawnBy.draw.weightMask * 8;
    kernels.subtract(out, draw + drawnBy.draw.pad * 8, nextMask, columns);
    kernels.transposedMatVec(out, this.rowsAt(bank, row), draw + drawnBy.draw.residualMask * 8, drawnBy.batch, columns);
    ring.bytes(this.weightMasks[bank], columns * 8).set(ring.bytes(nextMask, columns * 8));
  }

  private async sendMaterial(count: number): Promise<void> {
    const { ring, banks } = this.session;
    for (const bank of [0, 1] as const) {
      const bytes = messageHeaderBytes + count * this.layouts[bank].material.words * 8;
      await banks[bank].send('stepMaterial', ring.bytes(this.at.frame[bank], bytes));
    }
  }

  private materialAt(bank: 0 | 1, place: number): number {
    return this.at.frame[bank] + messageHeaderBytes + place * this.layouts[bank].material.words * 8;
  }

  private rowsAt(bank: 0 | 1, row: number): number {
    return this.masks[bank].train + row * this.masks[bank].columns * 8;
  }
}
