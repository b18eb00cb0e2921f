import { Transaction } from 'ethers';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { ChainEngine } from './chain-engine.js';
import { EMBEDDED_CHAIN_ID } from './genesis.js';
import type { RpcOutcome } from './rpc-link.js';

/** The size that public networks take, too. */
const MAX_TRANSACTION_BYTES = 131_072;
const BLOB_TYPE = 3;
const MAX_BLOCK_TRANSACTIONS = 200;
const MAX_BLOCK_HEX = 8 * 1024 * 1024;
/** Blocks and bytes after which a checkpoint is due: replaying 200 blocks takes well below half a second. */
const BACKLOG_BLOCKS = 200;
const BACKLOG_BYTES = 32 * 1024 * 1024;

interface Waiting {
  readonly raw: string;
  readonly answer: (outcome: RpcOutcome) => void;
}

/**
 * The only writer of the chain. Transactions that come while a block is being made share the next block, and so one sync of the
 * disk. The answer goes out when the transaction is on disk and in a block (or in the pool, when it waits for a lower nonce).
 */
export class TransactionQueue {
  readonly #engine: ChainEngine;
  readonly #onLog: (line: string) => void;
  readonly #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  #stopping = false;

  constructor(engine: ChainEngine, onLog: (line: string) => void) {
    this.#engine = engine;
    this.#onLog = onLog;
  }

  /** Mines what a crash left ready in the pool. */
  async start(): Promise<void> {
    await this.#mineOverflow();
  }

  send(raw: unknown): Promise<RpcOutcome> {
    const fault = this.#stopping ? 'the chain is being stopped' : faultOf(raw);
    if (fault !== undefined || typeof raw !== 'string') return Promise.resolve(refusal(-32003, fault ?? ''));
    return new Promise((resolve) => {
      this.#waiting.push({ raw: raw.toLowerCase(), answer: resolve });
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined;
      });
    });
  }

  /** Takes nothing new, finishes what was taken, and leaves a checkpoint, so that the next start has nothing to replay. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#working;
    await this.#checkpoint();
  }

  async #work(): Promise<void> {
    // Let the calls that arrived in the same instant into the first block.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        const raws = batch.map(({ raw }) => raw);
        const { outcomes, mined } = await this.#engine.commit(raws, wallSeconds());
        const { hashes } = await this.#engine.waiting();
        for (const [index, { answer }] of batch.entries()) answer(verdictOf(outcomes[index], new Set(mined), hashes));
        await this.#mineOverflow();
        if (this.#isCheckpointDue()) await this.#checkpoint();
      } catch (error) {
        const reason = toToolkitError(error).message;
        this.#onLog(reason);
        for (const { answer } of batch) answer(refusal(-32000, reason));
      }
    }
  }

  /** A block has a gas limit: what it had no room for goes into the next ones. */
  async #mineOverflow(): Promise<void> {
    while ((await this.#engine.waiting()).isReady) {
      const { mined } = await this.#engine.commit([], wallSeconds());
      if (mined.length === 0) return;
    }
  }

  /** A long chain is dumped less often, because a dump takes as long as the chain is. */
  #isCheckpointDue(): boolean {
    const { blocks, sizeBytes } = this.#engine.backlog;
    const height = this.#engine.head?.number ?? 0;
    return blocks >= Math.max(BACKLOG_BLOCKS, height / 20) || sizeBytes >= BACKLOG_BYTES;
  }

  async #checkpoint(): Promise<void> {
    try {
      await this.#engine.checkpoint();
    } catch (error) {
      this.#onLog(`no checkpoint was made (${toToolkitError(error).message}); the journal goes on`);
    }
  }

  #takeBatch(): Waiting[] {
    let hex = 0;
    let count = 0;
    for (const { raw } of this.#waiting) {
      hex += raw.length;
      if (count === MAX_BLOCK_TRANSACTIONS || (count > 0 && hex > MAX_BLOCK_HEX)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}

const wallSeconds = () => Math.floor(Date.now() / 1000);

const refusal = (code: number, message: string): RpcOutcome => ({ error: { code, message } });

/** Checked before the journal, so that it holds transactions of this chain only; anvil itself takes those of any chain. */
function faultOf(raw: unknown): string | undefined {
  if (typeof raw !== 'string' || !/^0x(?:[0-9a-fA-F]{2})+$/.test(raw)) return 'expected a signed transaction in hex';
  const size = raw.length / 2 - 1;
  if (size > MAX_TRANSACTION_BYTES) return `the transaction has ${size} bytes, more than the limit of ${MAX_TRANSACTION_BYTES}`;
  try {
    const transaction = Transaction.from(raw);
    if (transaction.type === BLOB_TYPE) return 'transactions with blobs are not taken';
    if (!transaction.isSigned()) return 'the transaction is not signed';
    if (transaction.chainId !== BigInt(EMBEDDED_CHAIN_ID))
      return `the transaction is for chain ${transaction.chainId}, this is ${EMBEDDED_CHAIN_ID}`;
    return undefined;
  } catch (error) {
    return `the transaction cannot be read: ${error instanceof Error ? error.message.slice(0, 200) : ''}`;
  }
}

/** Accepted by the pool is not enough for an answer: it must be in the block, or still wait. */
function verdictOf(outcome: RpcOutcome | undefined, mined: ReadonlySet<string>, waiting: ReadonlySet<string>): RpcOutcome {
  if (outcome === undefined) return refusal(-32603, 'the engine gave no answer');
  if ('error' in outcome) return outcome;
  const hash = String(outcome.result);
  return mined.has(hash) || waiting.has(hash) ? outcome : refusal(-32003, 'the transaction was dropped: one before it made it invalid');
}
