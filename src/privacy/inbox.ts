import { ToolkitError } from '../errors/toolkit-error.js';

export interface InboxOptions {
  readonly peer: string;
  /** Upper bound of one wait for a message or for room, milliseconds. */
  readonly stallMs: number;
  /** Called when the queue has been emptied below half of its limit after it was full. */
  readonly onRoom: () => void;
  /** Called when a wait has passed its bound. */
  readonly onStall: (error: ToolkitError) => void;
  readonly limitBytes: number;
}

interface Waiter {
  readonly resolve: (message: Uint8Array) => void;
  readonly reject: (error: ToolkitError) => void;
}

/**
 * The receiving half that every channel shares: a queue with one waiter, a bound on waiting, and one final error. A message
 * that is there already costs no timer and no event.
 */
export class Inbox {
  private readonly queue: Uint8Array[] = [];
  private head = 0;
  private queuedBytes = 0;
  private wasFull = false;
  private waiter: Waiter | undefined;
  private failure: ToolkitError | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: InboxOptions) {}

  get isFull(): boolean {
    return this.queuedBytes >= this.options.limitBytes;
  }

  get error(): ToolkitError | undefined {
    return this.failure;
  }

  push(message: Uint8Array): void {
    if (this.failure !== undefined) return;
    const waiter = this.waiter;
    if (waiter !== undefined) {
      this.waiter = undefined;
      this.timer?.unref();
      waiter.resolve(message);
      return;
    }
    this.queue.push(message);
    this.queuedBytes += message.byteLength;
    if (this.isFull) this.wasFull = true;
  }

  /** Messages that came before the failure are still handed out, so that a peer's last words are heard in order. */
  take(): Promise<Uint8Array> {
    if (this.head < this.queue.length) return Promise.resolve(this.shift());
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.waiter !== undefined) {
      return Promise.reject(new ToolkitError('DT_BUG_UNEXPECTED', { reason: `two calls wait for a message of ${this.options.peer}` }));
    }
    this.startTimer();
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject };
    });
  }

  /** The first error stays; `dropQueue` when what is queued must not be used any more. */
  fail(error: ToolkitError, dropQueue = false): void {
    if (dropQueue) this.drop();
    if (this.failure !== undefined) return;
    this.failure = error;
    clearTimeout(this.timer);
    const waiter = this.waiter;
    this.waiter = undefined;
    waiter?.reject(error);
  }

  private shift(): Uint8Array {
    const message = this.queue[this.head] as Uint8Array;
    this.head += 1;
    this.queuedBytes -= message.byteLength;
    if (this.head === this.queue.length) {
      this.queue.length = 0;
      this.head = 0;
    } else if (this.head > 1024) {
      this.queue.splice(0, this.head);
      this.head = 0;
    }
    if (this.wasFull && this.queuedBytes * 2 < this.options.limitBytes) {
      this.wasFull = false;
      this.options.onRoom();
    }
    return message;
  }

  private drop(): void {
    this.queue.length = 0;
    this.head = 0;
    this.queuedBytes = 0;
  }

  private startTimer(): void {
    // One timer for the life of the channel: refreshing it is ten times cheaper than a new one for each wait. It keeps the
    // process alive only while someone waits.
    if (this.timer === undefined) this.timer = setTimeout(() => this.onTimer(), this.options.stallMs);
    else this.timer.refresh().ref();
  }

  private onTimer(): void {
    if (this.waiter === undefined || this.failure !== undefined) return;
    const error = new ToolkitError('DT_PEER_STALLED', { peer: this.options.peer, seconds: this.options.stallMs / 1000 });
    this.fail(error, true);
    this.options.onStall(error);
  }
}
