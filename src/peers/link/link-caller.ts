import type { Address, Bytes32 } from '../../documents/ids.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import { frameType } from './frames.js';
import { type LinkConnection, refusal, refusalOf } from './link-connection.js';
import { dialLink, type LinkEndpoint } from './link-dialer.js';
import { decodeWelcome, encodeHello, type StreamState } from './link-handshake.js';
import type { LinkKey } from './link-key.js';
import type { LinkLimits } from './link-limits.js';

export interface LinkCallerOptions {
  readonly address: Address;
  readonly peer: Address;
  readonly limits: LinkLimits;
  readonly key: () => LinkKey;
  readonly linkKeyOf: (organization: Address) => Promise<Bytes32 | undefined>;
  readonly endpointOf: (organization: Address) => Promise<LinkEndpoint | undefined>;
  /** Asked when a try is due: whether a connection is needed and none is there or on its way in. */
  readonly isWanted: () => boolean;
  readonly state: () => StreamState;
  /** The peer has taken the call. Whether its answer fits the stream is for the link to say. */
  readonly onWelcome: (connection: LinkConnection, hello: StreamState, welcome: StreamState) => void;
  /** The peer knows nothing of the stream that this hello named. */
  readonly onForgotten: (hello: StreamState) => void;
  readonly onFailed: (error: ToolkitError, kind: CallFailure) => void;
}

/** What time may mend, what one end refuses, and what has been refused for `refusalMs` without a break. */
export type CallFailure = 'passing' | 'refused' | 'final';

/** One try. */
interface Attempt {
  readonly abort: AbortController;
  greeted: boolean;
}

/** Refusals that time alone does not mend. */
const lasting = new Set(['DT_LINK_KEY_MISMATCH', 'DT_LINK_UNKNOWN_PEER', 'DT_LINK_VERSION', 'DT_LINK_REFUSED']);

/** Calls the peer while somebody needs a connection: at once, then after growing pauses. One try at a time. */
export class LinkCaller {
  private attempt: Attempt | undefined;
  private failures = 0;
  private refusedSince: number | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: LinkCallerOptions) {}

  /** A hello is on its way or has been read: the peer knows that this side is calling. */
  get hasGreeted(): boolean {
    return this.attempt?.greeted === true;
  }

  now(): void {
    if (this.attempt !== undefined || !this.options.isWanted()) return;
    this.stopTimer();
    void this.call();
  }

  /** The pause grows with each failure, and is never the same on both ends. */
  later(): void {
    if (this.timer !== undefined) return;
    const { firstBackoffMs, maxBackoffMs } = this.options.limits;
    const pause = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.failures) * (0.5 + Math.random() / 2);
    this.failures += 1;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.now();
    }, pause);
  }

  /** Another connection is used, or none is needed. */
  cancel(): void {
    this.stopTimer();
    const { attempt } = this;
    this.attempt = undefined;
    attempt?.abort.abort();
  }

  succeeded(): void {
    this.cancel();
    this.failures = 0;
    this.refusedSince = undefined;
  }

  private async call(): Promise<void> {
    const attempt: Attempt = { abort: new AbortController(), greeted: false };
    this.attempt = attempt;
    try {
      const connection = await this.reach(attempt.abort.signal);
      if (connection === undefined) return;
      const drop = (): void => connection.destroy('another connection is used');
      if (this.attempt !== attempt) return drop();
      attempt.abort.signal.addEventListener('abort', drop);
      await this.greet(connection, attempt).catch((error: Error) => {
        connection.destroy(error.message);
        throw error;
      });
    } catch (thrown) {
      if (this.attempt !== attempt) return;
      this.attempt = undefined;
      const error = toToolkitError(thrown);
      this.options.onFailed(error, this.kindOf(error));
    } finally {
      if (this.attempt === attempt) this.attempt = undefined;
    }
  }

  /** Undefined: there is no address to call, so the peer has to. */
  private async reach(signal: AbortSignal): Promise<LinkConnection | undefined> {
    const { peer, limits, endpointOf, linkKeyOf, key } = this.options;
    const endpoint = await endpointOf(peer);
    if (endpoint === undefined) return undefined;
    const expected = await linkKeyOf(peer);
    if (expected === undefined) throw new ToolkitError('DT_LINK_UNKNOWN_PEER', { peer });
    return dialLink({ peer, endpoint, key: key(), expected, handshakeMs: limits.handshakeMs, signal });
  }

  private async greet(connection: LinkConnection, attempt: Attempt): Promise<void> {
    const { address, peer, state, onForgotten, onWelcome } = this.options;
    const hello = state();
    attempt.greeted = true;
    connection.send(frameType.hello, 0, encodeHello({ ...hello, from: address, to: peer }));
    const answer = await connection.next();
    if (this.attempt !== attempt) return;
    if (answer.type === frameType.refuse) {
      const { kind, code, reason } = refusalOf(answer);
      if (kind === refusal.forgotten) onForgotten(hello);
      throw new ToolkitError(kind === refusal.error ? 'DT_LINK_REFUSED' : 'DT_LINK_HANDSHAKE', { peer, code, reason });
    }
    const welcome = decodeWelcome(answer);
    if (welcome === undefined) throw new ToolkitError('DT_LINK_HANDSHAKE', { peer, reason: 'it sent no welcome' });
    this.attempt = undefined;
    onWelcome(connection, hello, welcome);
  }

  private kindOf({ code }: ToolkitError): CallFailure {
    if (!lasting.has(code)) {
      this.refusedSince = undefined;
      return 'passing';
    }
    const now = performance.now();
    this.refusedSince ??= now;
    return now - this.refusedSince >= this.options.limits.refusalMs ? 'final' : 'refused';
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
