import type { ChainClient } from './chain-client.js';
import { type ChainLog, parseLog } from './chain-events.js';
import { contractNames } from './codecs.js';
import { quantityOf, type Rpc, type RpcCall, resultOf, unreachable } from './rpc.js';

/** As eth_getLogs takes them; null stands for any. */
export type LogTopics = readonly (string | readonly string[] | null)[];

/** What a chunk may grow to again after an endpoint has refused a range. */
const GROWTH = 2;

/**
 * All logs of the toolkit's contracts from a block to the head, or those with these topics. One round trip where the endpoint gives the whole range;
 * where it refuses, the range is halved until it does not.
 * @throws DT_CHAIN_UNREACHABLE
 */
export async function readLogs(
  client: ChainClient,
  fromBlock: number,
  rpc: Rpc = client.rpc,
  topics?: LogTopics,
): Promise<{ logs: readonly ChainLog[]; head: number }> {
  const [headAnswer, all] = await client.exchange(
    [{ method: 'eth_blockNumber', params: [] }, logsCall(client, fromBlock, undefined, topics)],
    rpc,
  );
  const head = quantityOf(resultOf(headAnswer, rpc, 'eth_blockNumber'), rpc, 'eth_blockNumber');
  if (all?.ok) return { logs: logsOf(all.result, rpc), head };
  // A start beyond the head is no event yet; some nodes call that an error.
  if (fromBlock > head) return { logs: [], head };

  const logs: ChainLog[] = [];
  let size = Math.max(1, Math.floor((head - fromBlock + 1) / 2));
  for (let from = fromBlock; from <= head; ) {
    const to = Math.min(head, from + size - 1);
    const [answer] = await client.exchange([logsCall(client, from, to, topics)], rpc);
    if (answer?.ok) {
      logs.push(...logsOf(answer.result, rpc));
      from = to + 1;
      size *= GROWTH;
    } else if (size > 1) {
      size = Math.max(1, Math.floor(Math.min(size, to - from + 1) / 2));
    } else {
      throw unreachable(rpc.label, `eth_getLogs of block ${from}: ${answer?.error.message ?? 'no answer'}`);
    }
  }
  return { logs, head };
}

/** The addresses are those of the address book, so nothing else has to be filtered. */
export function logFilter(client: ChainClient): { readonly address: readonly string[] } {
  return { address: contractNames.map((name) => client.book[name]) };
}

export function logsCall(client: ChainClient, from: number, to: number | undefined, topics?: LogTopics): RpcCall {
  const toBlock = to === undefined ? 'latest' : `0x${to.toString(16)}`;
  return {
    method: 'eth_getLogs',
    params: [{ ...logFilter(client), ...(topics && { topics }), fromBlock: `0x${from.toString(16)}`, toBlock }],
  };
}

export function logsOf(result: unknown, rpc: Rpc): ChainLog[] {
  if (!Array.isArray(result)) throw unreachable(rpc.label, 'eth_getLogs: the result has another form');
  return result.map((log) => parseLog(log, rpc));
}
