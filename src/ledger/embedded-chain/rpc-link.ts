import { connect, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { ToolkitError } from '../../errors/toolkit-error.js';

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}
export type RpcOutcome = { readonly result: unknown } | { readonly error: RpcError };

/**
 * One connection to anvil, over its local socket, a JSON text a line. Over TCP the second of two answers to calls that run side by side would
 * wait 40 ms: anvil leaves Nagle's algorithm on, which holds it back until the first is acknowledged.
 * Calls run side by side; answers come as outcomes, and `undefined` means that anvil went away.
 */
export class RpcLink {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (outcome: RpcOutcome | undefined) => void>();
  #lastId = 0;
  readonly closed: Promise<void>;

  private constructor(socket: Socket, onNotification: (params: unknown) => void) {
    this.#socket = socket;
    const decoder = new StringDecoder('utf8');
    let line = '';
    socket.on('data', (chunk) => {
      const [first = '', ...more] = decoder.write(chunk).split('\n');
      // The state dump of a long chain is one line in many pieces.
      line += first;
      for (const next of more) {
        if (line !== '') this.#receive(line, onNotification);
        line = next;
      }
    });
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
  static async connect(path: string, onNotification: (params: unknown) => void = () => undefined): Promise<RpcLink> {
    const socket = connect(path);
    const link = new RpcLink(socket, onNotification);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.on('error', (cause) => reject(new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: cause.message }, cause)));
    });
    return link;
  }

  request(method: string, params: unknown): Promise<RpcOutcome | undefined> {
    return new Promise((resolve) => this.send(method, params, resolve));
  }

  /** The answer comes synchronously with its message, so before any notification that follows it. */
  send(method: string, params: unknown, answer: (outcome: RpcOutcome | undefined) => void): void {
    if (this.#socket.readyState !== 'open') return answer(undefined);
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, answer);
    this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: this.#lastId, method, params })}\n`);
  }

  /** For calls that only fail by a fault of the engine. @throws DT_CHAIN_ENGINE_FAILED */
  async must(method: string, ...params: unknown[]): Promise<unknown> {
    const outcome = await this.request(method, params);
    if (outcome !== undefined && 'result' in outcome) return outcome.result;
    const reason = outcome === undefined ? 'it went away' : outcome.error.message;
    throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: `${method}: ${reason}` });
  }

  close(): void {
    this.#socket.destroy();
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
