import type { Address } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type ChannelWaiter, channelKey } from './channel-table.js';
import { frameType } from './frames.js';
import { type CallFailure, LinkCaller } from './link-caller.js';
import { type LinkConnection, refusal } from './link-connection.js';
import type { LinkEnvironment } from './link-environment.js';
import { encodeState, type Hello, type StreamState } from './link-handshake.js';
import { LinkStream } from './link-stream.js';
import { Pulse } from './pulse.js';

/**
 * Everything between this organization and one other: the stream with its channels, the connection that carries it now, and the
 * calls that make a new one while somebody needs it.
 *
 * Either end calls when it can. The end with the lower address decides which connection is used: it refuses a call of the other
 * while its own is on the way, and says `use` on the one that it takes. An end that was called by it waits for that word.
 */
export class PeerLink {
  private stream: LinkStream;
  private readonly decides: boolean;
  private readonly waiters = new Map<string, ChannelWaiter>();
  private readonly pulse: Pulse;
  private readonly caller: LinkCaller;
  private connection: LinkConnection | undefined;
  /** Called by the end that decides; its word is due. */
  private candidate: LinkConnection | undefined;
  private lastProblem = 'nobody has called, and there is no address to call';
  private uses = 0;
  private graceTimer: NodeJS.Timeout | undefined;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(
    readonly peer: Address,
    private readonly env: LinkEnvironment,
  ) {
    this.decides = env.address < peer;
    this.stream = this.newStream();
    this.caller = new LinkCaller({
      ...env,
      peer,
      isWanted: () => this.isNeeded && this.connection === undefined && this.candidate === undefined,
      state: () => this.state(),
      onWelcome: (connection, hello, welcome) => this.onWelcome(connection, hello, welcome),
      onForgotten: ({ epoch }) => {
        if (epoch === this.stream.epoch) this.giveUp(this.gone('it has no record of the link; it gave it up'));
      },
      onFailed: (error, kind) => this.onCallFailed(error, kind),
    });
    this.pulse = new Pulse(env.limits, {
      activity: () => this.connection?.activity(),
      beat: () => this.stream.heartbeat(),
      onSilence: (reason) => this.connection?.destroy(reason),
    });
  }

  get isConnected(): boolean {
    return this.connection !== undefined;
  }

  get problem(): string {
    return this.lastProblem;
  }

  /** Bytes are those of the stream, which holds frames with their headers. */
  get traffic() {
    return { channels: this.stream.channels.openCount, bytesSent: this.stream.buffer.offset, bytesReceived: this.stream.received } as const;
  }

  /** @throws DT_LINK_TAKEN, DT_LINK_LIMIT */
  want(waiter: ChannelWaiter): void {
    const { session, purpose } = waiter;
    const key = channelKey(session, purpose);
    if (this.waiters.has(key) || this.stream.channels.isOpen(session, purpose)) {
      throw new ToolkitError('DT_LINK_TAKEN', { peer: this.peer, session, purpose });
    }
    const limit = this.env.limits.channels;
    if (this.waiters.size + this.stream.channels.openCount >= limit) throw new ToolkitError('DT_LINK_LIMIT', { peer: this.peer, limit });
    this.waiters.set(key, waiter);
    this.stream.channels.announce(waiter);
    this.settle();
    this.caller.now();
  }

  /** The waiter hears nothing more. */
  unwant(waiter: ChannelWaiter): void {
    const key = channelKey(waiter.session, waiter.purpose);
    if (this.waiters.get(key) !== waiter) return;
    this.waiters.delete(key);
    this.stream.channels.withdraw(waiter);
    this.settle();
  }

  /** A channel of this side was opened, or refused by the peer. */
  answered(waiter: ChannelWaiter): void {
    const key = channelKey(waiter.session, waiter.purpose);
    if (this.waiters.get(key) === waiter) this.waiters.delete(key);
    this.settle();
  }

  closeSession(session: string, reason: string, error: ToolkitError): void {
    for (const waiter of [...this.waiters.values()]) {
      if (waiter.session !== session) continue;
      this.unwant(waiter);
      waiter.onRefused(error);
    }
    this.stream.channels.closeSession(session, reason);
    this.settle();
  }

  /** Ends the connection. Open channels go on over another, for which both ends look up each other's key again. */
  reconnect(reason: string): void {
    this.caller.cancel();
    this.candidate?.destroy(reason);
    this.connection?.destroy(reason);
    this.caller.now();
  }

  /** A caller that has proved to be the peer. */
  onCaller(connection: LinkConnection, hello: Hello): void {
    if (this.stream.peerEpoch !== 0n && hello.epoch !== this.stream.peerEpoch) {
      this.giveUp(this.gone('it has no record of the link; it was restarted'));
    }
    const { stream } = this;
    if (hello.peerEpoch !== 0n && hello.peerEpoch !== stream.epoch) {
      connection.refuse(refusal.forgotten, 'DT_PEER_GONE', 'this side has no record of the link');
      return this.settle();
    }
    // Called at once by both: the call of the end that decides is the one that is used. A peer that has used the connection of
    // now and calls again has lost it.
    const isDuplicate = this.caller.hasGreeted || (this.connection !== undefined && hello.use !== this.uses);
    if (this.decides && isDuplicate) {
      connection.refuse(refusal.duplicate, 'DT_LINK_HANDSHAKE', 'another connection is being made');
      return;
    }
    this.dropConnection('the peer made another connection');
    this.startGrace();
    stream.peerEpoch = hello.epoch;
    connection.deadline(this.env.limits.handshakeMs);
    if (this.decides) {
      this.uses += 1;
      connection.send(frameType.welcome, 0, encodeState(this.state()));
      this.activate(connection, hello.received);
    } else {
      this.candidate?.destroy('the peer made another connection');
      this.candidate = connection;
      connection.send(frameType.welcome, 0, encodeState(this.state()));
      void this.awaitUse(connection, stream, hello.received);
    }
  }

  /** Everything ends; the peer is told. */
  stop(): void {
    this.caller.cancel();
    this.candidate?.destroy('this side stops');
    this.part(this.gone('this side stops'), 'it stops', false);
    for (const waiter of this.takeWaiters()) waiter.onRefused(new ToolkitError('DT_LINK_STOPPED'));
    this.settle();
  }

  private get isNeeded(): boolean {
    return this.waiters.size > 0 || this.stream.channels.size > 0;
  }

  private newStream(): LinkStream {
    const { limits, closedBecause, onSession } = this.env;
    const stream: LinkStream = new LinkStream({
      peer: this.peer,
      limits,
      closedBecause,
      onSession: (session, purpose) => onSession(this.peer, session, purpose),
      onViolation: (reason) => this.onViolation(stream, reason),
      onGoodbye: (reason, faulted) => this.onGoodbye(stream, reason, faulted),
      onSettled: () => this.settle(),
    });
    return stream;
  }

  private state(): StreamState {
    const { epoch, peerEpoch, received } = this.stream;
    return { epoch, peerEpoch, received, use: this.uses };
  }

  /** The peer has taken the call. */
  private onWelcome(connection: LinkConnection, hello: StreamState, welcome: StreamState): void {
    const { stream } = this;
    const isOurs = hello.epoch === stream.epoch && welcome.peerEpoch === stream.epoch;
    if (!isOurs || (stream.peerEpoch !== 0n && welcome.epoch !== stream.peerEpoch)) {
      const reason = 'its answer is about another session';
      connection.destroy(reason);
      return this.onCallFailed(new ToolkitError('DT_LINK_HANDSHAKE', { peer: this.peer, reason }), 'passing');
    }
    stream.peerEpoch = welcome.epoch;
    if (this.decides) {
      this.uses += 1;
      connection.sendValue(frameType.use, this.uses);
    } else {
      this.uses = welcome.use;
    }
    this.activate(connection, welcome.received);
  }

  private async awaitUse(connection: LinkConnection, stream: LinkStream, peerReceived: number): Promise<void> {
    const frame = await connection.next().catch((error: ToolkitError) => error);
    if (this.candidate !== connection) return connection.destroy('another connection is used');
    this.candidate = undefined;
    if (frame instanceof ToolkitError || frame.type !== frameType.use || stream !== this.stream) {
      connection.destroy('it did not finish the handshake');
      if (this.isNeeded) this.caller.later();
      return this.settle();
    }
    this.uses = frame.value;
    this.activate(connection, peerReceived);
  }

  private activate(connection: LinkConnection, peerReceived: number): void {
    const { stream } = this;
    this.caller.succeeded();
    this.candidate?.destroy('another connection is used');
    this.candidate = undefined;
    clearTimeout(this.graceTimer);
    this.graceTimer = undefined;
    this.connection = connection;
    this.env.onEvent({ kind: 'connected', peer: this.peer, remote: connection.remote });
    connection.attach({
      sink: stream,
      onDrain: () => stream.pump(),
      onClosed: (reason) => this.onConnectionClosed(connection, reason),
    });
    if (this.connection !== connection) return;
    if (!stream.resume(connection, peerReceived)) return this.onViolation(stream, 'it claims to have received what was never sent');
    this.pulse.start();
    this.settle();
  }

  private onConnectionClosed(connection: LinkConnection, reason: string): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.lastProblem = reason;
    this.stream.suspend();
    this.pulse.stop();
    this.env.onEvent({ kind: 'disconnected', peer: this.peer, remote: connection.remote, reason });
    this.startGrace();
    if (this.isNeeded) this.caller.later();
    this.settle();
  }

  private startGrace(): void {
    if (this.stream.channels.openCount > 0) this.graceTimer ??= setTimeout(() => this.onGraceOver(), this.env.limits.graceMs);
  }

  private onGraceOver(): void {
    this.graceTimer = undefined;
    this.giveUp(this.gone(`no connection for ${this.env.limits.graceMs / 1000} s: ${this.lastProblem}`));
    this.settle();
  }

  private onCallFailed(error: ToolkitError, kind: CallFailure): void {
    this.lastProblem = error.message;
    if (kind !== 'passing') this.env.onEvent({ kind: 'refused', peer: this.peer, error });
    if (kind === 'final') for (const waiter of this.takeWaiters()) waiter.onRefused(error);
    if (this.isNeeded && this.connection === undefined) this.caller.later();
    this.settle();
  }

  private onViolation(stream: LinkStream, reason: string): void {
    if (stream !== this.stream) return;
    const error = new ToolkitError('DT_PEER_PROTOCOL', { peer: this.peer, reason });
    this.env.onEvent({ kind: 'failed', peer: this.peer, error });
    this.part(error, `it says that this side broke the protocol: ${reason}`, true);
    for (const waiter of this.takeWaiters()) waiter.onRefused(error);
    this.settle();
  }

  private onGoodbye(stream: LinkStream, reason: string, faulted: boolean): void {
    if (stream !== this.stream) return;
    const error = faulted ? new ToolkitError('DT_PEER_ABORTED', { peer: this.peer, reason }) : this.gone(reason);
    this.lastProblem = reason;
    this.giveUp(error);
    if (faulted) for (const waiter of this.takeWaiters()) waiter.onRefused(error);
    if (this.isNeeded) this.caller.later();
    this.settle();
  }

  /** Says goodbye where it can, and gives the stream up. */
  private part(error: ToolkitError, reason: string, faulted: boolean): void {
    const { connection, stream } = this;
    this.connection = undefined;
    this.pulse.stop();
    if (connection !== undefined) {
      stream.goodbye(reason, faulted);
      connection.end(undefined, error.message);
      this.env.onEvent({ kind: 'disconnected', peer: this.peer, remote: connection.remote, reason: error.message });
    }
    this.giveUp(error);
  }

  /** The stream and all its channels end; who waits goes on waiting on a new one. */
  private giveUp(error: ToolkitError): void {
    const { stream } = this;
    clearTimeout(this.graceTimer);
    this.graceTimer = undefined;
    this.dropConnection(error.message);
    this.stream = this.newStream();
    for (const waiter of this.waiters.values()) this.stream.channels.announce(waiter);
    stream.fail(error);
  }

  private dropConnection(reason: string): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.connection = undefined;
    this.stream.suspend();
    this.pulse.stop();
    connection.destroy(reason);
    this.env.onEvent({ kind: 'disconnected', peer: this.peer, remote: connection.remote, reason });
  }

  private takeWaiters(): ChannelWaiter[] {
    const waiters = [...this.waiters.values()];
    for (const waiter of waiters) this.stream.channels.withdraw(waiter);
    this.waiters.clear();
    return waiters;
  }

  /** After anything has changed: a link that nobody needs ends, at once without a connection, later with one. */
  private settle(): void {
    if (this.isNeeded) {
      clearTimeout(this.idleTimer);
      this.idleTimer = undefined;
    } else if (this.connection !== undefined) {
      this.idleTimer ??= setTimeout(() => this.onIdle(), this.env.limits.idleMs);
    } else if (this.candidate === undefined) {
      this.caller.cancel();
      clearTimeout(this.idleTimer);
      clearTimeout(this.graceTimer);
      this.env.onIdle();
    }
  }

  private onIdle(): void {
    this.idleTimer = undefined;
    this.part(this.gone('the link was idle'), 'the link was idle', false);
    this.settle();
  }

  private gone(reason: string): ToolkitError {
    return new ToolkitError('DT_PEER_GONE', { peer: this.peer, reason });
  }
}
