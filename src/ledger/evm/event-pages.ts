import type { Bytes32 } from '../../documents/ids.js';
import type { BlockRef, ChainTime, EventPage, LedgerEvent } from '../ledger.js';
import type { ChainClient } from './chain-client.js';
import { type ChainLog, eventsOf, timeOfBlock } from './chain-events.js';
import { bytes32Of } from './codecs.js';
import { logsCall, logsOf } from './read-logs.js';
import { isRecord, quantityOf, type RpcAnswer, type RpcCall, resultOf, unreachable } from './rpc.js';

/** Blocks of the first page of a chain that nothing is known of. */
const FIRST_BLOCKS = 256;
/** A page with fewer logs is followed by one of twice the blocks, one with more by one of half: a page is worked through in one go. */
const FEW_LOGS = 1_000;
const MANY_LOGS = 4_000;
const MOST_BLOCKS = 1_000_000;
/** A chain that is reorganized while it is read is read again, this often at most. */
const ATTEMPTS = 5;

interface Head {
  readonly ref: BlockRef;
  readonly time: ChainTime;
}

const pageOf = (events: readonly LedgerEvent[], upTo: BlockRef, head: Head): EventPage => ({
  events,
  upTo,
  head: head.ref.block,
  headTime: head.time,
});

/**
 * Events in stretches whose last block is known by its hash. What is asked of the chain is asked in one batch, with the hash of the last block
 * before and after the logs: when both agree, the logs are of the chain of that block.
 */
export class EventPages {
  #blocks = FIRST_BLOCKS;

  constructor(private readonly client: ChainClient) {}

  async after(known: BlockRef | undefined): Promise<EventPage | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const page = known === undefined ? undefined : await this.#following(known);
      if (page === 'gone') return undefined;
      const read = page ?? (await this.#stretch(known));
      if (read === 'gone') return undefined;
      if (read !== 'moved') return read;
    }
    throw unreachable(this.client.rpc.label, 'the chain was reorganized again and again while it was read');
  }

  /**
   * What follows a block, in one round trip: up to the head where that is near, and never more blocks than a page has, since nobody knows how
   * long ago the block was the head. undefined where the endpoint refuses a range that ends above its head.
   */
  async #following(known: BlockRef): Promise<EventPage | 'gone' | 'moved' | undefined> {
    const { client } = this;
    const to = known.block + this.#blocks;
    const ends = [blockCall(to), blockCall('latest')];
    const answers = await client.exchange([blockCall(known.block), ...ends, logsCall(client, known.block + 1, to), ...ends]);
    const [before, ...rest] = answers;
    if (this.#blockOf(before)?.hash !== known.hash) return 'gone';
    const [first, head, logs, last, later] = rest;
    const [newest, now] = [this.#headOf(head), this.#headOf(later)];
    const upTo = this.#blockOf(first) ?? newest.ref;
    if (logs?.ok !== true) {
      // A start beyond the head is no event yet; some nodes call that an error.
      return newest.ref.block === known.block ? pageOf([], newest.ref, newest) : undefined;
    }
    const end = upTo === newest.ref ? now.ref : this.#blockOf(last);
    if (upTo.hash !== end?.hash && (await this.hashes([upTo.block]))[0] !== upTo.hash) return 'moved';
    return this.#page(this.#measured(logsOf(logs.result, client.rpc), upTo.block === to), upTo, now);
  }

  /** As many blocks as the endpoint gives at once; the first page of a chain asks for its head in a round trip of its own. */
  async #stretch(known: BlockRef | undefined): Promise<EventPage | 'gone' | 'moved'> {
    const { client } = this;
    const from = known === undefined ? client.book.block : known.block + 1;
    const head = this.#headOf((await client.exchange([blockCall('latest')]))[0]);
    // The address book is of a chain that was longer.
    if (from > head.ref.block) return known === undefined ? pageOf([], head.ref, head) : 'moved';
    for (;;) {
      const to = Math.min(head.ref.block, from + this.#blocks - 1);
      const calls = [blockCall(to), logsCall(client, from, to), blockCall(to), ...(known === undefined ? [] : [blockCall(known.block)])];
      const [first, logs, last, before] = await client.exchange(calls);
      if (known !== undefined && this.#blockOf(before)?.hash !== known.hash) return 'gone';
      if (logs?.ok !== true) {
        if (to === from) throw unreachable(client.rpc.label, `eth_getLogs of block ${from}: ${logs?.error.message ?? 'no answer'}`);
        this.#blocks = Math.max(1, Math.floor((to - from + 1) / 2));
        continue;
      }
      const upTo = this.#blockOf(first);
      if (upTo === undefined || this.#blockOf(last)?.hash !== upTo.hash) return 'moved';
      return this.#page(this.#measured(logsOf(logs.result, client.rpc), to < head.ref.block), upTo, head);
    }
  }

  /** Only a page that has all its blocks tells how many logs those have. */
  #measured(logs: readonly ChainLog[], isFull: boolean): readonly ChainLog[] {
    if (isFull && logs.length < FEW_LOGS) this.#blocks = Math.min(MOST_BLOCKS, this.#blocks * 2);
    else if (logs.length > MANY_LOGS) this.#blocks = Math.max(1, Math.floor(this.#blocks / 2));
    return logs;
  }

  async #page(logs: readonly ChainLog[], upTo: BlockRef, head: Head): Promise<EventPage | 'moved'> {
    const within = logs.filter(({ block }) => block <= upTo.block);
    if (within.some(({ block, blockHash }) => block === upTo.block && blockHash !== upTo.hash)) return 'moved';
    return pageOf(await eventsOf(this.client, within), upTo, head);
  }

  async hashes(blocks: readonly number[]): Promise<readonly (Bytes32 | undefined)[]> {
    if (blocks.length === 0) return [];
    const answers = await this.client.exchange(blocks.map(blockCall));
    return answers.map((answer) => this.#blockOf(answer)?.hash);
  }

  #headOf(answer: RpcAnswer | undefined): Head {
    const { rpc } = this.client;
    const ref = this.#blockOf(answer);
    if (ref === undefined) throw unreachable(rpc.label, 'eth_getBlockByNumber: there is no latest block');
    return { ref, time: timeOfBlock(resultOf(answer, rpc, 'eth_getBlockByNumber'), rpc) };
  }

  #blockOf(answer: RpcAnswer | undefined): BlockRef | undefined {
    const { rpc } = this.client;
    const block = resultOf(answer, rpc, 'eth_getBlockByNumber');
    if (block === null || !isRecord(block)) return undefined;
    return { block: quantityOf(block['number'], rpc, 'number of a block'), hash: bytes32Of(block['hash']) };
  }
}

const blockCall = (block: number | 'latest'): RpcCall => ({
  method: 'eth_getBlockByNumber',
  params: [block === 'latest' ? block : `0x${block.toString(16)}`, false],
});
