import type { ChainLog } from './chain-events.js';

/** Which logs were told already. It remembers as many blocks as are read again after a loss, and no more. */
export class EventTracker {
  readonly #seen = new Map<string, number>();
  #head: number;

  constructor(
    private readonly fromBlock: number,
    private readonly replayBlocks: number,
  ) {
    this.#head = fromBlock;
  }

  /** The block that a replay starts at. */
  replayFrom(): number {
    return Math.max(this.fromBlock, this.#head - this.replayBlocks);
  }

  isNew(log: ChainLog): boolean {
    return log.block >= this.fromBlock && !this.#seen.has(keyOf(log));
  }

  remember(log: ChainLog): void {
    this.#seen.set(keyOf(log), log.block);
    this.advance(log.block);
  }

  /** True when it had been told. */
  forget(log: ChainLog): boolean {
    return this.#seen.delete(keyOf(log));
  }

  advance(head: number): void {
    if (head <= this.#head) return;
    this.#head = head;
    for (const [key, block] of this.#seen) if (block < this.replayFrom()) this.#seen.delete(key);
  }

  /** Forgets what was told of blocks from `from` on and is not among `logs`; the first such block, if any. */
  missingFrom(logs: readonly ChainLog[], from: number): number | undefined {
    const present = new Set(logs.map(keyOf));
    let first: number | undefined;
    for (const [key, block] of this.#seen) {
      if (block < from || present.has(key)) continue;
      this.#seen.delete(key);
      first = Math.min(first ?? block, block);
    }
    // A shorter chain than before is read again from where it differs.
    if (first !== undefined) this.#head = Math.max(this.fromBlock, first);
    return first;
  }
}

/** The hash tells the blocks of one height apart. */
const keyOf = (log: ChainLog): string => `${log.blockHash}:${log.logIndex}`;
