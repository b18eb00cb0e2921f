import WebSocket from 'ws';
import { ToolkitError } from '../../errors/toolkit-error.js';

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}
export type RpcOutcome = { readonly result: unknown } | { readonly error: RpcError };

/** One WebSocket to anvil. Calls run side by side; answers come as outcomes, and `undefined` means that anvil went away. */
export class RpcLink {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (outcome: RpcOutcome | undefined) => void>();
  #lastId = 0;
  readonly closed: Promise<void>;

  private constructor(socket: WebSocket, onNotification: (params: unknown) => void) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(String(data), onNotification));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        const waiting = [...this.#waiting.values()];
        this.#waiting.clear();
        for (const answer of waiting) answer(undefined);
        resolve();
      });
    });
  }

  /** @throws DT_CHAIN_ENGINE_FAILED */
  static async connect(port: number, onNotification: (params: unknown) => void = () => undefined): Promise<RpcLink> {
    // maxPayload 0: the state dump of a long chain is one large answer, and it comes from our own child.
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false, maxPayload: 0 });
    const link = new RpcLink(socket, onNotification);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.on('error', (cause) => reject(new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: cause.message }, cause)));
    });
    return link;
  }

  request(method: string, params: unknown): Promise<RpcOutcome | undefined> {
    return new Promise((resolve) => this.send(method, params, resolve));
  }

  /** The answer comes synchronously with its message, so before any notification that follows it. */
  send(method: string, params: unknown, answer: (outcome: RpcOutcome | undefined) => void): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return answer(undefined);
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, answer);
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id: this.#lastId, method, params }));
  }

  /** For calls that only fail by a fault of the engine. @throws DT_CHAIN_ENGINE_FAILED */
  async must(method: string, ...params: unknown[]): Promise<unknown> {
    const outcome = await this.request(method, params);
    if (outcome !== undefined && 'result' in outcome) return outcome.result;
    const reason = outcome === undefined ? 'it went away' : outcome.error.message;
    throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: `${method}: ${reason}` });
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(text: string, onNotification: (params: unknown) => void): void {
    const message: { id?: unknown; method?: unknown; params?: unknown; result?: unknown; error?: RpcError } = JSON.parse(text);
    if (message.method === 'eth_subscription') return onNotification(message.params);
    if (typeof message.id !== 'number') return;
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    answer?.(message.error === undefined ? { result: message.result } : { error: message.error });
  }
}
