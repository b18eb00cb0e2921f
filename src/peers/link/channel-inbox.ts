import { createHash, type Hash } from 'node:crypto';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type Deferred, deferred, WaitBound } from './deferred.js';
import { fragmentCost } from './link-limits.js';

export interface ChannelInboxOptions {
  readonly peer: string;
  readonly windowBytes: number;
  readonly messageBytes: number;
  readonly stallMs: number;
  readonly transcript: boolean;
  /** The reader has taken so much of the window: the peer may be told. */
  readonly onTaken: (cost: number) => void;
  readonly onStall: () => void;
}

interface Queued {
  readonly message: Uint8Array;
  readonly cost: number;
}

/** A queued message keeps its chunk only when it is at least this part of it; else a copy is cheaper than the chunk. */
const ownShare = 4;

/**
 * The receiving half of a channel: what has arrived and was not read, the window that bounds it, and the message that comes in
 * parts. The methods named on… take what the peer sent and return false where it may not send it.
 */
export class ChannelInbox {
  bytesReceived = 0;
  messagesReceived = 0;
  private readonly hash: Hash | undefined;
  private readonly bound: WaitBound;
  private queue: Queued[] = [];
  private head = 0;
  private reader: Deferred<Uint8Array> | undefined;
  private failure: ToolkitError | undefined;
  /** What the peer may still send; what has been read since it was last told. */
  private allowance: number;
  private taken = 0;
  private partial: Buffer | undefined;
  private partialFilled = 0;
  private partialCost = 0;

  constructor(private readonly options: ChannelInboxOptions) {
    this.allowance = options.windowBytes;
    this.hash = options.transcript ? createHash('sha256') : undefined;
    this.bound = new WaitBound(options.stallMs, options.onStall);
  }

  get error(): ToolkitError | undefined {
    return this.failure;
  }

  get isMidMessage(): boolean {
    return this.partial !== undefined;
  }

  digest(): string | undefined {
    return this.hash?.copy().digest('hex');
  }

  take(): Promise<Uint8Array> {
    const next = this.queue[this.head];
    if (next !== undefined) {
      this.shift();
      this.release(next.cost);
      return Promise.resolve(next.message);
    }
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.reader !== undefined) {
      return Promise.reject(new ToolkitError('DT_BUG_UNEXPECTED', { reason: `two calls wait for a message of ${this.options.peer}` }));
    }
    this.bound.start();
    this.reader = deferred();
    return this.reader.promise;
  }

  /** The message is bytes[at .. at + length], with its length in the four bytes before. */
  onMessage(bytes: Buffer, at: number, length: number, shared: boolean): boolean {
    const cost = length + fragmentCost;
    if (!this.charge(cost) || this.partial !== undefined || length > this.options.messageBytes) return false;
    if (this.failure !== undefined) return true;
    this.hash?.update(bytes.subarray(at - 4, at + length));
    const message = bytes.subarray(at, at + length);
    this.deliver(message, shared && length * ownShare < bytes.length, cost);
    return true;
  }

  /** The length of the whole message, then its first bytes. */
  onFirstPart(bytes: Buffer, at: number, length: number): boolean {
    if (length <= 4 || !this.charge(length - 4 + fragmentCost) || this.partial !== undefined) return false;
    const total = bytes.readUInt32BE(at);
    if (total > this.options.messageBytes || total <= length - 4) return false;
    if (this.failure !== undefined) return true;
    this.partial = Buffer.allocUnsafe(total);
    this.partialFilled = 0;
    this.hash?.update(bytes.subarray(at, at + 4));
    this.fillPartial(this.partial, bytes, at + 4, length - 4);
    return true;
  }

  onPart(bytes: Buffer, at: number, length: number): boolean {
    if (length === 0 || !this.charge(length + fragmentCost)) return false;
    if (this.failure !== undefined) return true;
    if (this.partial === undefined || this.partialFilled + length > this.partial.length) return false;
    this.fillPartial(this.partial, bytes, at, length);
    return true;
  }

  /** What was told the peer it may send again. */
  readmit(): number {
    const { taken } = this;
    this.taken = 0;
    this.allowance += taken;
    return taken;
  }

  /** The first error stays. Messages that came before it are still handed out, unless `drop`. */
  fail(error: ToolkitError, drop: boolean): void {
    this.partial = undefined;
    if (drop) {
      this.queue.length = 0;
      this.head = 0;
    }
    if (this.failure !== undefined) return;
    this.failure = error;
    this.bound.stop();
    const reader = this.reader;
    this.reader = undefined;
    reader?.reject(error);
  }

  private charge(cost: number): boolean {
    this.allowance -= cost;
    return this.allowance >= 0;
  }

  private deliver(message: Buffer, copy: boolean, cost: number): void {
    this.bytesReceived += message.length;
    this.messagesReceived += 1;
    const reader = this.reader;
    if (reader === undefined) {
      this.queue.push({ message: copy ? new Uint8Array(message) : message, cost });
      return;
    }
    this.reader = undefined;
    this.bound.stop();
    this.release(cost);
    reader.resolve(message);
  }

  private fillPartial(partial: Buffer, bytes: Buffer, at: number, length: number): void {
    this.hash?.update(bytes.subarray(at, at + length));
    bytes.copy(partial, this.partialFilled, at, at + length);
    this.partialFilled += length;
    this.partialCost += length + fragmentCost;
    // A message longer than the window could never arrive if its parts waited for the reader that waits for it.
    if (this.head === this.queue.length) this.releasePartial();
    if (this.partialFilled < partial.length) return;
    this.partial = undefined;
    const cost = this.partialCost;
    this.partialCost = 0;
    this.deliver(partial, false, cost);
  }

  private releasePartial(): void {
    const cost = this.partialCost;
    this.partialCost = 0;
    this.release(cost);
  }

  private release(cost: number): void {
    this.taken += cost;
    // Told in halves of the window: rarely enough to cost nothing, early enough that the peer does not run dry.
    if (this.taken * 2 >= this.options.windowBytes) this.options.onTaken(this.taken);
  }

  private shift(): void {
    this.head += 1;
    if (this.head === this.queue.length) {
      this.queue.length = 0;
      this.head = 0;
      if (this.partialCost > 0) this.releasePartial();
    } else if (this.head > 1024) {
      this.queue.splice(0, this.head);
      this.head = 0;
    }
  }
}
