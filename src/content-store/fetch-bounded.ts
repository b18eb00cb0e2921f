import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { ToolkitError } from '../errors/toolkit-error.js';
import {
  checkTarget,
  forbidden,
  guardedLookup,
  type IsAllowedTarget,
  LINK_LOCAL,
  type ResolveHost,
  resolveByDns,
  showUrl,
} from './outbound-target.js';
import { MAX_BLOCK_BYTES } from './verify-bytes.js';

export interface OutboundOptions {
  readonly isAllowedTarget: IsAllowedTarget;
  /** From the first byte sent to the last byte received; 30 s. */
  readonly timeoutMs?: number;
  /** 16 MiB. */
  readonly maxBytes?: number;
  /** The system's resolver. */
  readonly resolve?: ResolveHost;
}

export interface BoundedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export interface BoundedResponse {
  readonly status: number;
  readonly bytes: Buffer;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * One request to an allowed target. Redirects are not followed: they would lead past the check. The answer is read up to the
 * limit and no further; what is read comes unchecked.
 * @throws DT_PEER_FORBIDDEN_TARGET, DT_INPUT_TOO_LARGE, DT_DOCUMENT_SOURCE_FAILED; the reason of `signal` when it aborts
 */
export async function fetchBounded(url: URL, request: BoundedRequest, options: OutboundOptions): Promise<BoundedResponse> {
  checkTarget(url, options.isAllowedTarget);
  request.signal?.throwIfAborted();
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
  try {
    const response = await send(url, request, options.resolve ?? resolveByDns, signal);
    const status = response.statusCode ?? 0;
    if (status >= 300 && status < 400) {
      response.destroy();
      throw failed(url, `it redirects (HTTP ${status}), which is not followed`);
    }
    return { status, bytes: await readBody(url, response, options.maxBytes ?? MAX_BLOCK_BYTES) };
  } catch (cause) {
    if (cause instanceof ToolkitError) throw cause;
    if (request.signal?.aborted) throw request.signal.reason;
    if (deadline.aborted) throw failed(url, `no complete answer within ${timeoutMs} ms`, cause);
    if (cause instanceof Error && 'code' in cause && cause.code === LINK_LOCAL) throw forbidden(url);
    throw failed(url, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

export const failed = (url: URL, reason: string, cause?: unknown) =>
  new ToolkitError('DT_DOCUMENT_SOURCE_FAILED', { url: showUrl(url), reason }, cause);

function send(
  url: URL,
  { method, headers, body }: BoundedRequest,
  resolveHost: ResolveHost,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'https:' ? requestHttps : requestHttp;
    const length = body === undefined ? {} : { 'Content-Length': body.length };
    const request = start(url, {
      method,
      headers: { 'User-Agent': 'compute-to-data', 'Accept-Encoding': 'identity', ...headers, ...length },
      // A connection of its own: a kept one could be closed by the other side just when it is used again.
      agent: false,
      lookup: guardedLookup(resolveHost),
      signal,
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

async function readBody(url: URL, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = (actual: string) =>
    new ToolkitError('DT_INPUT_TOO_LARGE', { what: `The answer of ${showUrl(url)}`, actual, limit: `${maxBytes} bytes` });
  const announced = Number(response.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    response.destroy();
    throw tooLarge(`${announced} bytes`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    // Leaving the loop destroys the connection, so an answer without end is not read on.
    if (size > maxBytes) throw tooLarge('more');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
