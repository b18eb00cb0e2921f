import type WebSocket from 'ws';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { ChainEngine } from './chain-engine.js';
import type { RpcLink, RpcOutcome } from './rpc-link.js';
import { answerMessage, type RpcCall } from './rpc-message.js';
import type { RpcRouter } from './rpc-router.js';

/** A client that reads slower than blocks come is cut off at this many unsent bytes. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
/** Close code "service restart": subscriptions are gone, connect again and catch up. */
const SERVICE_RESTART = 1012;

/**
 * One WebSocket client. Its subscriptions live on a link of its own to anvil, so their notifications are its own and end with
 * it. When anvil is replaced they cannot go on without a gap: the client is disconnected and subscribes again.
 */
export function serveClient(client: WebSocket, engine: ChainEngine, router: RpcRouter): void {
  let link: Promise<RpcLink> | undefined;
  const push = (params: unknown) => deliver(client, JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }));
  const openLink = async () => {
    const opened = await engine.openLink(push);
    opened.closed.then(() => client.close(SERVICE_RESTART, 'the engine was restarted'));
    if (client.readyState !== client.OPEN) opened.close();
    return opened;
  };
  const subscribe = async (method: string, params: unknown): Promise<RpcOutcome> => {
    try {
      link ??= openLink();
      const outcome = await (await link).request(method, params);
      return outcome ?? { error: { code: -32000, message: 'the engine is being restarted; connect again' } };
    } catch (error) {
      link = undefined;
      return { error: { code: -32000, message: toToolkitError(error).message } };
    }
  };
  const handle = ({ method, params }: RpcCall) =>
    method === 'eth_subscribe' || method === 'eth_unsubscribe' ? subscribe(method, params) : router.handle(method, params);

  client.on('message', (data) => {
    void answerMessage(String(data), handle).then((answer) => {
      if (answer !== undefined) deliver(client, answer);
    });
  });
  client.on('error', () => client.terminate());
  client.on('close', () => {
    link?.then(
      (opened) => opened.close(),
      () => undefined,
    );
  });
}

function deliver(client: WebSocket, text: string): void {
  if (client.readyState !== client.OPEN) return;
  if (client.bufferedAmount > MAX_UNSENT_BYTES) client.terminate();
  else client.send(text);
}
