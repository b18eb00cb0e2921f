import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface TestServer {
  readonly url: string;
  /** What was asked, as `GET /path?query`. */
  readonly requests: string[];
  readonly headers: IncomingMessage['headers'][];
  /** Resolves at the first request. */
  readonly asked: Promise<void>;
  /** Resolves when a client has gone before its answer was complete. */
  readonly dropped: Promise<void>;
  close(): Promise<void>;
}

/** Real servers on real ports, closed together at the end of a test. */
export class TestServers {
  readonly #servers: TestServer[] = [];

  async listen(handler: Handler): Promise<TestServer> {
    const requests: string[] = [];
    const headers: IncomingMessage['headers'][] = [];
    let onAsked = () => {};
    let onDropped = () => {};
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const dropped = new Promise<void>((resolve) => {
      onDropped = resolve;
    });
    const server: Server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      headers.push(request.headers);
      response.on('close', () => {
        if (!response.writableFinished) onDropped();
      });
      onAsked();
      void handler(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const close = async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    };
    const started = { url: `http://127.0.0.1:${port}`, requests, headers, asked, dropped, close };
    this.#servers.push(started);
    return started;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }
}

/** A gateway that keeps these bytes by CID and follows the specification. */
export const honest =
  (blocks: ReadonlyMap<string, Uint8Array>): Handler =>
  (request, response) => {
    const cid = /^\/ipfs\/([^/?]+)\?format=raw$/.exec(request.url ?? '')?.[1] ?? '';
    const bytes = blocks.get(cid);
    if (bytes === undefined || request.headers.accept !== 'application/vnd.ipld.raw') return void response.writeHead(404).end('not here');
    response.writeHead(200, { 'Content-Type': 'application/vnd.ipld.raw' }).end(bytes);
  };

/** Answers everything with the same wrong bytes. */
export const lying: Handler = (_, response) => void response.writeHead(200).end('these are other bytes');

/** Takes the request and never answers. */
export const silent: Handler = () => undefined;

/** Sends for as long as someone reads. */
export const endless: Handler = (_, response) => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  response.writeHead(200);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
};

/** Sends one byte and then no more. */
export const stuck: Handler = (_, response) => void response.writeHead(200, { 'Content-Length': '100' }).write('x');

/** The block commands of kubo's RPC API, with its answers. */
export const kubo =
  (blocks: Map<string, Uint8Array>, cidOfBytes: (bytes: Uint8Array) => string): Handler =>
  async (request, response) => {
    const url = new URL(request.url ?? '', 'http://kubo');
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const fail = (Message: string) =>
      void response.writeHead(500, { 'Content-Type': 'application/json' }).end(JSON.stringify({ Message, Code: 0, Type: 'error' }));
    if (url.pathname === '/api/v0/block/get') {
      const cid = url.searchParams.get('arg') ?? '';
      const bytes = blocks.get(cid);
      return bytes === undefined ? fail(`ipld: could not find ${cid}`) : void response.writeHead(200).end(bytes);
    }
    if (url.pathname !== '/api/v0/block/put') return void response.writeHead(404).end('404 page not found');
    const body = await readAll(request);
    const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(request.headers['content-type'] ?? '')?.[1];
    const start = body.indexOf('\r\n\r\n') + 4;
    const end = body.lastIndexOf(`\r\n--${boundary}--`);
    if (boundary === undefined || !body.subarray(0, boundary.length + 2).equals(Buffer.from(`--${boundary}`)) || end < start)
      return fail('no part');
    const bytes = body.subarray(start, end);
    if (bytes.length > 1024 * 1024 && url.searchParams.get('allow-big-block') !== 'true') return fail('produced block is over 1MiB');
    if (url.searchParams.get('cid-codec') !== 'raw' || url.searchParams.get('mhtype') !== 'sha2-256') return fail('another codec');
    const Key = cidOfBytes(bytes);
    blocks.set(Key, bytes);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ Key, Size: bytes.length }));
  };

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
