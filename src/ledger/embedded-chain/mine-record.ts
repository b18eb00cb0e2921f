import { ToolkitError } from '../../errors/toolkit-error.js';
import { type BlockPoint, hashOf, type JournalRecord, objectOf } from './journal-record.js';
import type { RpcLink, RpcOutcome } from './rpc-link.js';

export interface Head extends BlockPoint {
  /** Timestamp of the block in seconds. */
  readonly time: number;
}

export interface MinedRecord {
  /** One for each transaction of the record, in order: what anvil said when it was given to the pool. */
  readonly outcomes: readonly RpcOutcome[];
  readonly head: Head;
  /** Hashes of what the block took; none also when every transaction was refused and no block was made. */
  readonly mined: readonly string[];
}

/** Transactions that are acknowledged and not in a block yet, oldest first: hash to raw. */
export type WaitingPool = Map<string, string>;

/**
 * The one way in which the chain changes, live and in a replay alike, so that both give the same blocks. Transactions go one
 * after the other: anvil serves the calls of a connection side by side, and their order in the block would be chance. One that
 * anvil refuses changes nothing, and is refused again at each replay. undefined: the engine went away.
 * @throws DT_CHAIN_ENGINE_FAILED when it cannot mine
 */
export async function mineRecord(link: RpcLink, record: JournalRecord, head: Head, pool: WaitingPool): Promise<MinedRecord | undefined> {
  const outcomes: RpcOutcome[] = [];
  for (const raw of record.transactions) {
    const outcome = await link.request('eth_sendRawTransaction', [raw]);
    if (outcome === undefined) return undefined;
    outcomes.push(outcome);
    if ('result' in outcome) pool.set(String(outcome.result), raw);
  }
  const accepted = outcomes.filter((outcome) => 'result' in outcome).length;
  if (accepted === 0 && record.transactions.length > 0) return { outcomes, head, mined: [] };

  const answer = await link.request('evm_mine_detailed', [{ timestamp: record.time }]);
  if (answer === undefined) return undefined;
  if ('error' in answer) throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: `evm_mine_detailed: ${answer.error.message}` });
  const block = Array.isArray(answer.result) ? parseBlock(answer.result[0]) : undefined;
  if (block === undefined) throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: 'evm_mine_detailed gave no block' });
  for (const hash of block.transactions) pool.delete(hash);
  return { outcomes, head: block.head, mined: block.transactions };
}

/** @throws DT_CHAIN_ENGINE_FAILED */
export async function readHead(link: RpcLink): Promise<Head> {
  return parseBlock(await link.must('eth_getBlockByNumber', 'latest', false)).head;
}

function parseBlock(value: unknown): { head: Head; transactions: readonly string[] } {
  try {
    const block = objectOf(value, 'block');
    const list: unknown[] = Array.isArray(block['transactions']) ? block['transactions'] : [];
    const transactions = list.map((item) => hashOf(typeof item === 'string' ? item : objectOf(item, 'transaction')['hash'], 'hash'));
    return {
      head: { number: Number(block['number']), hash: hashOf(block['hash'], 'hash'), time: Number(block['timestamp']) },
      transactions,
    };
  } catch (cause) {
    throw new ToolkitError(
      'DT_CHAIN_ENGINE_FAILED',
      { reason: `a block is not understood: ${cause instanceof Error ? cause.message : ''}` },
      cause,
    );
  }
}
