import { createHash } from 'node:crypto';
import type { EventSource } from '../../src/catalog/index/following-index.js';
import { type Address, type Bytes32, parseAddress, parseBytes32, type TokenId, tokenIdOf } from '../../src/documents/ids.js';
import type { BlockRef, ChainRef, EventPage, EventPlace, LedgerEvent } from '../../src/ledger/ledger.js';

/** What happens, without where. */
export type EventBody<Event = LedgerEvent> = Event extends unknown ? Omit<Event, keyof EventPlace> : never;

export const chainRef: ChainRef = { chainId: 31_337, market: parseAddress(`0x${'aa'.repeat(20)}`) };
const GENESIS_TIME = 1_700_000_000;

interface Block {
  readonly hash: Bytes32;
  readonly events: readonly LedgerEvent[];
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
export const wordOf = (text: string): Bytes32 => parseBytes32(`0x${sha256(text)}`);
export const addressOf = (text: string): Address => parseAddress(`0x${sha256(text).slice(0, 40)}`);
export const tokenOf = (text: string): TokenId => tokenIdOf(sha256(text));

/** A chain that a test writes by hand, a block for each list of events; it can be cut off and go on otherwise. */
export class GeneratedChain implements EventSource {
  readonly ref = chainRef;
  readonly #blocks: Block[] = [];
  readonly #genesis: string;
  /** Blocks that are read at once. */
  pageBlocks = 1_000;
  /** How often events were asked for. */
  reads = 0;

  constructor(genesis = 'genesis') {
    this.#genesis = genesis;
  }

  get head(): number {
    return this.#blocks.length;
  }

  mine(...bodies: readonly EventBody[]): void {
    const block = this.#blocks.length + 1;
    const parent = this.#blocks.at(-1)?.hash ?? this.#genesis;
    const hash = wordOf(`${parent} ${block} ${JSON.stringify(bodies, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`);
    const place = (logIndex: number): EventPlace => ({
      ...{ block, blockHash: hash, logIndex },
      ...{ transaction: wordOf(`${hash} transaction`), time: GENESIS_TIME + block },
    });
    this.#blocks.push({ hash, events: bodies.map((body, i) => ({ ...place(i), ...body })) });
  }

  /** What follows a block is gone. */
  cut(block: number): void {
    this.#blocks.splice(block);
  }

  events(): readonly LedgerEvent[] {
    return this.#blocks.flatMap(({ events }) => events);
  }

  async eventsAfter(known: BlockRef | undefined): Promise<EventPage | undefined> {
    this.reads += 1;
    const from = known?.block ?? 0;
    if (known !== undefined && this.#blocks[from - 1]?.hash !== known.hash) return undefined;
    const upTo = Math.min(this.head, from + this.pageBlocks);
    const last = this.#blocks[upTo - 1];
    if (last === undefined) return { events: [], upTo: { block: 0, hash: wordOf(this.#genesis) }, head: 0, headTime: GENESIS_TIME };
    const events = this.#blocks.slice(from, upTo).flatMap((block) => block.events);
    return { events, upTo: { block: upTo, hash: last.hash }, head: this.head, headTime: GENESIS_TIME + this.head };
  }

  async blockHashes(blocks: readonly number[]): Promise<readonly (Bytes32 | undefined)[]> {
    return blocks.map((block) => this.#blocks[block - 1]?.hash);
  }
}

export const organization = (name: string, url = ''): EventBody => ({
  kind: 'organization',
  organization: { address: addressOf(name), name, description: '', url, linkKey: wordOf(''), isAggregator: true, isProvider: true },
});
export const minted = (name: string, owner: string, children: readonly string[] = [], digest = wordOf(name)): EventBody => ({
  kind: 'token-minted',
  token: tokenOf(name),
  owner: addressOf(owner),
  digest,
  children: children.map(tokenOf),
});
export const granted = (child: string, composite: string, until = 0): EventBody => ({
  kind: 'granted',
  child: tokenOf(child),
  composite: tokenOf(composite),
  until,
});
export const revoked = (child: string, composite: string): EventBody => ({
  kind: 'revoked',
  child: tokenOf(child),
  composite: tokenOf(composite),
});
