import { createHash, type Hash } from 'node:crypto';
import type { ToolkitError } from '../../errors/toolkit-error.js';
import { type Deferred, deferred, WaitBound } from './deferred.js';
import { frameType } from './frames.js';
import { fragmentBytes, fragmentCost } from './link-limits.js';
import type { SendBuffer } from './send-buffer.js';

export interface ChannelOutboxOptions {
  /** This end's number of the channel. */
  readonly id: number;
  readonly buffer: SendBuffer;
  /** What the peer holds for its reader. */
  readonly windowBytes: number;
  readonly stallMs: number;
  readonly transcript: boolean;
  readonly onStall: () => void;
}

/** A message that waits, or the rest of it. */
interface Waiting {
  rest: Uint8Array;
  readonly total: number;
  started: boolean;
}

/** The sending half of a channel: the credit that the peer gave, and the messages that wait for more of it or for their turn. */
export class ChannelOutbox {
  bytesSent = 0;
  messagesSent = 0;
  private readonly hash: Hash | undefined;
  private readonly bound: WaitBound;
  private readonly waiting: Waiting[] = [];
  private credit: number;
  private room: Deferred<void> | undefined;

  constructor(private readonly options: ChannelOutboxOptions) {
    this.credit = options.windowBytes;
    this.hash = options.transcript ? createHash('sha256') : undefined;
    this.bound = new WaitBound(options.stallMs, options.onStall);
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  digest(): string | undefined {
    return this.hash?.copy().digest('hex');
  }

  /** Whether a message may skip the queue. */
  canWrite(length: number): boolean {
    return this.waiting.length === 0 && length <= fragmentBytes && this.credit >= length + fragmentCost;
  }

  /** Straight into the memory that it is sent from. */
  write(message: Uint8Array): void {
    const length = message.byteLength;
    const { buffer, id } = this.options;
    const at = buffer.frame(frameType.message, id, length, length);
    buffer.bytes.set(message, at);
    this.hash?.update(buffer.bytes.subarray(at - 4, at + length));
    this.credit -= length + fragmentCost;
    this.bytesSent += length;
    this.messagesSent += 1;
  }

  /** Still the caller's own buffer: `keep` must follow before the caller gets it back. */
  push(message: Uint8Array): void {
    this.waiting.push({ rest: message, total: message.byteLength, started: false });
  }

  /** Takes a copy of what could not be written of the last message. */
  keep(): void {
    const last = this.waiting[this.waiting.length - 1];
    if (last !== undefined) last.rest = new Uint8Array(last.rest);
  }

  /** Writes one fragment if the peer has room for it; true when another could follow. */
  takeTurn(): boolean {
    const first = this.waiting[0];
    if (first === undefined) return false;
    const size = Math.min(first.rest.byteLength, fragmentBytes);
    if (this.credit < size + fragmentCost) return false;
    const last = first.rest.byteLength === size;
    if (last && !first.started) {
      this.waiting.shift();
      this.write(first.rest);
    } else {
      this.writePart(first, size, last);
      if (last) this.waiting.shift();
      else first.rest = first.rest.subarray(size);
    }
    if (this.waiting.length > 0) {
      this.bound.start();
      return true;
    }
    this.bound.stop();
    const room = this.room;
    this.room = undefined;
    room?.resolve();
    return false;
  }

  /** False when the peer gives more than its window. */
  onCredit(bytes: number): boolean {
    this.credit += bytes;
    return this.credit <= this.options.windowBytes;
  }

  /** Resolves once nothing waits. */
  whenEmpty(): Promise<void> {
    if (this.room === undefined) {
      this.room = deferred();
      this.bound.start();
    }
    return this.room.promise;
  }

  drop(error: ToolkitError): void {
    this.waiting.length = 0;
    this.bound.stop();
    const room = this.room;
    this.room = undefined;
    room?.reject(error);
  }

  private writePart(item: Waiting, size: number, last: boolean): void {
    const { buffer, id } = this.options;
    const extra = item.started ? 0 : 4;
    const at = buffer.frame(item.started ? frameType.part : frameType.firstPart, id, size + extra, size + extra);
    if (!item.started) buffer.bytes.writeUInt32BE(item.total, at);
    buffer.bytes.set(last ? item.rest : item.rest.subarray(0, size), at + extra);
    this.hash?.update(buffer.bytes.subarray(at, at + extra + size));
    item.started = true;
    this.credit -= size + fragmentCost;
    this.bytesSent += size;
    if (last) this.messagesSent += 1;
  }
}
