import { randomBytes } from 'node:crypto';
import type { ToolkitError } from '../../errors/toolkit-error.js';
import { ChannelTable, type ChannelTableOptions } from './channel-table.js';
import { type FrameSink, frameType, headerBytes, maxReasonBytes } from './frames.js';
import type { ChannelCarrier, LinkChannel } from './link-channel.js';
import type { LinkConnection } from './link-connection.js';
import type { LinkLimits } from './link-limits.js';
import { printable } from './printable.js';
import { SendBuffer } from './send-buffer.js';

export interface LinkStreamOptions extends Omit<ChannelTableOptions, 'carrier'> {
  readonly limits: LinkLimits;
  /** The peer broke the rules: the stream is over. */
  readonly onViolation: (reason: string) => void;
  /** The peer has given the stream up. `faulted`: because of this side. */
  readonly onGoodbye: (reason: string, faulted: boolean) => void;
  /** A channel or an offer has gone. */
  readonly onSettled: () => void;
}

/** Received bytes after which the peer is told at once that they have arrived; otherwise a heartbeat tells it. */
const acknowledgeBytes = 1 << 16;
/** Unsent bytes that do not wait for more to join them. */
const flushBytes = 1 << 16;
/** What steers channels may exceed the bound on unacknowledged data by so much. A peer that needs more acknowledges nothing. */
const controlBytes = 1 << 20;

/**
 * One stream of frames between two hubs and the channels on it. It lasts from the first connection of a link until one side gives
 * it up; the connections that carry it come and go. Both ends name it by a random number (epoch), so that neither takes it up
 * again with a peer that has forgotten it.
 */
export class LinkStream implements FrameSink, ChannelCarrier {
  readonly epoch = randomBytes(8).readBigUInt64BE() | 1n;
  /** The peer's number of it; 0 until the first handshake. */
  peerEpoch = 0n;
  readonly buffer = new SendBuffer();
  readonly channels: ChannelTable;
  private connection: LinkConnection | undefined;
  private receivedBytes = 0;
  private acknowledgedAt = 0;
  private readonly turns = new Set<LinkChannel>();
  private acknowledgements: { readonly offset: number; readonly callback: () => void }[] = [];
  private flushIsDue = false;
  private over = false;
  private readonly flushLater = (): void => this.flush();

  constructor(private readonly options: LinkStreamOptions) {
    this.channels = new ChannelTable({ ...options, carrier: this });
  }

  /** Bytes of the peer's stream that have been taken in. */
  get received(): number {
    return this.receivedBytes;
  }

  /** Goes on over a new connection from what the peer has. False when it claims what cannot be. */
  resume(connection: LinkConnection, peerReceived: number): boolean {
    if (!this.buffer.rewind(peerReceived)) return false;
    this.connection = connection;
    this.afterAcknowledgement();
    this.flush();
    return true;
  }

  suspend(): void {
    this.connection = undefined;
  }

  /** Every channel ends with this error. */
  fail(error: ToolkitError): void {
    this.over = true;
    this.connection = undefined;
    this.turns.clear();
    this.channels.fail(error);
    for (const { callback } of this.acknowledgements.splice(0)) callback();
  }

  goodbye(reason: string, faulted: boolean): void {
    const text = Buffer.from(reason, 'utf8').subarray(0, maxReasonBytes);
    const at = this.buffer.frame(frameType.goodbye, faulted ? 1 : 0, text.length, text.length);
    this.buffer.bytes.set(text, at);
    this.flush();
  }

  /** Says that this side lives, and how far it has read. */
  heartbeat(): void {
    if (this.receivedBytes > this.acknowledgedAt) this.acknowledge();
    else this.buffer.frame(frameType.heartbeat, 0, 0, 0);
    this.flush();
  }

  hasRoom(): boolean {
    return this.buffer.unacknowledgedBytes < this.options.limits.unacknowledgedBytes && this.connection?.isCongested !== true;
  }

  flushSoon(): void {
    if (this.buffer.unacknowledgedBytes > this.options.limits.unacknowledgedBytes + controlBytes) {
      this.violation('it acknowledges nothing');
    } else if (this.buffer.unsentBytes >= flushBytes) {
      this.flush();
    } else if (!this.flushIsDue) {
      this.flushIsDue = true;
      // After the promises that are about to be settled: what they lead to goes out in the same write.
      process.nextTick(this.flushLater);
    }
  }

  queue(channel: LinkChannel): void {
    this.turns.add(channel);
    this.pump();
  }

  /** One fragment for each channel that waits, around and around, while there is room. */
  pump(): void {
    for (const channel of this.turns) {
      if (!this.hasRoom()) return;
      this.turns.delete(channel);
      if (channel.takeTurn()) this.turns.add(channel);
      this.flushSoon();
    }
  }

  whenAcknowledged(offset: number, callback: () => void): void {
    if (this.over || offset <= this.buffer.acknowledgedOffset) callback();
    else this.acknowledgements.push({ offset, callback });
  }

  retire(channel: LinkChannel): void {
    this.turns.delete(channel);
    this.channels.retire(channel);
    this.options.onSettled();
  }

  onGarbage(reason: string): void {
    this.violation(reason);
  }

  onFrame(type: number, id: number, value: number, bytes: Buffer, at: number, shared: boolean): boolean {
    if (this.over) return false;
    this.receivedBytes += headerBytes;
    if (!this.dispatch(type, id, value, bytes, at, shared)) {
      this.violation(`its frame of type ${type} for channel ${id} (${value}) was not allowed there`);
      return false;
    }
    if (this.receivedBytes - this.acknowledgedAt >= acknowledgeBytes) this.acknowledge();
    return !this.over;
  }

  private dispatch(type: number, id: number, value: number, bytes: Buffer, at: number, shared: boolean): boolean {
    const { channels } = this;
    switch (type) {
      case frameType.message:
      case frameType.firstPart:
      case frameType.part:
        this.receivedBytes += value;
        return channels.onData(type, id, bytes, at, value, shared);
      case frameType.credit:
        return channels.onCredit(id, value);
      case frameType.acknowledge:
        return this.onAcknowledged(id * 2 ** 32 + value);
      case frameType.heartbeat:
        return true;
      case frameType.open:
        this.receivedBytes += value;
        return channels.onOpen(id, bytes, at, value);
      case frameType.accept:
        return channels.onAccept(id, value);
      case frameType.reject:
        this.receivedBytes += value;
        return channels.onReject(id, bytes, at, value) && this.settled();
      case frameType.cancel:
        return channels.onCancel(id) && this.settled();
      case frameType.close:
        return channels.onEnd(id, undefined) && this.settled();
      case frameType.abort:
        this.receivedBytes += value;
        return channels.onEnd(id, bytes.toString('utf8', at, at + value)) && this.settled();
      case frameType.goodbye:
        this.receivedBytes += value;
        this.options.onGoodbye(printable(bytes.toString('utf8', at, at + value)), id === 1);
        return true;
      default:
        return false;
    }
  }

  /** What ends something is acknowledged at once: somebody may wait to know that it has arrived. */
  private settled(): boolean {
    this.acknowledge();
    this.options.onSettled();
    return true;
  }

  private acknowledge(): void {
    const offset = this.receivedBytes;
    this.acknowledgedAt = offset;
    this.buffer.frame(frameType.acknowledge, Math.floor(offset / 2 ** 32), offset % 2 ** 32, 0);
    this.flushSoon();
  }

  private onAcknowledged(offset: number): boolean {
    if (!this.buffer.acknowledge(offset)) return false;
    this.afterAcknowledgement();
    return true;
  }

  private afterAcknowledgement(): void {
    if (this.acknowledgements.length > 0) {
      const has = this.buffer.acknowledgedOffset;
      const due = this.acknowledgements.filter(({ offset }) => offset <= has);
      this.acknowledgements = this.acknowledgements.filter(({ offset }) => offset > has);
      for (const { callback } of due) callback();
    }
    this.pump();
  }

  private flush(): void {
    this.flushIsDue = false;
    const { connection } = this;
    if (connection === undefined) return;
    for (let bytes = this.buffer.nextUnsent(); bytes !== undefined; bytes = this.buffer.nextUnsent()) connection.write(bytes);
  }

  private violation(reason: string): void {
    if (!this.over) this.options.onViolation(reason);
  }
}
