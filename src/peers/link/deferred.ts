/** A promise that is settled from outside. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<Value>(): Deferred<Value> {
  let resolve!: (value: Value) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

/** A bound on waits that come often: one timer that is moved, since moving it is ten times cheaper than a new one. */
export class WaitBound {
  private timer: NodeJS.Timeout | undefined;
  private waiting = false;

  constructor(
    private readonly ms: number,
    private readonly onOver: () => void,
  ) {}

  start(): void {
    this.waiting = true;
    if (this.timer !== undefined) this.timer.refresh();
    // Node takes a delay that does not fit 31 bits for one millisecond.
    else this.timer = setTimeout(() => this.fire(), Math.min(this.ms, 0x7fffffff)).unref();
  }

  stop(): void {
    this.waiting = false;
  }

  private fire(): void {
    if (!this.waiting) return;
    this.waiting = false;
    this.onOver();
  }
}
