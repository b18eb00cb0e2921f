import { toToolkitError } from '../../errors/toolkit-error.js';
import type { ChainEngine } from './chain-engine.js';
import type { RpcOutcome } from './rpc-link.js';
import type { TransactionQueue } from './transaction-queue.js';

/** Everything else is refused: a call that is not known to only read could change the chain beside the journal. */
const READS = new Set([
  ...['web3_clientVersion', 'web3_sha3', 'net_version', 'net_listening', 'eth_chainId', 'eth_networkId', 'eth_syncing', 'eth_config'],
  ...['eth_blockNumber', 'eth_gasPrice', 'eth_blobBaseFee', 'eth_feeHistory', 'eth_getBalance', 'eth_getAccount', 'eth_getAccountInfo'],
  ...['eth_getStorageAt', 'eth_getCode', 'eth_getProof', 'eth_getTransactionCount', 'eth_createAccessList', 'eth_getLogs'],
  ...['eth_getBlockByHash', 'eth_getBlockByNumber', 'eth_getBlockReceipts'],
  ...['eth_getBlockTransactionCountByHash', 'eth_getBlockTransactionCountByNumber'],
  ...['eth_getUncleCountByBlockHash', 'eth_getUncleCountByBlockNumber'],
  ...['eth_getUncleByBlockHashAndIndex', 'eth_getUncleByBlockNumberAndIndex'],
  ...['eth_getTransactionByHash', 'eth_getTransactionByBlockHashAndIndex', 'eth_getTransactionByBlockNumberAndIndex'],
  ...['eth_getTransactionReceipt', 'eth_getRawTransactionByHash', 'eth_getTransactionBySenderAndNonce'],
  ...['eth_newFilter', 'eth_newBlockFilter', 'eth_newPendingTransactionFilter'],
  ...['eth_getFilterChanges', 'eth_getFilterLogs', 'eth_uninstallFilter'],
  ...['debug_traceTransaction', 'debug_traceCall', 'debug_getRawTransaction', 'debug_codeByHash'],
  ...['trace_transaction', 'trace_block', 'trace_filter', 'txpool_status', 'txpool_inspect', 'txpool_content'],
]);

/** Calls that take [transaction, block, state overrides, block overrides]. */
const TIMED_CALLS = new Set(['eth_call', 'eth_estimateGas']);

/** Methods of one JSON-RPC call to the embedded chain: what is answered here, what is written, what is read and what is refused. */
export class RpcRouter {
  readonly #engine: ChainEngine;
  readonly #queue: TransactionQueue;

  constructor(engine: ChainEngine, queue: TransactionQueue) {
    this.#engine = engine;
    this.#queue = queue;
  }

  /** Never rejects: failures are JSON-RPC errors. */
  async handle(method: string, params: unknown): Promise<RpcOutcome> {
    try {
      if (method === 'eth_sendRawTransaction') return await this.#queue.send(Array.isArray(params) ? params[0] : undefined);
      // The engine's own test accounts are not offered: what they sign would not be journaled. And nothing costs anything here.
      if (method === 'eth_accounts') return { result: [] };
      if (method === 'eth_maxPriorityFeePerGas') return { result: '0x0' };
      if (TIMED_CALLS.has(method)) return await this.#engine.request(method, this.#atWallTime(params));
      if (method === 'eth_simulateV1') return await this.#engine.request(method, this.#simulateAtWallTime(params));
      if (!READS.has(method)) return refusedMethod(method);
      const outcome = await this.#engine.request(method, params);
      return method === 'eth_getBlockByNumber' && firstOf(params) === 'pending' ? this.#pendingBlock(outcome) : outcome;
    } catch (error) {
      return { error: { code: -32000, message: toToolkitError(error).message } };
    }
  }

  /**
   * On an idle chain the newest block may be days old, and with it block.timestamp in a call on top of it: a grant that has
   * expired would look alive. So calls on the head see the time that the next block would have.
   */
  #atWallTime(params: unknown): unknown {
    if (!Array.isArray(params)) return params;
    const [transaction, tag, state, block]: unknown[] = params;
    if (!isHead(tag)) return params;
    const overrides = isRecord(block) ? block : {};
    return 'time' in overrides || 'timestamp' in overrides
      ? params
      : [transaction, tag ?? 'latest', state ?? null, { ...overrides, time: this.#now() }];
  }

  #simulateAtWallTime(params: unknown): unknown {
    if (!Array.isArray(params)) return params;
    const [payload, tag]: unknown[] = params;
    if (!isHead(tag) || !isRecord(payload) || !Array.isArray(payload['blockStateCalls'])) return params;
    const [first, ...rest]: unknown[] = payload['blockStateCalls'];
    if (!isRecord(first)) return params;
    const overrides = isRecord(first['blockOverrides']) ? first['blockOverrides'] : {};
    if ('time' in overrides || 'timestamp' in overrides) return params;
    const timed = { ...first, blockOverrides: { ...overrides, time: this.#now() } };
    return [{ ...payload, blockStateCalls: [timed, ...rest] }, tag ?? 'latest'];
  }

  #pendingBlock(outcome: RpcOutcome): RpcOutcome {
    return 'result' in outcome && isRecord(outcome.result) ? { result: { ...outcome.result, timestamp: this.#now() } } : outcome;
  }

  #now(): string {
    return `0x${Math.max(Math.floor(Date.now() / 1000), this.#engine.head?.time ?? 0).toString(16)}`;
  }
}

export function refusedMethod(method: string): RpcOutcome {
  const shown = method.slice(0, 60);
  return {
    error: {
      code: -32601,
      message: `${shown} is not offered by this chain: only reads and eth_sendRawTransaction are, so that all is journaled`,
    },
  };
}

const isHead = (tag: unknown) => tag === undefined || tag === null || tag === 'latest' || tag === 'pending';
const firstOf = (params: unknown): unknown => (Array.isArray(params) ? params[0] : undefined);
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
