import type { Logger } from 'pino';
import type { LinkEvent } from '../../peers/link/link-environment.js';

const QUIET_MS = 10_000;
const MOST = 1_024;

/** Links in the log. Anybody can call the port, and a peer that is away is called every few seconds: alike lines come once in a while. */
export class LinkLog {
  private readonly said = new Map<string, { readonly until: number; left: number }>();

  constructor(
    private readonly log: Logger,
    private readonly now: () => number,
  ) {}

  event({ kind, peer, remote, reason, error }: LinkEvent): void {
    if (kind === 'connected' || kind === 'disconnected') {
      this.log.info({ peer, remote, ...(reason !== undefined && { reason }) }, `link ${kind}`);
      return;
    }
    // What a caller that was refused says of itself proves nothing, so it does not tell its lines apart.
    const key = `${kind} ${remote === undefined ? peer : ''} ${error?.code}`;
    const now = this.now();
    const before = this.said.get(key);
    if (before !== undefined && now < before.until) {
      before.left += 1;
      return;
    }
    if (this.said.size >= MOST) this.said.clear();
    this.said.set(key, { until: now + QUIET_MS, left: 0 });
    const alike = before !== undefined && before.left > 0 ? { alike: before.left } : {};
    this.log.warn(
      { ...(remote === undefined ? { peer } : { remote, claims: peer }), code: error?.code, problem: error?.message, ...alike },
      `link ${kind}`,
    );
  }
}
