import type { Channel } from '../../../src/privacy/channel.js';

/**
 * Counts the rounds of a run without a clock: each message carries the number of messages that had to come one after the other
 * before it. The largest number is what latency multiplies.
 */
export class RoundCounter {
  private readonly depths = new Map<string, number>();
  private readonly under = new Map<string, number[]>();

  readonly wrap = (channel: Channel, owner: string): Channel => {
    const outgoing = this.queue(`${owner} to ${channel.peer}`);
    const incoming = this.queue(`${channel.peer} to ${owner}`);
    return {
      peer: channel.peer,
      counters: channel.counters,
      transcript: () => channel.transcript(),
      send: (message) => {
        outgoing.push((this.depths.get(owner) ?? 0) + 1);
        return channel.send(message);
      },
      receive: async () => {
        const message = await channel.receive();
        this.depths.set(owner, Math.max(this.depths.get(owner) ?? 0, incoming.shift() ?? 0));
        return message;
      },
      close: () => channel.close(),
      abort: (reason) => channel.abort(reason),
    };
  };

  get rounds(): number {
    return Math.max(...this.depths.values());
  }

  private queue(direction: string): number[] {
    const queue = this.under.get(direction) ?? [];
    this.under.set(direction, queue);
    return queue;
  }
}
