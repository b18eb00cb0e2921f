import type { LinkLimits } from './link-limits.js';

export interface PulseHooks {
  /** Since the last time it was asked. */
  readonly activity: () => { readonly heard: boolean; readonly wrote: boolean } | undefined;
  readonly beat: () => void;
  readonly onSilence: (reason: string) => void;
}

/**
 * Keeps a connection alive that has nothing to say, and gives up one on which the peer says nothing: a cable that was pulled or a
 * router that forgot gives no other sign.
 */
export class Pulse {
  private timer: NodeJS.Timeout | undefined;
  private silentMs = 0;
  private lastTick = 0;

  constructor(
    private readonly limits: Pick<LinkLimits, 'heartbeatMs' | 'silenceMs'>,
    private readonly hooks: PulseHooks,
  ) {}

  start(): void {
    this.stop();
    this.silentMs = 0;
    this.lastTick = performance.now();
    this.timer = setInterval(() => this.tick(), this.limits.heartbeatMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = performance.now();
    const elapsed = now - this.lastTick;
    this.lastTick = now;
    const activity = this.hooks.activity();
    if (activity === undefined) return;
    if (!activity.wrote) this.hooks.beat();
    // This program was too busy to read: what the peer said may still lie in the socket.
    const wasAway = elapsed > 2 * this.limits.heartbeatMs;
    this.silentMs = activity.heard || wasAway ? 0 : this.silentMs + elapsed;
    if (this.silentMs >= this.limits.silenceMs) this.hooks.onSilence(`nothing was heard for ${this.limits.silenceMs / 1000} s`);
  }
}
