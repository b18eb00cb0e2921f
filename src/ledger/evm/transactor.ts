import { keccak256 } from 'ethers/crypto';
import { type Address, type Bytes32, parseAddress, parseBytes32 } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { isRevert } from './chain-client.js';
import { type ChainLog, parseLog } from './chain-events.js';
import type { Codecs } from './codecs.js';
import { delay } from './delay.js';
import { decodeRevert, revertError } from './reverts.js';
import { isRecord, quantityOf, type Rpc, type RpcAnswer, type RpcCall, resultOf } from './rpc.js';

/** What is signed: complete, so that the signer asks nobody. Integers as the RPC has them. */
export interface UnsignedTransaction {
  readonly chainId: number;
  readonly nonce: number;
  readonly gasLimit: bigint;
  readonly data: string;
  readonly value: bigint;
  readonly type: 0 | 2;
  readonly to?: string;
  readonly gasPrice?: bigint;
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
}

/** Holds the key. Every ethers wallet is one. */
export interface LedgerSigner {
  readonly address: string;
  /** The signed transaction, serialized, in hex. */
  signTransaction(transaction: UnsignedTransaction): Promise<string>;
}

export interface Receipt {
  readonly transaction: Bytes32;
  readonly block: number;
  readonly gasUsed: number;
  /** Undefined unless the transaction created a contract. */
  readonly contract: Address | undefined;
  readonly logs: readonly ChainLog[];
}

export interface TransactorOptions {
  readonly rpc: Rpc;
  /** Sends the calls of the first transaction together with the check of the address book. */
  readonly exchange: (calls: readonly RpcCall[]) => Promise<readonly RpcAnswer[]>;
  readonly codecs: Codecs;
  readonly chainId: number;
  readonly signer: LedgerSigner;
  /** Upper bound for the wait for a receipt. */
  readonly receiptTimeoutMs: number;
}

/** How often a nonce that another process took is replaced by a fresh one. */
const NONCE_ATTEMPTS = 5;
const NONCE_DELAY_MS = 25;
/** How often a transaction is sent again that may have been lost on its way: it is the same one, so it cannot be mined twice. */
const SEND_ATTEMPTS = 3;
/** Between questions for a receipt, first and last. Where blocks are pushed they only make up for a push that was lost. */
const DELAYS_MS = { asked: [2, 1_000], pushed: [100, 4_000] } as const;

/**
 * Sends transactions of one account, one after the other until the node has taken each, so that nonces never collide
 * inside of a process. Between processes the node decides, and who loses takes the next nonce.
 */
export class Transactor {
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: TransactorOptions) {}

  /** @throws DT_CHAIN_REVERTED, DT_CHAIN_REJECTED, DT_CHAIN_TIMEOUT, DT_CHAIN_UNREACHABLE */
  async execute(to: Address | undefined, data: string): Promise<Receipt> {
    const submission = this.#queue.then(() => this.#submit(to, data));
    this.#queue = submission.catch(() => undefined);
    const { transaction, receipt } = await submission;
    const found = receipt ?? (await this.#awaitReceipt(transaction));
    if (found['status'] === '0x0') throw await this.#failureOf(to, data, found);
    return this.#parseReceipt(transaction, found);
  }

  async #submit(to: Address | undefined, data: string): Promise<{ transaction: string; receipt: Record<string, unknown> | undefined }> {
    const { signer } = this.options;
    for (let attempt = 1; ; attempt++) {
      const raw = await signer.signTransaction(await this.#prepare(to, data));
      const transaction = keccak256(raw);
      // A node that mines at once has the receipt in the same round trip.
      const receiptCall = { method: 'eth_getTransactionReceipt', params: [transaction] };
      const [sent, early] = await this.#send([{ method: 'eth_sendRawTransaction', params: [raw] }, receiptCall]);
      const receipt = early?.ok && isRecord(early.result) ? early.result : undefined;
      if (sent?.ok || receipt !== undefined) return { transaction, receipt };
      const message = sent?.error.message ?? 'no answer';
      if (/already known|already imported|known transaction/i.test(message)) return { transaction, receipt };
      const lostRace = /nonce|underpriced|replacement/i.test(message);
      if (lostRace && attempt < NONCE_ATTEMPTS) {
        await delay(NONCE_DELAY_MS * attempt);
        continue;
      }
      if (sent !== undefined && isRevert(sent.error)) throw revertError(decodeRevert(this.options.codecs, sent.error.data, message));
      throw new ToolkitError('DT_CHAIN_REJECTED', { reason: message });
    }
  }

  async #send(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.options.rpc.send(calls);
      } catch (error) {
        if (!isUnreachable(error) || attempt === SEND_ATTEMPTS) throw error;
        await delay(NONCE_DELAY_MS * attempt);
      }
    }
  }

  /** Everything that the transaction needs in one round trip. */
  async #prepare(to: Address | undefined, data: string): Promise<UnsignedTransaction> {
    const { exchange, rpc, codecs, chainId, signer } = this.options;
    const from = parseAddress(signer.address, 'The address of the signer');
    const call = to === undefined ? { from, data } : { from, to, data };
    const [count, gas, head, price] = await exchange([
      { method: 'eth_getTransactionCount', params: [from, 'pending'] },
      { method: 'eth_estimateGas', params: [call] },
      { method: 'eth_getBlockByNumber', params: ['latest', false] },
      { method: 'eth_gasPrice', params: [] },
    ]);
    if (gas?.ok === false) {
      if (isRevert(gas.error)) throw revertError(decodeRevert(codecs, gas.error.data, gas.error.message));
      throw new ToolkitError('DT_CHAIN_REJECTED', { reason: gas.error.message });
    }
    const estimate = quantityOf(resultOf(gas, rpc, 'eth_estimateGas'), rpc, 'eth_estimateGas');
    return {
      chainId,
      nonce: quantityOf(resultOf(count, rpc, 'eth_getTransactionCount'), rpc, 'eth_getTransactionCount'),
      // What others write before this is mined may make it cost more.
      gasLimit: BigInt(Math.ceil(estimate * 1.25)),
      data,
      value: 0n,
      ...(to === undefined ? {} : { to }),
      ...feesOf(resultOf(head, rpc, 'eth_getBlockByNumber'), resultOf(price, rpc, 'eth_gasPrice')),
    };
  }

  /**
   * Each new block is a reason to ask where the endpoint pushes them; otherwise, short intervals that grow. The transaction is
   * on its way, so a connection that is lost meanwhile, or an error of the node, is no answer.
   */
  async #awaitReceipt(transaction: string): Promise<Record<string, unknown>> {
    const { rpc, receiptTimeoutMs } = this.options;
    const deadline = AbortSignal.timeout(receiptTimeoutMs);
    let [delayMs, lastDelayMs]: readonly [number, number] = rpc.nextHead === undefined ? DELAYS_MS.asked : DELAYS_MS.pushed;
    while (!deadline.aborted) {
      const waiting = new AbortController();
      try {
        const next = rpc.nextHead?.(waiting.signal).catch(() => undefined);
        const [answer] = await rpc.send([{ method: 'eth_getTransactionReceipt', params: [transaction] }]).catch(ignoreUnreachable);
        if (answer?.ok && isRecord(answer.result)) return answer.result;
        const pause = delay(delayMs, AbortSignal.any([deadline, waiting.signal]));
        await Promise.race(next === undefined ? [pause] : [pause, next]);
      } finally {
        waiting.abort();
      }
      delayMs = Math.min(lastDelayMs, Math.ceil(delayMs * 1.6));
    }
    throw new ToolkitError('DT_CHAIN_TIMEOUT', { transaction, seconds: receiptTimeoutMs / 1000 });
  }

  /** A mined transaction that failed has no reason in its receipt; the same call on its block has. */
  async #failureOf(to: Address | undefined, data: string, receipt: Record<string, unknown>): Promise<ToolkitError> {
    const { rpc, codecs, signer } = this.options;
    const call = to === undefined ? { from: signer.address, data } : { from: signer.address, to, data };
    const [answer] = await rpc.send([{ method: 'eth_call', params: [call, receipt['blockNumber']] }]);
    const error = answer?.ok === false ? answer.error : { data: undefined, message: 'the transaction failed when it was mined' };
    return revertError(decodeRevert(codecs, error.data, error.message));
  }

  #parseReceipt(transaction: string, receipt: Record<string, unknown>): Receipt {
    const { rpc } = this.options;
    const logs = Array.isArray(receipt['logs']) ? receipt['logs'] : [];
    const contract = receipt['contractAddress'];
    return {
      transaction: parseBytes32(transaction),
      block: quantityOf(receipt['blockNumber'], rpc, 'blockNumber of a receipt'),
      gasUsed: quantityOf(receipt['gasUsed'], rpc, 'gasUsed of a receipt'),
      contract: typeof contract === 'string' ? parseAddress(contract, 'contractAddress of a receipt') : undefined,
      logs: logs.map((log) => parseLog(log, rpc)),
    };
  }
}

/** Room for the base fee to double. Chains without a base fee get a transaction of the old form; free chains, a free one. */
function feesOf(
  head: unknown,
  gasPrice: unknown,
): Pick<UnsignedTransaction, 'type' | 'gasPrice' | 'maxFeePerGas' | 'maxPriorityFeePerGas'> {
  const price = bigQuantity(gasPrice);
  const base = isRecord(head) && head['baseFeePerGas'] !== undefined ? bigQuantity(head['baseFeePerGas']) : undefined;
  if (base === undefined) return { type: 0, gasPrice: price };
  const tip = price > base ? price - base : 0n;
  return { type: 2, maxFeePerGas: base * 2n + tip, maxPriorityFeePerGas: tip };
}

function bigQuantity(value: unknown): bigint {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)) return BigInt(value);
  throw new ToolkitError('DT_CHAIN_REJECTED', { reason: 'the node gave no gas price' });
}

const isUnreachable = (error: unknown): boolean => error instanceof ToolkitError && error.code === 'DT_CHAIN_UNREACHABLE';

function ignoreUnreachable(error: unknown): readonly RpcAnswer[] {
  if (isUnreachable(error)) return [];
  throw error;
}
