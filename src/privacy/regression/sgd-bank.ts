import { messageHeaderBytes } from '../message-link.js';
import type { RandomStream } from '../random-stream.js';
import { sineSeries } from '../ring/sine-series.js';
import type { BankSession } from './joint-session.js';
import type { MaskedColumns } from './masked-columns.js';
import type { ScalePlan } from './scale-plan.js';
import { batchStart, headerWords, type StepLayout, stepLayout, stepsInMessage } from './sgd-layout.js';
import { type SgdOptions, stepOf } from './sgd-options.js';
import type { SplitWeights } from './split-weights.js';

interface Views {
  readonly logitFrame: Uint8Array;
  readonly residualFrame: Uint8Array;
  readonly draw: Uint8Array;
  readonly theirs: Uint8Array;
  readonly material: Uint8Array;
}

/**
 * One bank's side of a step of vertical logistic regression by stochastic gradient descent, semi-honest, with a dealer.
 *
 * Sources. Fourier series of the sigmoid on a masked input: Boura, Chillotti, Gama, Jetchev, Peceny, Petric (FC 2018, ePrint
 * 2017/1234). Static masks of the feature matrices and vectorised products: Mohassel, Zhang, "SecureML" (IEEE S&P 2017).
 * A ring whose modulus is the period of the series, no truncation, and two rounds are this project's.
 *
 * Let X be a bank's columns, U their mask, E = X - U what the other bank has. The owner holds M = w - v; the other holds v.
 *  1. logits: own part X M + E' v', plus a fresh mask s on each side; the sum that both open is z + r, where the dealer knows
 *     r = s0 + s1 - U0 v0 - U1 v1, which is uniform and unknown to both banks.
 *  2. residuals d = step (y - sigmoid(z)): the sine series from the public z + r and dealer shares of cos(k r), sin(k r) is
 *     linear and needs no message. Each bank sends its share of d minus a fresh mask rho. The owner has e = d - rho' of the
 *     other bank, and adds X^T e = X^T d - X^T rho' to M; the other bank sends v - pad + E^T rho' along, the dealer
 *     U^T rho' + pad - v_next, so that M becomes w + X^T d - v_next.
 *
 * Trust: the dealer must not collude with a bank (together they read the other's columns); any one party alone learns nothing.
 * A wrong dealer or bank can spoil the result.
 * Learned: each bank sees uniform words only; the dealer receives nothing. Public: shapes, options, number of steps.
 * Rounds: 2 a step. Bytes a step: bank to bank 8 (2 batch + columns of the other) + 16; dealer to bank 8 (batch terms + own
 * columns).
 * Beyond the period: |logit| must stay well below period / 2; past it the sine turns the sign of the residual, which stays
 * bounded, but such rows teach the wrong class.
 */
export class SgdBank {
  private readonly layout: StepLayout;
  private readonly draws: RandomStream;
  private materialStart = 0;
  private materialCount = 0;
  private readonly at: ReturnType<SgdBank['allocateBlocks']>;

  constructor(
    private readonly session: BankSession,
    private readonly options: SgdOptions,
    private readonly scales: ScalePlan,
    private readonly columns: MaskedColumns,
    private readonly weights: SplitWeights,
    labels: Float64Array | undefined,
  ) {
    this.layout = stepLayout(options.batchSize, options.sineTerms, columns.own.columns, columns.other.columns);
    this.at = this.allocateBlocks();
    this.draws = session.streams.stream('steps');
    this.writePublicTerms(labels);
  }

  /** All steps; `afterStep` runs between steps and finds the weights of that moment in `weights`. */
  async run(afterStep: (step: number) => Promise<void> | undefined): Promise<void> {
    const { steps, batchSize, trainRows } = this.options;
    const { other } = this.session;
    const views = this.makeViews();
    this.prepare(views, 0);
    for (let step = 0; step < steps; step++) {
      const row = batchStart(step, batchSize, trainRows);
      this.sumLogits(row);
      await other.send('maskedLogits', views.logitFrame);
      const material = await this.materialOf(views, step);
      this.correctWeights(row, material);
      views.theirs.set(await other.receive('maskedLogits', 8 * batchSize));
      this.takeResiduals(row, material);
      await other.send('maskedResiduals', views.residualFrame);
      // The next step's masked products need no word from the other bank: they fill the wait.
      this.adoptNextMask();
      if (step + 1 < steps) this.prepare(views, batchStart(step + 1, batchSize, trainRows));
      views.theirs.set(await other.receive('maskedResiduals', 8 * (batchSize + this.layout.ownColumns)));
      this.updateWeights(row);
      await afterStep(step);
    }
  }

  private allocateBlocks() {
    const { ring } = this.session;
    const { batch, ownColumns, otherColumns, draw, material, stepsPerMessage } = this.layout;
    return {
      logitFrame: ring.allocate(headerWords + batch),
      residualFrame: ring.allocate(headerWords + batch + otherColumns),
      draw: ring.allocate(draw.words),
      material: ring.allocate(material.words * stepsPerMessage),
      theirs: ring.allocate(batch + ownColumns),
      logitPart: ring.allocate(batch),
      residual: ring.allocate(batch),
      coefficients: ring.allocate(this.options.sineTerms),
      publicTerms: ring.allocate(this.options.trainRows + batch),
    };
  }

  /** Made when every block of the run has been allocated: a view does not outlive a growth of the memory. */
  private makeViews(): Views {
    const { ring } = this.session;
    const { at, layout } = this;
    return {
      logitFrame: ring.bytes(at.logitFrame, messageHeaderBytes + 8 * layout.batch),
      residualFrame: ring.bytes(at.residualFrame, messageHeaderBytes + 8 * (layout.batch + layout.otherColumns)),
      draw: ring.bytes(at.draw, 8 * layout.draw.words),
      theirs: ring.bytes(at.theirs, 8 * (layout.batch + layout.ownColumns)),
      material: ring.bytes(at.material, 8 * layout.material.words * layout.stepsPerMessage),
    };
  }

  /** Residuals are kept with their sign turned, so that weights only ever grow by products: coefficients are negative. */
  private writePublicTerms(labels: Float64Array | undefined): void {
    const { ring } = this.session;
    const { batchSize, trainRows, sineTerms, period } = this.options;
    const step = stepOf(this.options);
    const series = sineSeries(period, sineTerms);
    ring.doubles(this.at.coefficients, sineTerms).set(series.coefficients.map((b) => -b * step * 2 ** this.scales.coefficientBits));
    if (labels === undefined) return;
    const terms = ring.doubles(this.at.publicTerms, trainRows + batchSize);
    for (let i = 0; i < terms.length; i++) terms[i] = step * ((labels[i % trainRows] as number) - 0.5);
    ring.kernels.encode(this.at.publicTerms, this.at.publicTerms, 2 ** this.scales.residualBits, terms.length);
  }

  /** Draws the step's masks and does its product with the other bank's masked columns. */
  private prepare(views: Views, row: number): void {
    const { kernels } = this.session.ring;
    const { at, layout, columns } = this;
    this.draws.fill(views.draw);
    const other = columns.other.train + row * columns.other.columns * 8;
    kernels.matVec(at.logitPart, at.draw + layout.draw.logitMask * 8, other, this.weights.otherMask, layout.batch, layout.otherColumns);
  }

  private sumLogits(row: number): void {
    const { at, layout, columns } = this;
    const own = columns.own.train + row * layout.ownColumns * 8;
    this.session.ring.kernels.matVec(
      at.logitFrame + messageHeaderBytes,
      at.logitPart,
      own,
      this.weights.visible,
      layout.batch,
      layout.ownColumns,
    );
  }

  private async materialOf(views: Views, step: number): Promise<number> {
    const stepBytes = this.layout.material.words * 8;
    if (step === this.materialStart + this.materialCount) {
      this.materialStart = step;
      this.materialCount = stepsInMessage(this.layout, this.options, step);
      views.material.set(await this.session.dealer.receive('stepMaterial', this.materialCount * stepBytes));
    }
    return this.at.material + (step - this.materialStart) * stepBytes;
  }

  /** Everything of the update that does not depend on this step's data: the dealer's part here, the other bank's part there. */
  private correctWeights(row: number, material: number): void {
    const { kernels } = this.session.ring;
    const { at, layout, columns, weights } = this;
    kernels.add(weights.visible, weights.visible, material + layout.material.weights * 8, layout.ownColumns);
    const tail = at.residualFrame + messageHeaderBytes + layout.batch * 8;
    const other = columns.other.train + row * layout.otherColumns * 8;
    kernels.subtract(tail, weights.otherMask, at.draw + layout.draw.pad * 8, layout.otherColumns);
    kernels.transposedMatVec(tail, other, at.draw + layout.draw.residualMask * 8, layout.batch, layout.otherColumns);
  }

  private takeResiduals(row: number, material: number): void {
    const { kernels } = this.session.ring;
    const { at, layout } = this;
    const drawn = at.draw + layout.draw.trig * 8;
    const dealt = material + layout.material.trig * 8;
    const [cos, sin] = this.session.first ? [drawn, dealt] : [dealt, drawn];
    kernels.sineOfMasked(
      at.residual,
      at.logitFrame + messageHeaderBytes,
      at.theirs,
      cos,
      sin,
      at.coefficients,
      layout.batch,
      this.options.sineTerms,
    );
    kernels.add(at.residual, at.residual, at.publicTerms + row * 8, layout.batch);
    kernels.subtract(at.residualFrame + messageHeaderBytes, at.residual, at.draw + layout.draw.residualMask * 8, layout.batch);
  }

  private adoptNextMask(): void {
    const { ring } = this.session;
    const bytes = this.layout.otherColumns * 8;
    ring.bytes(this.weights.otherMask, bytes).set(ring.bytes(this.at.draw + this.layout.draw.weightMask * 8, bytes));
  }

  private updateWeights(row: number): void {
    const { kernels } = this.session.ring;
    const { at, layout, columns, weights } = this;
    kernels.add(at.residual, at.residual, at.theirs, layout.batch);
    const own = columns.own.train + row * layout.ownColumns * 8;
    kernels.transposedMatVec(weights.visible, own, at.residual, layout.batch, layout.ownColumns);
    kernels.add(weights.visible, weights.visible, at.theirs + layout.batch * 8, layout.ownColumns);
  }
}
