import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { AnchorRecord, BlockRef, ChainRef, ChainTime, EventPage, JobTree, LedgerEvent, LedgerReader, TokenTree } from '../ledger.js';
import type { ChainClient, ViewCall } from './chain-client.js';
import { eventsOf, timeOfBlock } from './chain-events.js';
import { jobRecord, operatorRecords, organizationRecords, tokenRecords } from './chain-records.js';
import { deriveTokenId, fieldsOf, numberOf, wordOf } from './codecs.js';
import { EventPages } from './event-pages.js';
import { readLogs } from './read-logs.js';
import { isRecord, quantityOf, resultOf } from './rpc.js';
import { type WatchOptions, watchLedger } from './watch-ledger.js';

/** The ledger on an EVM chain, as anyone may read it. */
export class EvmReader implements LedgerReader {
  readonly ref: ChainRef;
  readonly #pages: EventPages;

  constructor(
    protected readonly client: ChainClient,
    private readonly watching: WatchOptions,
  ) {
    this.ref = { chainId: client.book.chainId, market: client.book.market };
    this.#pages = new EventPages(client);
  }

  /** One call answers for the job and its tree, so all of it is of one block. */
  async jobTree(jobId: bigint): Promise<JobTree> {
    const [tree] = await this.#lookup(
      { contract: 'market', method: 'jobTree', args: [jobId] },
      { name: 'JobUnknown', error: () => new ToolkitError('DT_JOB_UNKNOWN', { id: jobId }) },
    );
    const [job, task, nodes, timestamp] = fieldsOf(tree);
    return { job: jobRecord(jobId, job, task), tokens: tokenRecords(nodes), now: numberOf(timestamp) };
  }

  async tokenTree(root: TokenId): Promise<TokenTree> {
    const [nodes, timestamp] = await this.#lookup(
      { contract: 'tokens', method: 'tree', args: [wordOf(root)] },
      { name: 'ERC721NonexistentToken', error: () => new ToolkitError('DT_ASSET_UNKNOWN', { id: root }) },
    );
    return { tokens: tokenRecords(nodes), now: numberOf(timestamp) };
  }

  async operatorsAndOrganizations(operators: readonly TokenId[], organizations: readonly Address[]) {
    const calls: ViewCall[] = [];
    if (operators.length > 0) calls.push({ contract: 'operators', method: 'operatorsOf', args: [operators.map(wordOf)] });
    if (organizations.length > 0) calls.push({ contract: 'organizations', method: 'organizationsOf', args: [organizations] });
    const results = calls.length === 0 ? [] : await this.client.view(calls);
    return {
      operators: operators.length === 0 ? [] : operatorRecords(results[0]?.[0], operators),
      organizations: organizations.length === 0 ? [] : organizationRecords(results.at(-1)?.[0], organizations),
    };
  }

  deriveId(contract: 'operator' | 'token', owner: Address, salt: Bytes32): TokenId {
    const { chainId, operators, tokens } = this.client.book;
    return deriveTokenId(chainId, contract === 'operator' ? operators : tokens, owner, salt);
  }

  async events(fromBlock?: number): Promise<readonly LedgerEvent[]> {
    const { logs } = await readLogs(this.client, Math.max(fromBlock ?? 0, this.client.book.block));
    return eventsOf(this.client, logs);
  }

  eventsAfter(block: BlockRef | undefined): Promise<EventPage | undefined> {
    return this.#pages.after(block);
  }

  blockHashes(blocks: readonly number[]): Promise<readonly (Bytes32 | undefined)[]> {
    return this.#pages.hashes(blocks);
  }

  watch(onEvent: (event: LedgerEvent) => void, options: Parameters<LedgerReader['watch']>[1]): Promise<void> {
    return watchLedger(this.client, this.watching, onEvent, options);
  }

  async anchorOf(by: Address, root: Bytes32): Promise<AnchorRecord | undefined> {
    const topics = this.client.codecs.of('receipts').encodeFilterTopics('ReceiptsAnchored', [by, root]);
    const { logs } = await readLogs(this.client, this.client.book.block, undefined, topics);
    const [event] = await eventsOf(this.client, logs);
    if (event?.kind !== 'receipts-anchored') return undefined;
    const { count, block, time, transaction } = event;
    return { count, block, time, transaction };
  }

  async head(): Promise<{ block: number; time: ChainTime }> {
    const { rpc } = this.client;
    const [answer] = await this.client.exchange([{ method: 'eth_getBlockByNumber', params: ['latest', false] }]);
    const block = resultOf(answer, rpc, 'eth_getBlockByNumber');
    return { block: quantityOf(isRecord(block) ? block['number'] : undefined, rpc, 'number of a block'), time: timeOfBlock(block, rpc) };
  }

  close(): void {
    this.client.rpc.close();
  }

  async #lookup(call: ViewCall, missing: { name: string; error: () => ToolkitError }): Promise<readonly unknown[]> {
    try {
      const [result] = await this.client.view([call]);
      return result ?? [];
    } catch (error) {
      if (error instanceof ToolkitError && error.details['name'] === missing.name) throw missing.error();
      throw error;
    }
  }
}
