import http from 'node:http';
import https from 'node:https';
import { answersById, encodeCalls, labelOf, type Rpc, type RpcAnswer, type RpcCall, type RpcOptions, unreachable } from './rpc.js';

const RESPONSE_LIMIT_BYTES = 256 * 1024 * 1024;

/** JSON-RPC over HTTP with a connection that is kept alive; several calls travel as one batch. */
export function openHttpRpc(url: URL, options: RpcOptions = {}): Rpc {
  const client = url.protocol === 'https:' ? https : http;
  const agent = new client.Agent({ keepAlive: true });
  const label = labelOf(url);
  const timeoutMs = options.timeoutMs ?? 30_000;
  let lastId = 0;
  let batches = true;

  /** A kept-alive connection may be closed by the server in the moment of its use: then, and only then, once more. */
  async function post(body: string): Promise<unknown> {
    try {
      return await attempt(body);
    } catch (error) {
      if (error instanceof StaleConnection) return attempt(body);
      throw error;
    }
  }

  function attempt(body: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string, cause?: unknown) => reject(unreachable(label, reason, cause));
      const request = client.request(url, {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(timeoutMs),
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (request.reusedSocket && error.code === 'ECONNRESET') reject(new StaleConnection());
        else fail(error.name === 'AbortError' ? `no answer after ${timeoutMs} ms` : (error.code ?? error.message), error);
      });
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > RESPONSE_LIMIT_BYTES) request.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', (error) => fail(error.name === 'AbortError' ? `no answer after ${timeoutMs} ms` : error.message, error));
        response.on('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch {
            fail(`it answered HTTP ${response.statusCode} and no JSON`);
          }
        });
      });
      request.end(body);
    });
  }

  async function exchange(calls: readonly RpcCall[]): Promise<(RpcAnswer | undefined)[]> {
    options.onRoundTrip?.(calls.map((call) => call.method));
    const firstId = lastId + 1;
    lastId += calls.length;
    const answers = answersById(await post(encodeCalls(calls, firstId)));
    return calls.map((_, index) => answers.get(firstId + index));
  }

  async function send(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]> {
    if (calls.length === 0) return [];
    let answers: (RpcAnswer | undefined)[];
    if (batches || calls.length === 1) {
      answers = await exchange(calls);
      // Some endpoints refuse batches as a whole, with one error that names none of the calls.
      if (calls.length > 1 && answers.every((answer) => answer === undefined)) {
        batches = false;
        return send(calls);
      }
    } else {
      answers = (await Promise.all(calls.map((call) => exchange([call])))).flat();
    }
    return answers.map((answer, index) => {
      if (answer === undefined) throw unreachable(label, `no answer to ${calls[index]?.method}`);
      return answer;
    });
  }

  return { label, send, close: () => agent.destroy() };
}

class StaleConnection extends Error {}
