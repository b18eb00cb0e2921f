import { createECDH, type ECDH } from 'node:crypto';
import { p256, p256_hasher } from '@noble/curves/nist.js';
import type { RandomSource } from '../random-source.js';

/** Bytes of an element: its x coordinate, big endian. The sign of y is left out, since x(k P) = x(k (-P)). */
export const elementBytes = 32;

// RFC 9497, section 3.1 and 4.3: mode OPRF (0), suite P256-SHA256.
const hashToGroupTag = Uint8Array.from([...Buffer.from('HashToGroup-OPRFV1-'), 0, ...Buffer.from('-P256-SHA256')]);

/** HashToGroup of RFC 9497's suite P256-SHA256 (P256_XMD:SHA-256_SSWU_RO_ of RFC 9380), as an x coordinate. */
export function hashToElement(input: Uint8Array): Uint8Array {
  return p256_hasher.hashToCurve(input, { DST: hashToGroupTag }).toBytes(true).subarray(1);
}

/** A secret scalar and what it is for. */
export class SecretScalar {
  private readonly ecdh: ECDH;
  private readonly point = new Uint8Array(1 + elementBytes);

  constructor(secret: Uint8Array) {
    this.ecdh = createECDH('prime256v1');
    this.ecdh.setPrivateKey(secret);
    this.point[0] = 2;
  }

  static random(random: RandomSource): SecretScalar {
    // 384 bits reduced modulo the order, as FIPS 186-5 A.2.1 has it.
    return new SecretScalar(p256.utils.randomSecretKey(random.bytes(48)));
  }

  /** The element times the scalar; undefined for what is no x coordinate of the curve. The group has prime order: no small subgroups. */
  multiply(element: Uint8Array): Uint8Array | undefined {
    this.point.set(element, 1);
    try {
      return this.ecdh.computeSecret(this.point);
    } catch {
      return undefined;
    }
  }
}
