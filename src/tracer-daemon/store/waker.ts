/**
 * Something in the store changed. Signals are hints without content: a listener reads the store. `resync`: signals may have
 * been missed (the connection to the database was lost), so everyone reads again.
 */
export type WakeSignal =
  /** `due`: a run waits for somebody, or its retention time has begun. */
  | { readonly kind: 'queued' | 'settling' | 'pending-settlement' | 'due' | 'datasets' | 'access' | 'resync' }
  | { readonly kind: 'cancel' | 'events'; readonly runId: string };

export type WakeListener = (signal: WakeSignal) => void;

export interface Waker {
  /** Called after the change is committed, in this process or (PostgreSQL) in another. Returns the end of the subscription. */
  subscribe(listener: WakeListener): () => void;
}

/** Listeners within this process. */
export class LocalWaker implements Waker {
  readonly #listeners = new Set<WakeListener>();

  subscribe(listener: WakeListener): () => void {
    // A fresh function for each subscription: the same listener may subscribe twice and end only one of them.
    const own: WakeListener = (signal) => listener(signal);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Deferred, so that a listener that throws cannot make a committed write look failed. */
  emit(signal: WakeSignal): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener(signal));
  }
}

export const encodeSignal = (signal: WakeSignal): string => ('runId' in signal ? `${signal.kind}:${signal.runId}` : signal.kind);

/** undefined for what this version does not know: a newer process on the same database may say more. */
export function decodeSignal(text: string): WakeSignal | undefined {
  const [kind, runId] = text.split(':');
  if ((kind === 'cancel' || kind === 'events') && runId) return { kind, runId };
  if (
    kind === 'queued' ||
    kind === 'settling' ||
    kind === 'pending-settlement' ||
    kind === 'due' ||
    kind === 'datasets' ||
    kind === 'access' ||
    kind === 'resync'
  )
    return { kind };
  return undefined;
}
