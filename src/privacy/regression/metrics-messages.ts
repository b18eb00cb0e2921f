import { type MessageLink, messageHeaderBytes } from '../message-link.js';
import type { HeldOutMetrics } from './metrics.js';

const names = ['auc', 'ks', 'accuracy', 'loss'] as const;
const payloadBytes = names.length * 8;

/** Bank 0 tells everyone the metrics: they are an output of the run. */
export async function announceMetrics(links: readonly MessageLink[], metrics: HeldOutMetrics): Promise<void> {
  for (const link of links) {
    const framed = new Uint8Array(messageHeaderBytes + payloadBytes);
    const view = new DataView(framed.buffer);
    names.forEach((name, i) => {
      view.setFloat64(messageHeaderBytes + 8 * i, metrics[name], true);
    });
    await link.send('metrics', framed);
  }
}

export async function receiveMetrics(link: MessageLink): Promise<HeldOutMetrics> {
  const payload = await link.receive('metrics', payloadBytes);
  const view = new DataView(payload.buffer, payload.byteOffset, payloadBytes);
  const [auc, ks, accuracy, loss] = names.map((_, i) => view.getFloat64(8 * i, true)) as [number, number, number, number];
  const fractions = [auc, ks, accuracy].every((value) => value >= 0 && value <= 1);
  if (!fractions || !Number.isFinite(loss)) throw link.broken('its metrics are not possible');
  return { auc, ks, accuracy, loss };
}

/**
 * The dealer's ear: it must not wait for every scoring, since it runs ahead of the banks, and must not let unread messages pile
 * up either, since a full link would stop bank 0.
 */
export class MetricsListener {
  private readonly rounds: number[] = [];

  constructor(
    private readonly link: MessageLink,
    private readonly onMetrics: (round: number, metrics: HeldOutMetrics) => void,
    private readonly mostUnread = 64,
  ) {}

  async expect(round: number): Promise<void> {
    this.rounds.push(round);
    if (this.rounds.length > this.mostUnread) await this.readOne();
  }

  async finish(): Promise<void> {
    while (this.rounds.length > 0) await this.readOne();
  }

  private async readOne(): Promise<void> {
    const metrics = await receiveMetrics(this.link);
    this.onMetrics(this.rounds.shift() as number, metrics);
  }
}
