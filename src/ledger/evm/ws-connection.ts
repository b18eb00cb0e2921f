import WebSocket from 'ws';
import {
  answersById,
  encodeCalls,
  isRecord,
  labelOf,
  NoWebSocketError,
  type Rpc,
  type RpcAnswer,
  type RpcCall,
  type RpcOptions,
  resultOf,
  unreachable,
} from './rpc.js';

const PING_INTERVAL_MS = 20_000;

/** One WebSocket connection. It does not come back once it is lost. */
export interface WsConnection extends Rpc {
  readonly isOpen: boolean;
  /** Resolves with the reason when the connection is lost or closed. Never rejects. */
  readonly closed: Promise<string>;
  /** Calls back with each notification until the connection ends. */
  subscribe(params: readonly unknown[], onNotification: (result: unknown) => void): Promise<void>;
  nextHead(signal: AbortSignal): Promise<void>;
}

export async function connectWs(url: URL, options: RpcOptions & { readonly signal?: AbortSignal } = {}): Promise<WsConnection> {
  const label = labelOf(url);
  const timeoutMs = options.timeoutMs ?? 30_000;
  const socket = new WebSocket(url, { handshakeTimeout: Math.min(timeoutMs, 5_000), maxPayload: 256 * 1024 * 1024 });
  const waiting = new Map<number, (answer: RpcAnswer | Error) => void>();
  const listeners = new Map<string, (result: unknown) => void>();
  const early = new Map<string, unknown[]>();
  const heads = new Set<(lost?: Error) => void>();
  let headsSubscribed: Promise<void> | undefined;
  let lastId = 0;

  const closed = new Promise<string>((resolve) => {
    socket.on('close', (code) => resolve(`the connection was closed (${code})`));
    socket.on('error', (error) => resolve(error.message));
  });
  void closed.then((reason) => {
    for (const settle of [...waiting.values(), ...heads]) settle(unreachable(label, reason));
    options.signal?.removeEventListener('abort', terminate);
  });
  const terminate = () => socket.terminate();
  options.signal?.addEventListener('abort', terminate);
  if (options.signal?.aborted) terminate();
  await opened(socket, label);

  // A peer that vanished without a word gives no event; only silence after a ping tells.
  let alive = true;
  const heartbeat = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_INTERVAL_MS);
  heartbeat.unref();
  void closed.then(() => clearInterval(heartbeat));
  socket.on('pong', () => {
    alive = true;
  });

  socket.on('message', (data) => {
    alive = true;
    const message = parse(String(data));
    if (isRecord(message) && message['method'] === 'eth_subscription') return notify(message['params']);
    for (const [id, answer] of answersById(message)) {
      waiting.get(id)?.(answer);
      waiting.delete(id);
    }
  });

  function notify(params: unknown): void {
    if (!isRecord(params) || typeof params['subscription'] !== 'string') return;
    const id = params['subscription'];
    const listener = listeners.get(id);
    if (listener !== undefined) return listener(params['result']);
    // A notification may overtake the answer that tells its subscription's id.
    if (early.size < 16) early.set(id, [...(early.get(id) ?? []), params['result']]);
  }

  async function send(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]> {
    if (calls.length === 0) return [];
    if (socket.readyState !== WebSocket.OPEN) throw unreachable(label, await closed);
    options.onRoundTrip?.(calls.map((call) => call.method));
    const firstId = lastId + 1;
    lastId += calls.length;
    const answers = calls.map((call, index) => answerTo(firstId + index, call.method));
    socket.send(encodeCalls(calls, firstId));
    return Promise.all(answers);
  }

  function answerTo(id: number, method: string): Promise<RpcAnswer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(unreachable(label, `no answer to ${method} after ${timeoutMs} ms`)), timeoutMs);
      const settle = (answer: RpcAnswer | Error) => {
        clearTimeout(timer);
        waiting.delete(id);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      waiting.set(id, settle);
    });
  }

  const connection: WsConnection = {
    label,
    closed,
    send,
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    async subscribe(params, onNotification) {
      const [answer] = await send([{ method: 'eth_subscribe', params }]);
      const id = String(resultOf(answer, connection, 'eth_subscribe'));
      listeners.set(id, onNotification);
      for (const result of early.get(id) ?? []) onNotification(result);
      early.delete(id);
    },
    async nextHead(signal) {
      headsSubscribed ??= connection.subscribe(['newHeads'], () => {
        for (const wake of [...heads]) wake();
      });
      await headsSubscribed;
      if (signal.aborted) return;
      await new Promise<void>((resolve, reject) => {
        const wake = (lost?: Error) => {
          heads.delete(wake);
          signal.removeEventListener('abort', aborted);
          if (lost === undefined) resolve();
          else reject(lost);
        };
        const aborted = () => wake();
        heads.add(wake);
        signal.addEventListener('abort', aborted);
      });
    },
    close: () => socket.close(),
  };
  return connection;
}

function opened(socket: WebSocket, label: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      reject(new NoWebSocketError(`it answered HTTP ${response.statusCode} instead of opening a WebSocket`));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Errors of the network have a code that says so; anything else is a peer that does not speak the protocol.
      const spoke = error.code === undefined || error.code.startsWith('HPE_') || error.code.startsWith('WS_');
      reject(
        spoke && !/timed out|before the connection/.test(error.message)
          ? new NoWebSocketError(error.message)
          : unreachable(label, error.code ?? error.message, error),
      );
    });
    socket.once('close', () => reject(unreachable(label, 'the connection was closed')));
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
