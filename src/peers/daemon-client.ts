import { isObject, type JsonObject, sha256 } from '../documents/canonical.js';
import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import type { SignatureDomain } from '../documents/job/typed-data.js';
import { authorizationHeader, computeBody, grantBody } from '../documents/job/wire.js';
import { isErrorCode } from '../errors/codes.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { type DaemonIdentity, parseDaemonIdentity } from './daemon-identity.js';
import { type HoldView, parseHoldView } from './hold-view.js';
import { parseRunView, type RunView } from './run-view.js';
import { type ServerEvent, serverEvents } from './server-events.js';
import { freshEnvelope, signRequest, type TypedDataSigner } from './signer.js';

export type { DaemonIdentity } from './daemon-identity.js';
export type { HoldView } from './hold-view.js';
export type { OutputView, RunView } from './run-view.js';

export interface DaemonClientOptions {
  readonly url: URL;
  /** Absent: only what needs no proof can be asked. */
  readonly signer?: TypedDataSigner;
  readonly domain: SignatureDomain;
  /** The organization that must answer; every proof is bound to it. */
  readonly organization: Address;
  readonly timeoutMs?: number;
}

/** How much of an answer is read before it counts as an attack. */
const LONGEST_ANSWER_BYTES = 64 << 20;
const LONGEST_LOG_BYTES = 256 << 20;
const LONGEST_IDENTITY_BYTES = 64 << 10;

export interface DaemonHealth {
  readonly chain: 'ok' | 'failed';
  readonly store: 'ok' | 'failed';
}

/** Speaks to one daemon. Everything signed is bound to its organization, so another daemon at the same address cannot use it. */
export class DaemonClient {
  constructor(private readonly options: DaemonClientOptions) {}

  get url(): string {
    return this.options.url.href;
  }

  /** What the daemon says of itself. @throws DT_PEER_ANSWER, also when it is another organization's; DT_PEER_FORBIDDEN_TARGET */
  async identity(): Promise<DaemonIdentity> {
    const response = await this.call('GET', '/v1/identity', undefined, false);
    const identity = parseDaemonIdentity(await this.json(response, LONGEST_IDENTITY_BYTES), this.url);
    if (identity.organization === this.options.organization) return identity;
    throw new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason: `it is the daemon of ${identity.organization}` });
  }

  async compute(request: { job: bigint; algorithm: TokenId; dataToken: TokenId; spec: Bytes32 }): Promise<RunView> {
    const signed = { type: 'compute', ...request, ...freshEnvelope(this.options.organization) } as const;
    const body = computeBody(signed, await signRequest(this.needSigner(), this.options.domain, signed));
    return this.run(await this.call('POST', '/v1/jobs', body, false));
  }

  async grant(
    request: { composite: TokenId; dataToken: TokenId; until: number },
    documents: readonly object[],
  ): Promise<{ readonly granted: boolean; readonly until: number }> {
    const signed = { type: 'grant', ...request, ...freshEnvelope(this.options.organization) } as const;
    const body = grantBody(signed, await signRequest(this.needSigner(), this.options.domain, signed), documents);
    return this.json(await this.call('POST', '/v1/grants', body, false));
  }

  async holdAsset(body: { token: TokenId; path: string; document: object }): Promise<JsonObject> {
    return this.json(await this.call('POST', '/v1/assets', body));
  }

  async assets(): Promise<readonly JsonObject[]> {
    return this.list(await this.call('GET', '/v1/assets', undefined), 'assets', (asset) => asset as JsonObject);
  }

  async pinDocuments(documents: readonly object[]): Promise<void> {
    await this.call('POST', '/v1/documents', { documents });
  }

  async jobs(filter: { job?: string; token?: TokenId; limit?: number } = {}): Promise<readonly RunView[]> {
    const query = new URLSearchParams(Object.entries(filter).map(([key, value]): [string, string] => [key, String(value)])).toString();
    const response = await this.call('GET', `/v1/jobs${query && `?${query}`}`, undefined);
    return this.list(response, 'jobs', (run) => parseRunView(run, this.url));
  }

  async job(id: string): Promise<RunView> {
    return this.run(await this.call('GET', `/v1/jobs/${encodeURIComponent(id)}`, undefined));
  }

  async logs(id: string): Promise<string> {
    const response = await this.call('GET', `/v1/jobs/${encodeURIComponent(id)}/logs`, undefined);
    return (await this.read(response, LONGEST_LOG_BYTES)).toString('utf8');
  }

  /** States and log lines from the beginning, or after the event of an id, live until the run has ended. A lost connection is taken up again where it broke. */
  events(id: string, signal?: AbortSignal, after?: string): AsyncIterable<ServerEvent> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/events`;
    return serverEvents(
      (lastEventId) => this.call('GET', path, undefined, true, { 'last-event-id': lastEventId }, signal),
      this.url,
      signal,
      after,
    );
  }

  /** The bytes of one output from `offset` on. */
  async output(id: string, name: string, offset = 0): Promise<Response> {
    const path = `/v1/jobs/${encodeURIComponent(id)}/outputs/${name.split('/').map(encodeURIComponent).join('/')}`;
    return this.call('GET', path, undefined, true, offset > 0 ? { range: `bytes=${offset}-` } : {});
  }

  async cancel(id: string, reason?: string): Promise<RunView> {
    return this.run(await this.call('POST', `/v1/jobs/${encodeURIComponent(id)}/cancel`, reason === undefined ? {} : { reason }));
  }

  async rerun(id: string): Promise<RunView> {
    return this.run(await this.call('POST', `/v1/jobs/${encodeURIComponent(id)}/rerun`, {}));
  }

  /** Whether the daemon reaches its chain and its store. Needs no key. */
  async health(): Promise<DaemonHealth> {
    const response = await this.send('GET', '/v1/health', undefined, false);
    if (!response.ok && response.status !== 503) throw await this.problem(response);
    const { chain, store } = await this.json<JsonObject>(response, LONGEST_IDENTITY_BYTES);
    const said = (value: unknown): 'ok' | 'failed' => (value === 'ok' ? 'ok' : 'failed');
    if (typeof chain !== 'string') throw new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason: 'it tells nothing of its chain' });
    return { chain: said(chain), store: said(store) };
  }

  /** What waits for the owner. @throws DT_AUTH_FORBIDDEN for anyone else */
  async holds(): Promise<readonly HoldView[]> {
    return this.list(await this.call('GET', '/v1/holds', undefined), 'holds', (hold) => parseHoldView(hold, this.url));
  }

  /** The owner's word. `subject`: of what was looked at. @throws DT_POLICY_CHANGED, DT_JOB_STATE */
  async answer(id: string, outcome: 'approve' | 'refuse', body: { readonly reason: string; readonly subject: Bytes32 }): Promise<RunView> {
    return this.run(await this.call('POST', `/v1/jobs/${encodeURIComponent(id)}/${outcome}`, body));
  }

  async receipt(id: string): Promise<JsonObject> {
    return this.json(await this.call('GET', `/v1/jobs/${encodeURIComponent(id)}/receipt`, undefined));
  }

  /** A code for the daemon's page; for the organization itself. */
  async signInCode(): Promise<{ readonly code: string; readonly expiresAt: string }> {
    const { code, expiresAt } = await this.json<JsonObject>(await this.call('POST', '/v1/session/codes', undefined));
    if (typeof code === 'string' && typeof expiresAt === 'string') return { code, expiresAt };
    throw new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason: 'it has no code' });
  }

  /** The receipt with what it names: see Evidence. Nothing of it is verified here. */
  async evidence(id: string): Promise<JsonObject> {
    return this.json(await this.call('GET', `/v1/jobs/${encodeURIComponent(id)}/evidence`, undefined));
  }

  /** What opens the commitment to the data of a run; for its owner alone. */
  async opening(id: string): Promise<JsonObject> {
    return this.json(await this.call('GET', `/v1/jobs/${encodeURIComponent(id)}/opening`, undefined));
  }

  private needSigner(): TypedDataSigner {
    if (this.options.signer === undefined) throw new ToolkitError('DT_INPUT_MISSING', { what: 'The key to sign with (--key)' });
    return this.options.signer;
  }

  private async call(...request: Parameters<DaemonClient['send']>): Promise<Response> {
    const response = await this.send(...request);
    if (!response.ok) throw await this.problem(response);
    return response;
  }

  private async send(
    method: string,
    path: string,
    body: unknown,
    prove = true,
    extra: Record<string, string | undefined> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers: Record<string, string> = payload === undefined ? {} : { 'content-type': 'application/json' };
    for (const [name, value] of Object.entries(extra)) if (value !== undefined) headers[name] = value;
    const target = new URL(this.options.url.pathname.replace(/\/$/, '') + path, this.options.url);
    if (prove) {
      const envelope = freshEnvelope(this.options.organization);
      const request = { type: 'http', method, path, body: sha256(payload ?? new Uint8Array()), ...envelope } as const;
      headers['authorization'] = authorizationHeader(envelope, await signRequest(this.needSigner(), this.options.domain, request));
    }
    const timeout = new AbortController();
    const timeoutMs = this.options.timeoutMs ?? 30_000;
    const timer = setTimeout(() => timeout.abort(new Error(`no complete answer within ${timeoutMs} ms`)), timeoutMs);
    timer.unref();
    const response = await fetch(target, {
      method,
      headers,
      redirect: 'error',
      ...(payload && { body: payload }),
      signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
    }).catch((error: Error & { cause?: Error }) => {
      throw new ToolkitError('DT_PEER_UNREACHABLE', { url: this.url, reason: error.cause?.message || error.message }, error);
    });
    // A stream that is followed may stay silent for long, and a file may be large; only their reader ends them.
    if (response.ok && /\/(events|outputs\/.*)$/.test(path)) clearTimeout(timer);
    return response;
  }

  private async json<T>(response: Response, limit = LONGEST_ANSWER_BYTES): Promise<T> {
    const bytes = await this.read(response, limit);
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString('utf8'));
    } catch (error) {
      throw new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason: (error as Error).message });
    }
    if (!isObject(value)) throw new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason: 'it is not a JSON object' });
    return value as T;
  }

  private async run(response: Response): Promise<RunView> {
    return parseRunView(await this.json(response), this.url);
  }

  private async list<T>(response: Response, key: string, parse: (item: unknown) => T): Promise<readonly T[]> {
    const items = (await this.json<Readonly<Record<string, unknown>>>(response))[key];
    if (Array.isArray(items)) return items.map(parse);
    throw new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason: `it has no list ${key}` });
  }

  /** @throws DT_PEER_ANSWER, DT_PEER_UNREACHABLE when it breaks off */
  private async read(response: Response, limit: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (size > limit) throw new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason: `it is longer than ${limit} bytes` });
        chunks.push(chunk);
      }
    } catch (error) {
      if (error instanceof ToolkitError) throw error;
      throw new ToolkitError('DT_PEER_UNREACHABLE', { url: this.url, reason: (error as Error).message }, error);
    }
    return Buffer.concat(chunks);
  }

  /** A problem+json answer becomes the same error on this side. */
  private async problem(response: Response): Promise<ToolkitError> {
    const body = await this.json<JsonObject>(response).catch((): JsonObject => ({}));
    const { code, details, detail } = body;
    if (typeof code === 'string' && isErrorCode(code)) return new ToolkitError(code, { ...(isObject(details) && details), at: this.url });
    const reason = `HTTP ${response.status} ${typeof detail === 'string' ? detail : ''}`.trim();
    return new ToolkitError('DT_PEER_ANSWER', { url: this.url, reason });
  }
}
