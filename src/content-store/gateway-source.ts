import type { Bytes32 } from '../documents/ids.js';
import { cidOf } from './cid.js';
import type { ContentSource } from './content-source.js';
import { failed, fetchBounded, type OutboundOptions } from './fetch-bounded.js';
import { parseTarget, showUrl } from './outbound-target.js';
import { verifyBytes } from './verify-bytes.js';

/**
 * An IPFS gateway or another daemon, which need not be trusted: `GET <base>/ipfs/<cid>?format=raw`, the bytes are checked.
 * https://specs.ipfs.tech/http-gateways/trustless-gateway/
 */
export class GatewaySource implements ContentSource {
  readonly name: string;
  readonly #base: URL;
  readonly #options: OutboundOptions;

  /** @throws DT_INPUT_INVALID, DT_PEER_FORBIDDEN_TARGET */
  constructor(baseUrl: string, options: OutboundOptions) {
    this.#base = parseTarget(baseUrl, options.isAllowedTarget);
    this.#options = options;
    this.name = showUrl(this.#base);
  }

  async get(digest: Bytes32, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/ipfs/${cidOf(digest)}`;
    url.search = '?format=raw';
    const { status, bytes } = await fetchBounded(
      url,
      { method: 'GET', headers: { Accept: 'application/vnd.ipld.raw' }, signal },
      this.#options,
    );
    if (status === 404 || status === 410) return undefined;
    if (status !== 200) throw failed(url, `HTTP ${status}`);
    return verifyBytes(digest, bytes, this.name);
  }
}
