import type { RpcOutcome } from './rpc-link.js';
import type { RpcRouter } from './rpc-router.js';

const MAX_BATCH = 1000;

type Id = string | number | null;
export interface RpcCall {
  /** undefined: a notification, which gets no answer. */
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: unknown;
}
export type RpcHandler = (call: RpcCall) => Promise<RpcOutcome>;

/**
 * One message as it came, a call or a batch. Calls of a batch take effect in its order: what follows a transaction sees it, and
 * transactions that follow each other share a block. undefined: there is nothing to answer.
 */
export async function answerMessage(text: string, handle: RpcHandler): Promise<string | undefined> {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return JSON.stringify(reply(null, failure(-32700, 'this is not JSON')));
  }
  if (!Array.isArray(message)) {
    const answer = await answerCall(message, handle);
    return answer === undefined ? undefined : JSON.stringify(answer);
  }
  if (message.length === 0) return JSON.stringify(reply(null, failure(-32600, 'the batch is empty')));
  if (message.length > MAX_BATCH)
    return JSON.stringify(reply(null, failure(-32600, `the batch has ${message.length} calls, more than ${MAX_BATCH}`)));
  const answers: Promise<unknown>[] = [];
  let sent: Promise<unknown>[] = [];
  for (const item of message) {
    const isSend = parseCall(item)?.method === 'eth_sendRawTransaction';
    if (!isSend && sent.length > 0) {
      await Promise.all(sent);
      sent = [];
    }
    const answer = answerCall(item, handle);
    answers.push(answer);
    if (isSend) sent.push(answer);
  }
  const given = (await Promise.all(answers)).filter((answer) => answer !== undefined);
  return given.length === 0 ? undefined : JSON.stringify(given);
}

/** Over HTTP there is nowhere to push to. */
export const httpHandler =
  (router: RpcRouter): RpcHandler =>
  async ({ method, params }) =>
    method === 'eth_subscribe' || method === 'eth_unsubscribe'
      ? failure(-32601, `${method} needs a WebSocket`)
      : router.handle(method, params);

async function answerCall(item: unknown, handle: RpcHandler): Promise<Record<string, unknown> | undefined> {
  const call = parseCall(item);
  if (call === undefined) return reply(null, failure(-32600, 'this is not a JSON-RPC 2.0 call'));
  const outcome = await handle(call);
  return call.id === undefined ? undefined : reply(call.id, outcome);
}

function parseCall(item: unknown): RpcCall | undefined {
  if (typeof item !== 'object' || item === null || !('method' in item) || typeof item.method !== 'string') return undefined;
  const params = 'params' in item ? item.params : undefined;
  if (params !== undefined && (typeof params !== 'object' || params === null)) return undefined;
  const id = 'id' in item ? item.id : undefined;
  if (id !== undefined && id !== null && typeof id !== 'string' && typeof id !== 'number') return undefined;
  return { id, method: item.method, params: params ?? [] };
}

export const reply = (id: Id, outcome: RpcOutcome): Record<string, unknown> => ({ jsonrpc: '2.0', id, ...outcome });

const failure = (code: number, message: string): RpcOutcome => ({ error: { code, message } });
