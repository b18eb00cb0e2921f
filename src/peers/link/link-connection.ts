import type { TLSSocket } from 'node:tls';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type Deferred, deferred } from './deferred.js';
import { FrameReader, type FrameSink, frameType, headerBytes, maxReasonBytes, payloadLimits } from './frames.js';
import { fragmentBytes } from './link-limits.js';
import { printable } from './printable.js';

/** One frame of the handshake, with a payload of its own. */
export interface HandshakeFrame {
  readonly type: number;
  readonly value: number;
  readonly payload: Buffer;
}

/** Why an end refuses a connection: an error of the table, another connection that is used instead, or a forgotten stream. */
export const refusal = { error: 1, duplicate: 2, forgotten: 3 } as const;

export interface Refusal {
  readonly kind: number;
  readonly code: string;
  readonly reason: string;
}

export interface ConnectionOwner {
  readonly sink: FrameSink;
  readonly onDrain: () => void;
  /** Once. */
  readonly onClosed: (reason: string) => void;
}

/** More than this in the socket's queue and data waits in its channel, where it keeps its turn. */
const congestedBytes = 1 << 18;
/** The last frame gets so long to leave. */
const lingerMs = 1_000;
const frameLimits = payloadLimits(fragmentBytes);

/**
 * One TLS connection: first the frames of the handshake, one at a time and only when asked for; then a stream that it is attached
 * to. Every byte that comes before the peer is known is bounded by `deadline` and by the sizes of the handshake.
 */
export class LinkConnection implements FrameSink {
  readonly remote: string;
  private readonly reader = new FrameReader(frameLimits);
  private held: { readonly chunk: Buffer; readonly at: number } | undefined;
  private waiting: Deferred<HandshakeFrame> | undefined;
  private owner: ConnectionOwner | undefined;
  private deadlineTimer: NodeJS.Timeout | undefined;
  private closedBecause: string | undefined;
  private heardSinceAsked = false;
  private wroteSinceAsked = false;

  constructor(private readonly socket: TLSSocket) {
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.setNoDelay(true);
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.onChunk(chunk));
    socket.on('drain', () => this.owner?.onDrain());
    socket.on('error', (error: Error) => this.onClosed(error.message));
    socket.on('end', () => this.onClosed('the peer closed the connection'));
    socket.on('close', () => this.onClosed('the connection was lost'));
  }

  get isCongested(): boolean {
    return this.socket.writableLength > congestedBytes;
  }

  get isOver(): boolean {
    return this.closedBecause !== undefined;
  }

  /** The handshake must be over by then. */
  deadline(ms: number): void {
    clearTimeout(this.deadlineTimer);
    this.deadlineTimer = setTimeout(() => this.onDeadline(`the handshake took longer than ${ms / 1000} s`), ms);
  }

  /** The next frame of the handshake. @throws DT_LINK_HANDSHAKE */
  next(): Promise<HandshakeFrame> {
    if (this.closedBecause !== undefined) return Promise.reject(this.failed(this.closedBecause));
    this.waiting = deferred();
    const { promise } = this.waiting;
    this.readHeld();
    return promise;
  }

  /** Ends the handshake: what comes from now on belongs to the stream. */
  attach(owner: ConnectionOwner): void {
    clearTimeout(this.deadlineTimer);
    this.owner = owner;
    if (this.closedBecause === undefined) this.readHeld();
    else owner.onClosed(this.closedBecause);
  }

  write(bytes: Uint8Array): void {
    this.wroteSinceAsked = true;
    this.socket.write(bytes);
  }

  send(type: number, id: number, payload: Uint8Array): void {
    this.write(frameOf(type, id, payload.length, payload));
  }

  /** A frame without payload. */
  sendValue(type: number, value: number): void {
    this.write(frameOf(type, 0, value, new Uint8Array()));
  }

  /** Tells the peer why there will be no link, then closes. */
  refuse(kind: number, code: string, reason: string): void {
    const text = Buffer.from(`${code} ${reason}`, 'utf8').subarray(0, maxReasonBytes);
    this.end(frameOf(frameType.refuse, kind, text.length, text), reason);
  }

  /** Closes once everything that was written has left, or soon. */
  end(last: Uint8Array | undefined, reason: string): void {
    if (this.socket.destroyed) return this.onClosed(reason);
    if (last === undefined) this.socket.end();
    else this.socket.end(last);
    this.socket.resume();
    setTimeout(() => this.socket.destroy(), lingerMs).unref();
    this.onClosed(reason);
  }

  destroy(reason: string): void {
    this.onClosed(reason);
    this.socket.destroy();
  }

  /** Whether anything came, or was written, since the last time it was asked. */
  activity(): { readonly heard: boolean; readonly wrote: boolean } {
    const activity = { heard: this.heardSinceAsked, wrote: this.wroteSinceAsked };
    this.heardSinceAsked = false;
    this.wroteSinceAsked = false;
    return activity;
  }

  onFrame(type: number, id: number, value: number, bytes: Buffer, at: number): boolean {
    const { waiting } = this;
    this.waiting = undefined;
    this.socket.pause();
    if (type > frameType.refuse) {
      this.onGarbage(`it sent a frame of type ${type} before the handshake was over`, waiting);
    } else {
      const payload = type === frameType.use ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at, at + value));
      waiting?.resolve({ type, value: type === frameType.refuse ? id : value, payload });
    }
    return false;
  }

  onGarbage(reason: string, waiting = this.waiting): void {
    this.waiting = undefined;
    waiting?.reject(this.failed(reason));
    this.destroy(reason);
  }

  /** Who waits for a frame is told first, and can tell the peer. */
  private onDeadline(reason: string): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined) this.destroy(reason);
    else waiting.reject(this.failed(reason));
  }

  private onChunk(chunk: Buffer): void {
    this.heardSinceAsked = true;
    if (this.closedBecause !== undefined) return;
    const at = this.reader.push(chunk, 0, this.owner?.sink ?? this);
    if (at < chunk.length) this.held = { chunk, at };
  }

  private readHeld(): void {
    const { held } = this;
    this.held = undefined;
    if (held !== undefined) {
      const at = this.reader.push(held.chunk, held.at, this.owner?.sink ?? this);
      if (at < held.chunk.length) this.held = { chunk: held.chunk, at };
    }
    if (this.owner !== undefined || this.waiting !== undefined) this.socket.resume();
  }

  private onClosed(reason: string): void {
    if (this.closedBecause !== undefined) return;
    this.closedBecause = reason;
    clearTimeout(this.deadlineTimer);
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(this.failed(reason));
    this.owner?.onClosed(reason);
    if (this.socket.readableEnded || this.socket.errored !== null) this.socket.destroy();
  }

  private failed(reason: string): ToolkitError {
    return new ToolkitError('DT_LINK_HANDSHAKE', { peer: this.remote, reason });
  }
}

export function refusalOf(frame: HandshakeFrame): Refusal {
  const text = printable(frame.payload.toString('utf8'));
  const blank = text.indexOf(' ');
  return { kind: frame.value, code: blank < 0 ? text : text.slice(0, blank), reason: blank < 0 ? '' : text.slice(blank + 1) };
}

function frameOf(type: number, id: number, value: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(headerBytes + payload.length);
  frame[0] = type;
  frame.writeUIntBE(id, 1, 3);
  frame.writeUInt32BE(value, 4);
  frame.set(payload, headerBytes);
  return frame;
}
