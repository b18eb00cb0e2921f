import { randomBytes } from 'node:crypto';
import { sha256 } from '../documents/canonical.js';
import type { Bytes32 } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { cidOf } from './cid.js';
import type { ContentSource } from './content-source.js';
import type { ContentStore } from './content-store.js';
import { type BoundedResponse, failed, fetchBounded, type OutboundOptions } from './fetch-bounded.js';
import { parseTarget, showUrl } from './outbound-target.js';
import { limitBytes, verifyBytes } from './verify-bytes.js';

/** Blocks above this size are only taken by kubo when it is told that the caller means it. */
const KUBO_SOFT_LIMIT = 1024 * 1024;

/**
 * The block store of a kubo node of one's own, over its RPC API (`http://127.0.0.1:5001`). What it returns is checked like
 * anyone's. Reads are asked of the node alone or of its network as it is configured, within the timeout.
 * https://docs.ipfs.tech/reference/kubo/rpc/
 */
export class KuboStore implements ContentStore, ContentSource {
  readonly name: string;
  readonly #base: URL;
  readonly #options: OutboundOptions;

  /** @throws DT_INPUT_INVALID, DT_PEER_FORBIDDEN_TARGET */
  constructor(apiUrl: string, options: OutboundOptions) {
    this.#base = parseTarget(apiUrl, options.isAllowedTarget);
    this.#options = options;
    this.name = showUrl(this.#base);
  }

  /** Stored and pinned when it returns. @throws DT_DOCUMENT_TAMPERED when the node filed it under another digest */
  async put(bytes: Uint8Array): Promise<Bytes32> {
    limitBytes(bytes);
    const digest = sha256(bytes);
    const boundary = `dt-${randomBytes(16).toString('hex')}`;
    const body = Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="block"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    const url = this.#url('block/put', { 'cid-codec': 'raw', mhtype: 'sha2-256', pin: 'true' });
    if (bytes.length > KUBO_SOFT_LIMIT) url.searchParams.set('allow-big-block', 'true');
    const headers = { 'Content-Type': `multipart/form-data; boundary=${boundary}` };
    const response = await fetchBounded(url, { method: 'POST', headers, body }, this.#options);
    if (response.status !== 200) throw failed(url, messageOf(response));
    const key = jsonOf(response)['Key'];
    if ((await digestOfKey(key)) !== digest)
      throw new ToolkitError('DT_DOCUMENT_TAMPERED', { cid: cidOf(digest), source: this.name, actual: String(key).slice(0, 100) });
    return digest;
  }

  async get(digest: Bytes32, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const url = this.#url('block/get', { arg: cidOf(digest) });
    const response = await fetchBounded(url, { method: 'POST', signal }, this.#options);
    if (response.status === 200) return verifyBytes(digest, response.bytes, this.name);
    const message = messageOf(response);
    // kubo answers 500 for a block that it cannot find; its status says nothing more.
    if (response.status === 404 || (response.status === 500 && /not found|could not find/i.test(message))) return undefined;
    throw failed(url, message);
  }

  #url(command: string, parameters: Record<string, string>): URL {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v0/${command}`;
    url.search = new URLSearchParams(parameters).toString();
    return url;
  }
}

function jsonOf({ bytes }: BoundedResponse): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function messageOf(response: BoundedResponse): string {
  const message = jsonOf(response)['Message'];
  return `HTTP ${response.status}${typeof message === 'string' ? `: ${message.slice(0, 200)}` : ''}`;
}

async function digestOfKey(key: unknown): Promise<Bytes32 | undefined> {
  const { digestOfCid } = await import('./digest-of-cid.js');
  try {
    return digestOfCid(key);
  } catch {
    return undefined;
  }
}
