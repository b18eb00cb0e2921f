import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ChainEngine } from './chain-engine.js';
import { answerMessage, httpHandler } from './rpc-message.js';
import type { RpcRouter } from './rpc-router.js';
import { serveClient } from './subscriptions.js';

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const GOING_AWAY = 1001;

/** What wallets and daemons talk to: JSON-RPC by POST, and by WebSocket on the same port. */
export class RpcServer {
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #host: string;
  readonly port: number;

  private constructor(http: Server, sockets: WebSocketServer, host: string) {
    this.#http = http;
    this.#sockets = sockets;
    this.#host = host;
    const address: AddressInfo | string | null = http.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Holds the port from now on; calls wait until `ready` has the router. @throws DT_PORT_BUSY, DT_INPUT_INVALID */
  static async listen(host: string, port: number, ready: Promise<{ engine: ChainEngine; router: RpcRouter }>): Promise<RpcServer> {
    ready.catch(() => undefined);
    const http = createServer((request, response) => {
      if (!isAllowed(request, host)) return end(response, 403, 'This chain is for programs of this machine, not for web pages of others.');
      if (request.method !== 'POST') return end(response, 405, 'JSON-RPC: send a POST, or open a WebSocket.');
      void serveRequest(request, response, ready);
    });
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES });
    http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      if (!isAllowed(request, host)) return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      ready.then(
        ({ engine, router }) => sockets.handleUpgrade(request, socket, head, (client) => serveClient(client, engine, router)),
        () => socket.destroy(),
      );
    });
    await new Promise<void>((resolve, reject) => {
      http.once('error', (error: NodeJS.ErrnoException) => {
        const busy = error.code === 'EADDRINUSE';
        reject(
          busy
            ? new ToolkitError('DT_PORT_BUSY', { host, port }, error)
            : new ToolkitError('DT_INPUT_INVALID', { what: 'The address', reason: error.message }, error),
        );
      });
      http.listen({ host, port }, resolve);
    });
    return new RpcServer(http, sockets, host);
  }

  /** Where clients on this machine reach it. */
  get authority(): string {
    const host = this.#host === '0.0.0.0' || this.#host === '::' ? '127.0.0.1' : this.#host;
    return `${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const client of this.#sockets.clients) client.close(GOING_AWAY, 'the chain is being stopped');
    this.#sockets.close();
    this.#http.closeIdleConnections();
    // What still hangs on has had its answer or is not going to get one.
    const timer = setTimeout(() => {
      for (const client of this.#sockets.clients) client.terminate();
      this.#http.closeAllConnections();
    }, 500);
    await closed;
    clearTimeout(timer);
  }
}

async function serveRequest(request: IncomingMessage, response: ServerResponse, ready: Promise<{ router: RpcRouter }>): Promise<void> {
  try {
    const text = await readBody(request);
    if (text === undefined) return end(response, 413, `A request may have ${MAX_MESSAGE_BYTES} bytes.`);
    const { router } = await ready;
    const answer = await answerMessage(text, httpHandler(router));
    if (answer === undefined) return end(response, 204, '');
    const bytes = Buffer.from(answer);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes.length }).end(bytes);
  } catch {
    // The client went away in the middle of its request, or the chain did not start: there is nobody or nothing to answer.
    response.destroy();
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > MAX_MESSAGE_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...(status === 413 ? { Connection: 'close' } : {}) }).end(text);
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * A browser on this machine would carry any web page's calls to a loopback port. Its Origin tells: only local pages and wallet
 * extensions are served, and on a loopback address only under loopback names (a page can point its own name here).
 */
function isAllowed(request: IncomingMessage, boundTo: string): boolean {
  const { origin, host } = request.headers;
  if (origin !== undefined && !/^[a-z-]+-extension:/.test(origin) && !LOOPBACK.test(hostnameOf(origin))) return false;
  const bound = boundTo.includes(':') ? `[${boundTo}]` : boundTo;
  if (!LOOPBACK.test(bound)) return true;
  return LOOPBACK.test(hostnameOf(`http://${host ?? ''}`));
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
