import type { Duplex } from 'node:stream';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Channel, ChannelCounters, ChannelTranscript } from './channel.js';
import { Inbox } from './inbox.js';
import { TranscriptHash } from './transcript-hash.js';

export interface StreamChannelOptions {
  readonly peer: string;
  /** Longest message that is accepted; 16 MiB by default. */
  readonly maxMessageBytes?: number;
  /** Upper bound of one wait for the peer; 60,000 by default. */
  readonly stallMs?: number;
  /** Bytes queued for reading, and for writing, before the stream is held back; 1 MiB by default. */
  readonly limitBytes?: number;
  /**
   * `close()` waits for the peer's end as well, and counts what still comes, so that both ends count the same; off by default.
   * Whoever asks for it bounds the wait by other means.
   */
  readonly untilPeerEnds?: boolean;
  /** Keep running hashes of both directions; off by default, since they cost about 1 ms for each MB. */
  readonly transcript?: boolean;
}

/** Length of the message that follows, big endian. */
export const frameHeaderBytes = 4;
const headerBytes = frameHeaderBytes;
/** In the length field: the message that follows is the peer's reason for ending, not data. */
export const abortMark = 0xffffffff;
/** In the length field: the peer says nothing more, and still listens. Not by the end of the stream, which TLS cannot do one way only. */
export const endMark = 0xfffffffe;
const maxReasonBytes = 1024;
/** Upper bound for the last bytes to leave. */
const closeMs = 2_000;

/**
 * A channel over any Node duplex stream: a TCP, TLS or Unix socket, or one inherited from a parent process. Each message is
 * four bytes of length (big endian) and its bytes. The stream must not be used by anyone else.
 */
export function streamChannel(duplex: Duplex, options: StreamChannelOptions): Channel {
  return new StreamChannel(duplex, options);
}

class StreamChannel implements Channel {
  readonly peer: string;
  private readonly inbox: Inbox;
  private readonly hash: TranscriptHash | undefined;
  private readonly maxMessageBytes: number;
  private readonly limitBytes: number;
  private readonly stallMs: number;
  private readonly untilPeerEnds: boolean;
  /** This side has closed, and what comes is only counted. */
  private draining = false;
  private peerEnded = false;
  private onDrained: (() => void) | undefined;
  private readonly count = { bytesSent: 0, bytesReceived: 0, messagesSent: 0, messagesReceived: 0 };
  private room: { promise: Promise<void>; resolve: () => void; reject: (error: ToolkitError) => void; timer: NodeJS.Timeout } | undefined;
  private ended = false;

  // The frame that is being read: its header bytes, then its body, each across as many chunks as it takes.
  private readonly header = Buffer.alloc(headerBytes);
  private headerFilled = 0;
  private body: Buffer | undefined;
  private bodyFilled = 0;
  private bodyIsReason = false;

  constructor(
    private readonly duplex: Duplex,
    options: StreamChannelOptions,
  ) {
    this.peer = options.peer;
    this.maxMessageBytes = options.maxMessageBytes ?? 16 << 20;
    this.limitBytes = options.limitBytes ?? 1 << 20;
    this.stallMs = options.stallMs ?? 60_000;
    this.untilPeerEnds = options.untilPeerEnds === true;
    this.hash = options.transcript === true ? new TranscriptHash() : undefined;
    this.inbox = new Inbox({
      peer: this.peer,
      stallMs: this.stallMs,
      limitBytes: this.limitBytes,
      onRoom: () => this.duplex.resume(),
      onStall: (error) => this.abort(error.message),
    });
    duplex.on('data', (chunk: Buffer) => this.onChunk(chunk));
    duplex.on('drain', () => this.onDrain());
    duplex.on('end', () => this.onPeerEnd());
    duplex.on('close', () => this.onEnd('the link was closed'));
    duplex.on('error', (error: Error) => this.onEnd(error.message));
  }

  get counters(): ChannelCounters {
    return this.count;
  }

  transcript(): ChannelTranscript | undefined {
    return this.hash?.current();
  }

  send(message: Uint8Array): Promise<void> {
    // Operators are written without types.
    if (!ArrayBuffer.isView(message)) {
      const what = `A message to ${this.peer}`;
      return Promise.reject(new ToolkitError('DT_INPUT_INVALID', { what, reason: `it is a ${typeof message}; send bytes (Uint8Array)` }));
    }
    const length = message.byteLength;
    if (this.inbox.error !== undefined && !this.isHalfOpen) return Promise.reject(this.inbox.error);
    if (length > this.maxMessageBytes) {
      return Promise.reject(
        new ToolkitError('DT_INPUT_TOO_LARGE', { what: 'A message', actual: `${length} bytes`, limit: `${this.maxMessageBytes} bytes` }),
      );
    }
    const frame = Buffer.allocUnsafe(headerBytes + length);
    frame.writeUInt32BE(length, 0);
    frame.set(message, headerBytes);
    this.duplex.write(frame);
    this.count.bytesSent += length;
    this.count.messagesSent += 1;
    this.hash?.sent(message);
    return this.duplex.writableLength > this.limitBytes ? this.waitForRoom() : Promise.resolve();
  }

  receive(): Promise<Uint8Array> {
    return this.inbox.take();
  }

  close(): Promise<void> {
    if (this.ended) return Promise.resolve();
    this.ended = true;
    this.fail(new ToolkitError('DT_PEER_GONE', { peer: this.peer, reason: 'this side closed the link' }), true);
    if (this.duplex.destroyed) return Promise.resolve();
    if (this.untilPeerEnds) return this.drain();
    // The peer's half is read to its end and thrown away; one that never ends it must not keep this side open.
    this.duplex.resume();
    const timer = setTimeout(() => this.duplex.destroy(), closeMs);
    this.duplex.once('close', () => clearTimeout(timer));
    return new Promise((resolve) => {
      this.duplex.once('close', resolve);
      this.duplex.end(() => {
        timer.unref();
        resolve();
      });
    });
  }

  /** The peer has said all that it had to say, and still takes what it is sent. */
  private get isHalfOpen(): boolean {
    return this.untilPeerEnds && this.peerEnded && !this.ended && this.duplex.writable;
  }

  private drain(): Promise<void> {
    this.draining = true;
    this.duplex.resume();
    const mark = Buffer.alloc(headerBytes);
    mark.writeUInt32BE(endMark, 0);
    this.duplex.write(mark);
    return new Promise((resolve) => {
      const finish = (): void => {
        this.onDrained = undefined;
        // Who has heard this side's end reads no more, so that nothing is lost with the rest of the stream.
        this.duplex.end(() => {
          this.duplex.destroy();
          resolve();
        });
      };
      this.duplex.once('close', resolve);
      if (this.peerEnded || this.duplex.readableEnded) finish();
      else this.onDrained = finish;
    });
  }

  abort(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    const text = Buffer.from(reason, 'utf8').subarray(0, maxReasonBytes);
    const frame = Buffer.alloc(2 * headerBytes + text.byteLength);
    frame.writeUInt32BE(abortMark, 0);
    frame.writeUInt32BE(text.byteLength, headerBytes);
    frame.set(text, 2 * headerBytes);
    if (!this.duplex.destroyed) {
      this.duplex.end(frame);
      this.duplex.resume();
      // The reason gets its chance to leave; a peer that reads nothing must not hold this side.
      setTimeout(() => this.duplex.destroy(), closeMs).unref();
    }
    this.fail(new ToolkitError('DT_PEER_GONE', { peer: this.peer, reason: `this side ended it: ${reason}` }), true);
  }

  private onChunk(chunk: Buffer): void {
    if (this.peerEnded && !this.ended) return this.breakOff('it went on after its end');
    let at = 0;
    while (at < chunk.byteLength && (this.inbox.error === undefined || this.draining)) {
      at = this.body === undefined ? this.readHeader(chunk, at) : this.readBody(chunk, at, this.body);
    }
    if (this.inbox.isFull && !this.draining) this.duplex.pause();
  }

  private readHeader(chunk: Buffer, at: number): number {
    let next = at;
    let length: number;
    if (this.headerFilled === 0 && chunk.byteLength - at >= headerBytes) {
      length = chunk.readUInt32BE(at);
      next += headerBytes;
    } else {
      const taken = Math.min(headerBytes - this.headerFilled, chunk.byteLength - at);
      chunk.copy(this.header, this.headerFilled, at, at + taken);
      this.headerFilled += taken;
      next += taken;
      if (this.headerFilled < headerBytes) return next;
      this.headerFilled = 0;
      length = this.header.readUInt32BE(0);
    }
    if (length === abortMark && !this.bodyIsReason) {
      this.bodyIsReason = true;
      return next;
    }
    if (length === endMark && !this.bodyIsReason) {
      this.onPeerEnd();
      if (next < chunk.byteLength && !this.ended) this.breakOff('it went on after its end');
      return chunk.byteLength;
    }
    if (length > (this.bodyIsReason ? maxReasonBytes : this.maxMessageBytes)) {
      this.breakOff(`it announced a message of ${length} bytes`);
      return chunk.byteLength;
    }
    if (chunk.byteLength - next >= length) {
      // The usual case: the whole frame is in this chunk, and the message is a view of it. No copy.
      this.deliver(chunk.subarray(next, next + length));
      return next + length;
    }
    this.body = Buffer.allocUnsafe(length);
    this.bodyFilled = 0;
    return next;
  }

  private readBody(chunk: Buffer, at: number, body: Buffer): number {
    const taken = Math.min(body.byteLength - this.bodyFilled, chunk.byteLength - at);
    chunk.copy(body, this.bodyFilled, at, at + taken);
    this.bodyFilled += taken;
    if (this.bodyFilled === body.byteLength) {
      this.body = undefined;
      this.deliver(body);
    }
    return at + taken;
  }

  private onPeerEnd(): void {
    this.peerEnded = this.headerFilled === 0 && this.body === undefined;
    this.onEnd('the link was closed');
    this.onDrained?.();
  }

  private deliver(message: Buffer): void {
    if (this.bodyIsReason) {
      this.draining = false;
      this.ended = true;
      this.fail(new ToolkitError('DT_PEER_ABORTED', { peer: this.peer, reason: printable(message.toString('utf8')) }), true);
      this.duplex.destroy();
      return;
    }
    this.count.bytesReceived += message.byteLength;
    this.count.messagesReceived += 1;
    this.hash?.received(message);
    if (!this.draining) this.inbox.push(message);
  }

  private breakOff(reason: string): void {
    const error = new ToolkitError('DT_PEER_PROTOCOL', { peer: this.peer, reason });
    this.fail(error, true);
    this.abort(error.message);
  }

  private onEnd(reason: string): void {
    const partial = this.headerFilled > 0 || this.body !== undefined;
    this.fail(new ToolkitError('DT_PEER_GONE', { peer: this.peer, reason: partial ? `${reason} in the middle of a message` : reason }));
  }

  private fail(error: ToolkitError, dropQueue = false): void {
    this.inbox.fail(error, dropQueue);
    const room = this.room;
    this.room = undefined;
    clearTimeout(room?.timer);
    room?.reject(this.inbox.error ?? error);
  }

  private waitForRoom(): Promise<void> {
    if (this.room !== undefined) return this.room.promise;
    let resolve: () => void = () => undefined;
    let reject: (error: ToolkitError) => void = () => undefined;
    const promise = new Promise<void>((onRoom, onFailure) => {
      resolve = onRoom;
      reject = onFailure;
    });
    const timer = setTimeout(() => {
      const error = new ToolkitError('DT_PEER_STALLED', { peer: this.peer, seconds: this.stallMs / 1000 });
      this.fail(error, true);
      this.abort(error.message);
    }, this.stallMs);
    this.room = { promise, resolve, reject, timer };
    return promise;
  }

  private onDrain(): void {
    const room = this.room;
    this.room = undefined;
    clearTimeout(room?.timer);
    room?.resolve();
  }
}

/** A peer's text goes to terminals and logs: control characters must not. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}
