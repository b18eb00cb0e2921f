import { signal } from '@preact/signals';
import type { Run } from './types.js';

export const topics = ['run', 'assets', 'chain', 'peers', 'access', 'everything'] as const;
export type Topic = (typeof topics)[number];
type Listener = (topic: Topic, run: Run | undefined) => void;

/** Browsers open six connections to a host: a page that nobody sees lets go of its own. */
const RETRY_MS = 2_000;

/** The daemon's one stream of changes. What was missed is never told, so everything counts as changed after each connect. */
export class Live {
  readonly state = signal<'connecting' | 'live' | 'lost'>('connecting');
  readonly #listeners = new Set<Listener>();
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly onSignedOut: () => void,
  ) {}

  start(): void {
    document.addEventListener('visibilitychange', this.#onVisible);
    this.#onVisible();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.#close();
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly #onVisible = (): void => {
    if (document.hidden) this.#close();
    else if (this.#source === undefined) this.#open();
  };

  #open(): void {
    this.#close();
    this.state.value = 'connecting';
    const source = new EventSource(this.url);
    this.#source = source;
    source.addEventListener('hello', () => {
      this.state.value = 'live';
      this.#tell('everything', undefined);
    });
    for (const topic of topics)
      source.addEventListener(topic, (event) => {
        const run = topic === 'run' ? (JSON.parse((event as MessageEvent<string>).data) as Run) : undefined;
        this.#tell(topic, run);
      });
    source.addEventListener('signed-out', () => {
      this.#close();
      this.onSignedOut();
    });
    source.addEventListener('error', () => {
      if (this.#source !== source) return;
      this.state.value = 'lost';
      // A refused connect is final for an EventSource; a broken one it takes up again by itself.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#retry = setTimeout(() => this.#open(), RETRY_MS);
    });
  }

  #close(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  #tell(topic: Topic, run: Run | undefined): void {
    for (const listener of this.#listeners) listener(topic, run);
  }
}
