import type { TLSSocket, TlsOptions } from 'node:tls';
import type { Bytes32 } from '../../documents/ids.js';
import { linkKeyBytes, type TlsIdentity } from './link-key.js';

/** No CA is asked: whoever made the connection compares the key that was shown with the chain's, before any other byte. */
export function tlsTerms(identity: TlsIdentity, protocol: string) {
  return {
    ...identity,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    ALPNProtocols: [protocol],
    rejectUnauthorized: false,
  } as const satisfies TlsOptions;
}

/**
 * The Ed25519 key that the peer has proved to hold: TLS 1.3 has checked its signature over this very handshake. Undefined when it
 * showed none, another kind, or when the connection is a resumed one, in which nothing was signed.
 */
export function shownLinkKey(socket: TLSSocket): Bytes32 | undefined {
  const key = socket.isSessionReused() ? undefined : socket.getPeerX509Certificate()?.publicKey;
  return key?.asymmetricKeyType === 'ed25519' ? linkKeyBytes(key) : undefined;
}

/** What a failed TLS handshake means for people; both ends see their half of it. */
export function tlsProblem(error: Error): { readonly code: 'DT_LINK_VERSION' | 'DT_LINK_HANDSHAKE'; readonly reason: string } {
  const name = 'code' in error ? String(error.code) : '';
  if (/NO_APPLICATION_PROTOCOL/.test(name)) return { code: 'DT_LINK_VERSION', reason: 'another protocol' };
  if (/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION/.test(name)) return { code: 'DT_LINK_VERSION', reason: 'a TLS older than 1.3' };
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST/.test(name)) return { code: 'DT_LINK_HANDSHAKE', reason: 'what it sent is not TLS' };
  if (name === 'ERR_TLS_HANDSHAKE_TIMEOUT') return { code: 'DT_LINK_HANDSHAKE', reason: 'it did not finish the TLS handshake in time' };
  return { code: 'DT_LINK_HANDSHAKE', reason: name || error.message };
}
