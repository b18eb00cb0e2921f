import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import { ToolkitError } from '../errors/toolkit-error.js';
import { type MessageLink, messageHeaderBytes } from './message-link.js';
import { RandomStream } from './random-stream.js';

/** Streams that exactly the two ends of one link can draw. */
export interface LinkStreams {
  /** One stream per purpose; asking twice for the same purpose would repeat its bytes and is refused. */
  stream(purpose: string): RandomStream;
}

// The fixed start of an X25519 private key in PKCS #8 (RFC 8410); the 32 secret bytes follow.
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
/** Bytes of a private key; draw them fresh for each run and link, before anything is awaited, so that a run can be replayed. */
export const keyBytes = 32;

/**
 * X25519 (RFC 7748) with a fresh key pair for each run and link, then HKDF-SHA256 (RFC 5869): salt = digest of the agreed
 * terms and both public keys, info = purpose. The channel has authenticated the peer; this only makes a secret of the run that
 * the machinery around the channel does not hold. secretKey: keyBytes fresh uniform bytes.
 *
 * Rounds: 1. Bytes: 40 each way. Learned: nothing.
 * Errors: DT_PEER_PROTOCOL for a public key that is no proper point.
 */
export async function agreeOnStreams(link: MessageLink, termsDigest: Uint8Array, secretKey: Uint8Array): Promise<LinkStreams> {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, secretKey]), format: 'der', type: 'pkcs8' });
  const mine = rawPublicKey(createPublicKey(privateKey));
  const framed = new Uint8Array(messageHeaderBytes + keyBytes);
  framed.set(mine, messageHeaderBytes);
  await link.send('publicKey', framed);
  const theirs = Uint8Array.from(await link.receive('publicKey', keyBytes));
  const secret = sharedSecret(privateKey, theirs, (reason) => link.broken(reason));
  const [low, high] = Buffer.compare(mine, theirs) < 0 ? [mine, theirs] : [theirs, mine];
  return linkStreams(secret, Buffer.concat([termsDigest, low, high]));
}

export function linkStreams(secret: Uint8Array, salt: Uint8Array): LinkStreams {
  const drawn = new Set<string>();
  return {
    stream(purpose) {
      if (drawn.has(purpose)) throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: `the stream "${purpose}" was opened before` });
      drawn.add(purpose);
      return new RandomStream(new Uint8Array(hkdfSync('sha256', secret, salt, `compute-to-data privacy ${purpose}`, 16)));
    },
  };
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

function sharedSecret(privateKey: KeyObject, theirs: Uint8Array, broken: (reason: string) => ToolkitError): Uint8Array {
  try {
    const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.from(theirs).toString('base64url') };
    return new Uint8Array(diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }));
  } catch {
    // OpenSSL refuses the points of small order, whose shared secret anyone could know.
    throw broken('its public key is not usable');
  }
}
