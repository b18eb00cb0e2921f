import type { LedgerEvent, LedgerReader } from '../../ledger/ledger.js';

/** What happens on chain, for the pages that are open: one watch for all of them, and none while nobody looks. */
export class ChainFeed {
  readonly #listeners = new Set<(event: LedgerEvent | undefined) => void>();
  #watch: AbortController | undefined;

  constructor(private readonly ledger: Pick<LedgerReader, 'head' | 'watch'>) {}

  /** The listener gets undefined when events may have been missed. Returns the end of the subscription. */
  subscribe(listener: (event: LedgerEvent | undefined) => void): () => void {
    const own = (event: LedgerEvent | undefined): void => listener(event);
    this.#listeners.add(own);
    if (this.#watch === undefined) this.#start();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      this.#watch?.abort();
      this.#watch = undefined;
    };
  }

  #start(): void {
    const watch = new AbortController();
    this.#watch = watch;
    const tell = (event: LedgerEvent | undefined): void => {
      for (const listener of this.#listeners) listener(event);
    };
    const follow = async (): Promise<void> => {
      const { block } = await this.ledger.head().catch(() => ({ block: 0 }));
      await this.ledger.watch(tell, { fromBlock: block + 1, signal: watch.signal, onGap: () => tell(undefined) });
    };
    // Pages ask again when they come back; until then they miss what the chain would have told.
    follow().catch(() => {
      if (this.#watch === watch) this.#watch = undefined;
      tell(undefined);
    });
  }
}
