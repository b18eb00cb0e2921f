import http from 'node:http';
import net, { type Socket } from 'node:net';

export interface RpcMessage {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface RpcGate {
  readonly rpcUrl: string;
  /** Ends all open connections, WebSockets too. */
  cut(): void;
  /** Where the gate leads to from now on. */
  leadTo(url: string): void;
  close(): Promise<void>;
}

export interface GateOptions {
  /** An answer instead of the chain's; undefined: ask the chain. */
  readonly instead?: (batch: boolean) => unknown;
  /** What becomes of the chain's answer to one message. */
  readonly edit?: ((message: RpcMessage, answer: Record<string, unknown>) => unknown) | undefined;
  /** False: an endpoint that speaks HTTP only. */
  readonly webSocket?: boolean;
}

/** A port in front of a real chain that can be as limited as endpoints of others are, and as unreliable. */
export async function openRpcGate(url: string, options: GateOptions = {}): Promise<RpcGate> {
  let target = new URL(url);
  const sockets = new Set<Socket>();
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const parsed = JSON.parse(body.toString()) as RpcMessage | RpcMessage[];
    const own = options.instead?.(Array.isArray(parsed));
    if (own !== undefined) {
      response.setHeader('content-type', 'application/json').end(typeof own === 'string' ? own : JSON.stringify(own));
      return;
    }
    const onward = http.request(target, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': body.length } });
    onward.on('response', async (answer) => {
      const answered: Buffer[] = [];
      for await (const chunk of answer) answered.push(chunk as Buffer);
      const result: unknown = JSON.parse(Buffer.concat(answered).toString());
      response.setHeader('content-type', 'application/json').end(JSON.stringify(edited(parsed, result)));
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  });
  const edited = (asked: RpcMessage | RpcMessage[], answer: unknown): unknown => {
    const edit = options.edit;
    if (edit === undefined) return answer;
    if (!Array.isArray(asked)) return edit(asked, answer as Record<string, unknown>);
    return (answer as Record<string, unknown>[]).map((each) => {
      const message = asked.find(({ id }) => id === each['id']);
      return message === undefined ? each : edit(message, each);
    });
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    if (options.webSocket === false) {
      socket.end('HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const onward = net.connect(Number(target.port), target.hostname, () => {
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
      onward.write(`GET / HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    socket.on('error', () => onward.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gate has no port');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    rpcUrl: `http://127.0.0.1:${address.port}`,
    cut,
    leadTo: (next) => {
      target = new URL(next);
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
