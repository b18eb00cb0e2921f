import type { Bytes32 } from '../../documents/ids.js';
import type { BlockRef, EventPage } from '../ledger.js';
import type { ChainClient } from './chain-client.js';
import { type ChainLog, eventsOf } from './chain-events.js';
import { bytes32Of } from './codecs.js';
import { logsCall, logsOf } from './read-logs.js';
import { isRecord, quantityOf, type RpcAnswer, type RpcCall, resultOf, unreachable } from './rpc.js';

/** Blocks of the first page of a chain that nothing is known of. */
const FIRST_BLOCKS = 2_000;
/** A page with fewer logs is followed by one of twice the blocks, one with more by one of half. */
const FEW_LOGS = 2_000;
const MANY_LOGS = 8_000;
/** A chain that is reorganized while it is read is read again, this often at most. */
const ATTEMPTS = 5;

/**
 * Events in stretches whose last block is known by its hash. What is asked of the chain is asked in one batch, with the hash of the last block
 * before and after the logs: when both agree, the logs are of the chain of that block.
 */
export class EventPages {
  #blocks = FIRST_BLOCKS;

  constructor(private readonly client: ChainClient) {}

  async after(known: BlockRef | undefined): Promise<EventPage | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const page = known === undefined ? undefined : await this.#toHead(known);
      if (page === 'gone') return undefined;
      const read = page ?? (await this.#stretch(known));
      if (read === 'gone') return undefined;
      if (read !== 'moved') return read;
    }
    throw unreachable(this.client.rpc.label, 'the chain was reorganized again and again while it was read');
  }

  /** All that is new, in one round trip; undefined where the endpoint does not give that much at once. */
  async #toHead(known: BlockRef): Promise<EventPage | 'gone' | 'moved' | undefined> {
    const { client } = this;
    const calls = [blockCall(known.block), blockCall('latest'), logsCall(client, known.block + 1, undefined), blockCall('latest')];
    const [before, first, logs, last] = await client.exchange(calls);
    if (this.#blockOf(before)?.hash !== known.hash) return 'gone';
    const [upTo, later] = [this.#headOf(first), this.#headOf(last)];
    if (logs?.ok !== true) {
      // A start beyond the head is no event yet; some nodes call that an error.
      return upTo.block === known.block ? { events: [], upTo, head: upTo.block } : undefined;
    }
    if (upTo.hash !== later.hash && (await this.hashes([upTo.block]))[0] !== upTo.hash) return 'moved';
    return this.#page(logsOf(logs.result, client.rpc), upTo, later.block);
  }

  /** As many blocks as the endpoint gives at once; the first page of a chain asks for its head in a round trip of its own. */
  async #stretch(known: BlockRef | undefined): Promise<EventPage | 'gone' | 'moved'> {
    const { client } = this;
    const from = known === undefined ? client.book.block : known.block + 1;
    const head = this.#headOf((await client.exchange([blockCall('latest')]))[0]);
    // The address book is of a chain that was longer.
    if (from > head.block) return known === undefined ? { events: [], upTo: head, head: head.block } : 'moved';
    for (;;) {
      const to = Math.min(head.block, from + this.#blocks - 1);
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
      const found = logsOf(logs.result, client.rpc);
      if (found.length < FEW_LOGS) this.#blocks *= 2;
      else if (found.length > MANY_LOGS) this.#blocks = Math.max(1, Math.floor(this.#blocks / 2));
      return this.#page(found, upTo, head.block);
    }
  }

  async #page(logs: readonly ChainLog[], upTo: BlockRef, head: number): Promise<EventPage | 'moved'> {
    const within = logs.filter(({ block }) => block <= upTo.block);
    if (within.some(({ block, blockHash }) => block === upTo.block && blockHash !== upTo.hash)) return 'moved';
    return { events: await eventsOf(this.client, within), upTo, head };
  }

  async hashes(blocks: readonly number[]): Promise<readonly (Bytes32 | undefined)[]> {
    if (blocks.length === 0) return [];
    const answers = await this.client.exchange(blocks.map(blockCall));
    return answers.map((answer) => this.#blockOf(answer)?.hash);
  }

  #headOf(answer: RpcAnswer | undefined): BlockRef {
    const head = this.#blockOf(answer);
    if (head === undefined) throw unreachable(this.client.rpc.label, 'eth_getBlockByNumber: there is no latest block');
    return head;
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
