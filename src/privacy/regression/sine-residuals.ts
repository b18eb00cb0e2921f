import type { RandomStream } from '../random-stream.js';
import { sineSeries } from '../ring/sine-series.js';
import type { Secret } from '../sharing/secret.js';
import type { BankSession, DealerSession } from './joint-session.js';
import type { ScalePlan } from './scale-plan.js';
import type { SineOptions } from './sine-options.js';

/**
 * Residuals step (y - sigmoid(z)) of all training rows from their masked logits, for a program that all parties run. The sigmoid is the
 * sine series of SgdBank, whose header gives source, trust and leakage. Rounds: 1. Bytes: 8 a row each way, 8 terms a row from
 * the dealer to each bank. Learned: nothing.
 */
export interface Residuals {
  of(maskedLogits: Secret): Promise<Secret>;
}

/** Up to here the sine sigmoid is within a percent of the sigmoid's tail; the log says when a score is beyond. */
export function widestLogit(period: number): number {
  return period / 2 - 5;
}

/** Rows whose trigonometric values are dealt at a time. */
function blockRows(terms: number): number {
  return Math.max(1, Math.floor(32_768 / terms));
}

export class BankResiduals implements Residuals {
  private readonly stream: RandomStream;
  private readonly at: { theirs: number; residuals: number; publicTerms: number; coefficients: number; drawn: number; dealt: number };

  constructor(
    private readonly session: BankSession,
    private readonly options: SineOptions,
    scales: ScalePlan,
    private readonly rows: number,
    step: number,
    /** Bank 0 only. */
    labels: Float64Array | undefined,
  ) {
    const { ring } = session;
    const block = blockRows(options.sineTerms) * options.sineTerms;
    this.stream = session.streams.stream('sine');
    this.at = {
      theirs: ring.allocate(rows),
      residuals: ring.allocate(rows),
      publicTerms: ring.allocate(rows),
      coefficients: ring.allocate(options.sineTerms),
      drawn: ring.allocate(block),
      dealt: ring.allocate(block),
    };
    const series = sineSeries(options.period, options.sineTerms);
    ring.doubles(this.at.coefficients, options.sineTerms).set(series.coefficients.map((b) => -b * step * 2 ** scales.coefficientBits));
    if (labels === undefined) return;
    ring.doubles(this.at.publicTerms, rows).set(labels.subarray(0, rows).map((label) => step * (label - 0.5)));
    ring.kernels.encode(this.at.publicTerms, this.at.publicTerms, 2 ** scales.residualBits, rows);
  }

  async of(maskedLogits: Secret): Promise<Secret> {
    const { ring, first, other, dealer } = this.session;
    const { at, rows } = this;
    const terms = this.options.sineTerms;
    await other.exchangeParts('maskedLogits', ring.bytes(maskedLogits.at, 8 * rows), ring.bytes(at.theirs, 8 * rows));
    for (let row = 0; row < rows; row += blockRows(terms)) {
      const count = Math.min(blockRows(terms), rows - row);
      const bytes = 8 * count * terms;
      this.stream.fill(ring.bytes(at.drawn, bytes));
      await dealer.receiveParts('stepMaterial', ring.bytes(at.dealt, bytes));
      const [cos, sin] = first ? [at.drawn, at.dealt] : [at.dealt, at.drawn];
      const from = 8 * row;
      ring.kernels.sineOfMasked(at.residuals + from, maskedLogits.at + from, at.theirs + from, cos, sin, at.coefficients, count, terms);
    }
    ring.kernels.add(at.residuals, at.residuals, at.publicTerms, rows);
    return { rows, columns: 1, at: at.residuals };
  }
}

export class DealerResiduals implements Residuals {
  private readonly streams: readonly [RandomStream, RandomStream];
  private readonly blocks: readonly [number, number, number, number];

  constructor(
    private readonly session: DealerSession,
    private readonly options: SineOptions,
    private readonly scales: ScalePlan,
    private readonly rows: number,
  ) {
    const words = blockRows(options.sineTerms) * options.sineTerms;
    this.streams = [session.streams[0].stream('sine'), session.streams[1].stream('sine')];
    this.blocks = [session.ring.allocate(words), session.ring.allocate(words), session.ring.allocate(words), session.ring.allocate(words)];
  }

  /** The dealer's "masked logits" are the masks. */
  async of(masks: Secret): Promise<Secret> {
    const { ring, banks } = this.session;
    const terms = this.options.sineTerms;
    const [cosShare, sinShare, cos, sin] = this.blocks;
    for (let row = 0; row < this.rows; row += blockRows(terms)) {
      const count = Math.min(blockRows(terms), this.rows - row);
      const bytes = 8 * count * terms;
      this.streams[0].fill(ring.bytes(cosShare, bytes));
      this.streams[1].fill(ring.bytes(sinShare, bytes));
      ring.kernels.dealTrig(cos, sin, cosShare, sinShare, masks.at + 8 * row, count, terms, 2 ** this.scales.trigBits);
      await banks[0].sendParts('stepMaterial', ring.bytes(sin, bytes));
      await banks[1].sendParts('stepMaterial', ring.bytes(cos, bytes));
    }
    return { rows: this.rows, columns: 1, at: 0 };
  }
}
