import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Channel, ChannelCounters, ChannelTranscript } from '../../privacy/channel.js';
import { ChannelInbox } from './channel-inbox.js';
import { ChannelOutbox } from './channel-outbox.js';
import { frameType, maxReasonBytes } from './frames.js';
import type { SendBuffer } from './send-buffer.js';

/** What a channel needs of the link that carries it. */
export interface ChannelCarrier {
  readonly buffer: SendBuffer;
  /** Whether data may be written now; what ends or steers a channel always may. */
  hasRoom(): boolean;
  /** Frames were written; they go out together once the current work is done. */
  flushSoon(): void;
  /** The channel has data that waits for its turn. */
  queue(channel: LinkChannel): void;
  /** Calls back once the peer has what was written before `offset`, or when the link is given up. */
  whenAcknowledged(offset: number, callback: () => void): void;
  /** Both directions have ended. */
  retire(channel: LinkChannel): void;
}

export interface LinkChannelOptions {
  readonly peer: string;
  /** This end's number of the channel. */
  readonly id: number;
  readonly windowBytes: number;
  readonly messageBytes: number;
  readonly peerWindowBytes: number;
  readonly peerMessageBytes: number;
  readonly stallMs: number;
  readonly transcript: boolean;
}

const done = Promise.resolve();

/**
 * One channel of a link. Messages of up to 64 KiB go straight from the caller's buffer into the memory that they are sent from;
 * what the peer has no room for waits here, and `send` with it. Outlives its connection as long as the link has grace.
 */
export class LinkChannel implements Channel {
  private readonly inbox: ChannelInbox;
  private readonly outbox: ChannelOutbox;
  private localEnd = false;
  private peerEnd = false;
  /** Where in the outgoing stream this end is written. */
  private endOffset = 0;

  constructor(
    private readonly carrier: ChannelCarrier,
    private readonly options: LinkChannelOptions,
  ) {
    const { id, peer, stallMs, transcript, windowBytes, messageBytes, peerWindowBytes } = options;
    const onStall = (): void => this.onStall();
    const onTaken = (): void => this.readmit();
    this.inbox = new ChannelInbox({ peer, windowBytes, messageBytes, stallMs, transcript, onTaken, onStall });
    this.outbox = new ChannelOutbox({ id, buffer: carrier.buffer, windowBytes: peerWindowBytes, stallMs, transcript, onStall });
  }

  get peer(): string {
    return this.options.peer;
  }

  /** This end sends nothing more. */
  get isEnded(): boolean {
    return this.localEnd;
  }

  get counters(): ChannelCounters {
    const { bytesSent, messagesSent } = this.outbox;
    const { bytesReceived, messagesReceived } = this.inbox;
    return { bytesSent, bytesReceived, messagesSent, messagesReceived };
  }

  transcript(): ChannelTranscript | undefined {
    const sent = this.outbox.digest();
    const received = this.inbox.digest();
    return sent === undefined || received === undefined ? undefined : { sent, received };
  }

  send(message: Uint8Array): Promise<void> {
    const { inbox, outbox, carrier } = this;
    if (inbox.error !== undefined) return Promise.reject(inbox.error);
    if (message.byteLength > this.options.peerMessageBytes) return this.refuseLength(message);
    if (outbox.canWrite(message.byteLength) && carrier.hasRoom()) {
      outbox.write(message);
      carrier.flushSoon();
      return done;
    }
    outbox.push(message);
    carrier.queue(this);
    if (outbox.isEmpty) return done;
    outbox.keep();
    return outbox.whenEmpty();
  }

  receive(): Promise<Uint8Array> {
    return this.inbox.take();
  }

  async close(): Promise<void> {
    if (this.inbox.error === undefined) {
      this.inbox.fail(new ToolkitError('DT_PEER_GONE', { peer: this.peer, reason: 'this side closed the link' }), true);
    }
    // Given up while it waited: then the peer has been told already.
    if (!this.localEnd && !this.outbox.isEmpty) await this.outbox.whenEmpty().catch(() => undefined);
    if (!this.localEnd) this.endWith(frameType.close, '');
    await new Promise<void>((resolve) => this.carrier.whenAcknowledged(this.endOffset, resolve));
  }

  abort(reason: string): void {
    if (this.localEnd) return;
    const error = new ToolkitError('DT_PEER_GONE', { peer: this.peer, reason: `this side ended it: ${reason}` });
    this.inbox.fail(error, true);
    this.outbox.drop(this.inbox.error ?? error);
    this.endWith(frameType.abort, reason);
  }

  /** Writes one fragment of what waits; true when another could follow. */
  takeTurn(): boolean {
    return this.outbox.takeTurn();
  }

  /** One frame of data. False when the peer may not send it. */
  onData(type: number, bytes: Buffer, at: number, length: number, shared: boolean): boolean {
    if (type === frameType.message) return this.inbox.onMessage(bytes, at, length, shared);
    return type === frameType.firstPart ? this.inbox.onFirstPart(bytes, at, length) : this.inbox.onPart(bytes, at, length);
  }

  onCredit(bytes: number): boolean {
    if (!this.outbox.onCredit(bytes)) return false;
    if (!this.outbox.isEmpty) this.carrier.queue(this);
    return true;
  }

  /** The peer has ended its direction in order: what it sent before can still be read. */
  onPeerClosed(reason: string): void {
    const where = this.inbox.isMidMessage ? `${reason} in the middle of a message` : reason;
    this.onPeerEnd(new ToolkitError('DT_PEER_GONE', { peer: this.peer, reason: where }), false);
  }

  onPeerAborted(reason: string): void {
    this.onPeerEnd(new ToolkitError('DT_PEER_ABORTED', { peer: this.peer, reason }), true);
  }

  /** The link is given up: nothing more is written. */
  onLinkFailed(error: ToolkitError): void {
    this.localEnd = true;
    this.peerEnd = true;
    this.inbox.fail(error, error.code === 'DT_PEER_PROTOCOL');
    this.outbox.drop(error);
  }

  private onPeerEnd(error: ToolkitError, drop: boolean): void {
    this.peerEnd = true;
    this.inbox.fail(error, drop);
    this.outbox.drop(error);
    if (this.localEnd) this.carrier.retire(this);
    else this.endWith(frameType.close, '');
  }

  private endWith(type: number, reason: string): void {
    this.localEnd = true;
    if (type === frameType.close) {
      this.carrier.buffer.frame(type, this.options.id, 0, 0);
    } else {
      const text = Buffer.from(reason, 'utf8').subarray(0, maxReasonBytes);
      const { buffer } = this.carrier;
      const at = buffer.frame(type, this.options.id, text.length, text.length);
      buffer.bytes.set(text, at);
    }
    this.endOffset = this.carrier.buffer.offset;
    this.carrier.flushSoon();
    if (this.peerEnd) this.carrier.retire(this);
  }

  private readmit(): void {
    if (this.localEnd) return;
    this.carrier.buffer.frame(frameType.credit, this.options.id, this.inbox.readmit(), 0);
    this.carrier.flushSoon();
  }

  private onStall(): void {
    const error = new ToolkitError('DT_PEER_STALLED', { peer: this.peer, seconds: this.options.stallMs / 1000 });
    this.inbox.fail(error, true);
    this.abort(error.message);
  }

  private refuseLength(message: Uint8Array): Promise<never> {
    const limit = `${this.options.peerMessageBytes} bytes`;
    return Promise.reject(new ToolkitError('DT_INPUT_TOO_LARGE', { what: 'A message', actual: `${message.byteLength} bytes`, limit }));
  }
}
