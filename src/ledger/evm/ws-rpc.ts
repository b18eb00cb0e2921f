import { labelOf, NoWebSocketError, type Rpc, type RpcOptions, unreachable } from './rpc.js';
import type { WsConnection } from './ws-connection.js';

/** A JSON-RPC endpoint over WebSocket that connects at the first call, and again at the first call after a loss. */
export function openWsRpc(url: URL, options: RpcOptions = {}): Rpc & { nextHead(signal: AbortSignal): Promise<void> } {
  const label = labelOf(url);
  let current: Promise<WsConnection> | undefined;
  let ended = false;

  function connection(): Promise<WsConnection> {
    if (ended) return Promise.reject(unreachable(label, 'the ledger was closed'));
    current ??= open();
    return current;
  }

  async function open(): Promise<WsConnection> {
    const forget = () => {
      current = undefined;
    };
    try {
      // Loaded when it is needed: most programs speak HTTP, and loading it costs them milliseconds.
      const { connectWs } = await import('./ws-connection.js');
      const connected = await connectWs(url, options);
      void connected.closed.then(forget);
      if (ended) connected.close();
      return connected;
    } catch (error) {
      forget();
      throw error instanceof NoWebSocketError ? unreachable(label, error.message, error) : error;
    }
  }

  return {
    label,
    send: async (calls) => (await connection()).send(calls),
    nextHead: async (signal) => (await connection()).nextHead(signal),
    close: () => {
      ended = true;
      void current?.then((open) => open.close()).catch(() => undefined);
    },
  };
}
