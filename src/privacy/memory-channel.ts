import { ToolkitError } from '../errors/toolkit-error.js';
import type { Channel, ChannelCounters, ChannelTranscript } from './channel.js';
import { Inbox } from './inbox.js';
import { TranscriptHash } from './transcript-hash.js';

export interface MemoryChannelOptions {
  /** Names of the two ends; the first end's peer is the second name. */
  readonly names?: readonly [string, string];
  /** One-way delay of each message. */
  readonly latencyMs?: number;
  /** Upper bound of a wait; 60,000 by default. */
  readonly stallMs?: number;
  /** Bytes that may be under way in one direction before send waits; 1 MiB by default. */
  readonly limitBytes?: number;
}

/**
 * Two ends of a link inside one process, for tests and simulation. It counts and hashes like a real link, holds messages back
 * by a fixed latency where asked, and pushes back when the reader is slow.
 */
export function memoryChannelPair(options: MemoryChannelOptions = {}): [Channel, Channel] {
  const [left, right] = options.names ?? ['left', 'right'];
  const settings = { latencyMs: options.latencyMs ?? 0, stallMs: options.stallMs ?? 60_000, limitBytes: options.limitBytes ?? 1 << 20 };
  const first = new MemoryChannel(right, settings);
  const second = new MemoryChannel(left, settings);
  first.join(second);
  second.join(first);
  return [first, second];
}

interface Settings {
  readonly latencyMs: number;
  readonly stallMs: number;
  readonly limitBytes: number;
}

interface RoomWaiter {
  readonly resolve: () => void;
  readonly reject: (error: ToolkitError) => void;
  readonly timer: NodeJS.Timeout;
}

// A run of two parties in one process would otherwise live in microtasks alone and starve every timer.
const sendsBetweenYields = 256;

class MemoryChannel implements Channel {
  private readonly inbox: Inbox;
  private readonly hash = new TranscriptHash();
  private other!: MemoryChannel;
  private readonly count = { bytesSent: 0, bytesReceived: 0, messagesSent: 0, messagesReceived: 0 };
  private roomWaiters: RoomWaiter[] = [];
  private ended = false;

  constructor(
    readonly peer: string,
    private readonly settings: Settings,
  ) {
    this.inbox = new Inbox({
      peer,
      stallMs: settings.stallMs,
      limitBytes: settings.limitBytes,
      onRoom: () => this.other.onRoom(),
      onStall: (error) => this.abort(error.message),
    });
  }

  join(other: MemoryChannel): void {
    this.other = other;
  }

  get counters(): ChannelCounters {
    return this.count;
  }

  transcript(): ChannelTranscript {
    return this.hash.current();
  }

  send(message: Uint8Array): Promise<void> {
    if (this.inbox.error !== undefined) return Promise.reject(this.inbox.error);
    const copy = message.slice();
    this.count.bytesSent += copy.byteLength;
    this.count.messagesSent += 1;
    this.hash.sent(copy);
    this.deliver(() => this.other.inbox.push(copy));
    if (this.other.inbox.isFull) return this.waitForRoom();
    if (this.count.messagesSent % sendsBetweenYields === 0) return new Promise((resolve) => setImmediate(resolve));
    return Promise.resolve();
  }

  async receive(): Promise<Uint8Array> {
    const message = await this.inbox.take();
    this.count.bytesReceived += message.byteLength;
    this.count.messagesReceived += 1;
    this.hash.received(message);
    return message;
  }

  close(): Promise<void> {
    this.finish('it closed the link', false);
    return Promise.resolve();
  }

  abort(reason: string): void {
    this.finish(reason, true);
  }

  private finish(reason: string, aborted: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.deliver(() => this.other.onPeerEnd(reason, aborted));
    const error = new ToolkitError('DT_PEER_GONE', {
      peer: this.peer,
      reason: aborted ? `this side ended it: ${reason}` : 'this side closed the link',
    });
    this.inbox.fail(error, true);
    this.rejectRoomWaiters(error);
  }

  private onPeerEnd(reason: string, aborted: boolean): void {
    const error = new ToolkitError(aborted ? 'DT_PEER_ABORTED' : 'DT_PEER_GONE', { peer: this.peer, reason });
    this.inbox.fail(error, aborted);
    this.rejectRoomWaiters(error);
  }

  private waitForRoom(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new ToolkitError('DT_PEER_STALLED', { peer: this.peer, seconds: this.settings.stallMs / 1000 });
        this.inbox.fail(error, true);
        this.rejectRoomWaiters(error);
        this.abort(error.message);
      }, this.settings.stallMs);
      this.roomWaiters.push({ resolve, reject, timer });
    });
  }

  private onRoom(): void {
    for (const waiter of this.takeRoomWaiters()) waiter.resolve();
  }

  private rejectRoomWaiters(error: ToolkitError): void {
    for (const waiter of this.takeRoomWaiters()) waiter.reject(error);
  }

  private takeRoomWaiters(): RoomWaiter[] {
    const waiters = this.roomWaiters;
    this.roomWaiters = [];
    for (const { timer } of waiters) clearTimeout(timer);
    return waiters;
  }

  private deliver(action: () => void): void {
    if (this.settings.latencyMs > 0) setTimeout(action, this.settings.latencyMs);
    else action();
  }
}
