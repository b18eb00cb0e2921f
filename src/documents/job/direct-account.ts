import { ToolkitError } from '../../errors/toolkit-error.js';
import { isObject } from '../canonical.js';
import type { LinkTraffic } from '../receipt/receipt.js';

/** What a daemon gives its operator for the connections to its peers' operators: a key pair of this computation, and theirs. */
export interface DirectKeys {
  /** PKCS #8, PEM; Ed25519. */
  readonly key: string;
  /** X.509, PEM. */
  readonly cert: string;
  /** The 32 bytes of each peer's public key in hex, by seat. */
  readonly peers: Readonly<Record<string, string>>;
}

/** What an operator tells its daemon at its end: what crossed its direct connections, or why it failed. */
export type DirectAccount =
  | { readonly kind: 'traffic'; readonly traffic: Readonly<Record<string, { readonly sent: LinkTraffic; readonly received: LinkTraffic }>> }
  /** `echo`: because of what came from a peer, or did not. */
  | { readonly kind: 'failure'; readonly reason: string; readonly echo: boolean };

/** @throws DT_DOCUMENT_INVALID */
export function parseDirectKeys(value: unknown): DirectKeys {
  if (!isObject(value)) throw invalid('keys', '/', 'they are no object');
  const { key, cert, peers } = value;
  if (typeof key !== 'string' || typeof cert !== 'string' || !isObject(peers)) throw invalid('keys', '/', 'they are not complete');
  const entries = Object.entries(peers).map(([seat, peer]): readonly [string, string] => {
    if (typeof peer !== 'string' || !/^[0-9a-f]{64}$/.test(peer)) throw invalid('keys', `/peers/${seat}`, 'it is not 64 hex digits');
    return [seat, peer];
  });
  return { key, cert, peers: Object.fromEntries(entries) };
}

/** @param seats of whom it has to tell @throws DT_DOCUMENT_INVALID */
export function parseDirectAccount(value: unknown, seats: readonly string[]): DirectAccount {
  if (!isObject(value)) throw invalid('account', '/', 'it is no object');
  const { kind, reason, echo, traffic } = value;
  if (kind === 'failure' && typeof reason === 'string' && typeof echo === 'boolean')
    return { kind, reason: reason.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 1_000), echo };
  if (kind !== 'traffic' || !isObject(traffic)) throw invalid('account', '/kind', 'it tells of nothing that is known here');
  const entries = seats.map((seat) => {
    const link = traffic[seat];
    if (!isObject(link)) throw invalid('account', `/traffic/${seat}`, 'it is missing');
    return [seat, { sent: parseTraffic(link['sent'], seat), received: parseTraffic(link['received'], seat) }] as const;
  });
  return { kind, traffic: Object.fromEntries(entries) };
}

function parseTraffic(value: unknown, seat: string): LinkTraffic {
  const isCount = (count: unknown): count is number => typeof count === 'number' && Number.isSafeInteger(count) && count >= 0;
  if (isObject(value)) {
    const { bytes, messages, sha256 } = value;
    if (isCount(bytes) && isCount(messages) && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256))
      return { bytes, messages, sha256 };
  }
  throw invalid('account', `/traffic/${seat}`, 'it has no counts and hash');
}

const invalid = (what: string, pointer: string, reason: string): ToolkitError =>
  new ToolkitError('DT_DOCUMENT_INVALID', { kind: `operator's direct ${what}`, pointer, reason });
