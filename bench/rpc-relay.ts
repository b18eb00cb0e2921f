import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RelayedCall {
  readonly body: Buffer;
  /** From the whole request at the relay until the whole answer of the chain is there. */
  readonly ms: number;
}

export interface RpcRelay {
  readonly url: string;
  /** What went through since the last call of this. */
  taken(): readonly RelayedCall[];
  close(): Promise<void>;
}

/** Stands between a daemon and its chain, and writes down each round trip and how long the chain took for it. */
export async function openRpcRelay(target: string): Promise<RpcRelay> {
  const agent = new http.Agent({ keepAlive: true });
  let calls: RelayedCall[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const started = performance.now();
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const onward = http.request(target, { method: 'POST', agent, headers }, (answer) => {
        const answered: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => answered.push(chunk));
        answer.on('end', () => {
          calls.push({ body, ms: performance.now() - started });
          response.setHeader('content-type', 'application/json').end(Buffer.concat(answered));
        });
      });
      onward.on('error', () => response.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => {
      const taken = calls;
      calls = [];
      return taken;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}
