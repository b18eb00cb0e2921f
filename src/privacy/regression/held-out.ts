import type { MessageLink } from '../message-link.js';
import type { BankSession } from './joint-session.js';
import { announceFigures, receiveFigures } from './metrics-messages.js';
import type { BankScoring, DealerScoring } from './shuffled-scores.js';

export interface FitHooks {
  /** Lines that all parties may read, since they say what all are told: `AUC at round N: x`. */
  readonly log?: (line: string) => void;
  /** What was noticed about this party's own data: for its own people, not for an output that others read. */
  readonly note?: (line: string) => void;
}

/** A family of figures about held-out rows: how bank 0 computes them and how they travel. */
export interface MetricKind<Metrics> {
  readonly count: number;
  compute(scores: Float64Array, labels: Float64Array): Metrics;
  toFigures(metrics: Metrics): readonly number[];
  fromFigures(figures: readonly number[]): Metrics;
  line(round: number, metrics: Metrics): string;
}

export type Evaluation<Metrics> = Metrics & { readonly round: number };

/** A bank's scoring of the held-out rows during a fit; without such rows it does nothing. */
export class BankHeldOut<Metrics> {
  readonly evaluations: Evaluation<Metrics>[] = [];

  constructor(
    private readonly session: BankSession,
    private readonly scoring: BankScoring | undefined,
    /** Bank 0 only. */
    private readonly labels: Float64Array | undefined,
    private readonly kind: MetricKind<Metrics>,
    private readonly hooks: FitHooks,
    /** Scores beyond this are noted in the log. */
    private readonly widestScore = Number.POSITIVE_INFINITY,
  ) {}

  async score(round: number): Promise<void> {
    if (this.scoring === undefined) return;
    const metrics = this.labels === undefined ? await this.follow(this.scoring) : await this.lead(this.scoring, this.labels);
    this.evaluations.push({ ...metrics, round });
    this.hooks.log?.(this.kind.line(round, metrics));
  }

  private async lead(scoring: BankScoring, labels: Float64Array): Promise<Metrics> {
    const opened = await scoring.openShuffled(labels);
    const widest = opened.scores.reduce((most, score) => Math.max(most, Math.abs(score)), 0);
    // That much the loss tells too; how far it went is not said.
    if (widest > this.widestScore) this.hooks.log?.('Held-out logits come close to half the period of the sigmoid: use a longer period.');
    const metrics = this.kind.compute(opened.scores, opened.labels);
    await announceFigures([this.session.other, this.session.dealer], this.kind.toFigures(metrics));
    return metrics;
  }

  private async follow(scoring: BankScoring): Promise<Metrics> {
    await scoring.shuffle();
    return this.kind.fromFigures(await receiveFigures(this.session.other, this.kind.count));
  }
}

/**
 * The dealer's side. It must not wait for every scoring, since it runs ahead of the banks, and must not let unread messages
 * pile up either, since a full link would stop bank 0.
 */
export class DealerHeldOut<Metrics> {
  readonly evaluations: Evaluation<Metrics>[] = [];
  private readonly rounds: number[] = [];

  constructor(
    private readonly bank0: MessageLink,
    private readonly scoring: DealerScoring | undefined,
    private readonly kind: MetricKind<Metrics>,
    private readonly hooks: FitHooks,
    private readonly mostUnread = 64,
  ) {}

  async score(round: number): Promise<void> {
    if (this.scoring === undefined) return;
    await this.scoring.deal();
    this.rounds.push(round);
    if (this.rounds.length > this.mostUnread) await this.readOne();
  }

  async finish(): Promise<void> {
    while (this.rounds.length > 0) await this.readOne();
  }

  private async readOne(): Promise<void> {
    const metrics = this.kind.fromFigures(await receiveFigures(this.bank0, this.kind.count));
    const round = this.rounds.shift() as number;
    this.evaluations.push({ ...metrics, round });
    this.hooks.log?.(this.kind.line(round, metrics));
  }
}
