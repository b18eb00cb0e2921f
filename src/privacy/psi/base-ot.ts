import { createECDH, createHash, type ECDH } from 'node:crypto';
import { normalizeZ } from '@noble/curves/abstract/curve.js';
import { p256 } from '@noble/curves/nist.js';
import type { ToolkitError } from '../../errors/toolkit-error.js';
import { type MessageLink, messageHeaderBytes } from '../message-link.js';
import type { RandomSource } from '../random-source.js';

type Point = InstanceType<typeof p256.Point>;

export const seedBytes = 16;
/** x and y, without the byte that says so. */
const pointBytes = 64;
const curve = 'prime256v1';

/**
 * Random 1-out-of-2 oblivious transfers of 16-byte keys, semi-honest.
 *
 * Source: Chou, Orlandi, "The Simplest Protocol for Oblivious Transfer" (LATINCRYPT 2015; ePrint 2015/267), keys bound to the whole
 * transcript of the transfer. On P-256: scalar products by node:crypto, sums of points by @noble/curves; only the x coordinate enters the
 * key, which loses nothing. 128-bit security: CDH on P-256, SHA-256 as a random oracle.
 *
 * Sender A = aG; receiver B_i = b_i G + c_i A; keys k_c = H(i, A, B_i, a (B_i - c A)), of which the receiver knows b_i A.
 * Trust: semi-honest (a sender that chooses A badly, or a receiver that is malicious, is not considered).
 * Learned: the sender nothing about c (B_i is uniform), the receiver nothing about the other keys.
 * Rounds: 1 (A over, B_i back). Bytes: 64 and 64 count, plus headers.
 */
export interface BaseOtSender {
  /** Both keys of each transfer, 16 bytes each. */
  readonly keys: readonly [Uint8Array, Uint8Array];
}

export interface BaseOtReceiver {
  /** One byte for each transfer, 0 or 1. */
  readonly choices: Uint8Array;
  /** The chosen keys, 16 bytes each. */
  readonly keys: Uint8Array;
}

export class BaseOtSending {
  private readonly ecdh: ECDH;
  private readonly own: Uint8Array;

  constructor(
    private readonly link: MessageLink,
    random: RandomSource,
  ) {
    this.ecdh = keyPair(random);
    this.own = rawPoint(this.ecdh);
  }

  async offer(): Promise<void> {
    await this.link.send('psiBaseKey', framed(this.own));
  }

  /** count: of transfers. Errors: DT_PEER_PROTOCOL for what is no point of the curve. */
  async finish(count: number, measure: <R>(body: () => R) => R): Promise<BaseOtSender> {
    const received = await this.link.receive('psiBasePoints', pointBytes * count);
    return measure(() => {
      const offered = pointOf(this.own, this.link);
      const shifted = normalizeZ(
        p256.Point,
        Array.from({ length: count }, (_, i) => pointOf(slotOf(received, i), this.link).subtract(offered)),
      );
      const keys = [new Uint8Array(seedBytes * count), new Uint8Array(seedBytes * count)] as const;
      for (let i = 0; i < count; i++) {
        const chosen = slotOf(received, i);
        const other = (shifted[i] as Point).is0() ? undefined : (shifted[i] as Point).toBytes(false).subarray(1);
        if (other === undefined) throw notOnCurve(this.link);
        keys[0].set(otKey(i, this.own, chosen, sharedX(this.ecdh, chosen, this.link)), seedBytes * i);
        keys[1].set(otKey(i, this.own, chosen, sharedX(this.ecdh, other, this.link)), seedBytes * i);
      }
      return { keys };
    });
  }
}

/** The receiving end, with random choices. */
export async function receiveBaseOts(
  link: MessageLink,
  count: number,
  random: RandomSource,
  measure: <R>(body: () => R) => R,
): Promise<BaseOtReceiver> {
  const offered = await link.receive('psiBaseKey', pointBytes);
  const { message, result } = measure(() => {
    const offer = pointOf(offered, link);
    const choices = random.bytes(count).map((byte) => byte & 1);
    const pairs = Array.from({ length: count }, () => keyPair(random));
    const own = pairs.map((pair) => pointOf(rawPoint(pair), link));
    // The sum is made for every choice, so that the time does not tell them.
    const sums = normalizeZ(
      p256.Point,
      own.map((point) => point.add(offer)),
    );
    const sent = new Uint8Array(messageHeaderBytes + pointBytes * count);
    const keys = new Uint8Array(seedBytes * count);
    for (let i = 0; i < count; i++) {
      const either = [own[i] as Point, sums[i] as Point] as const;
      const point = either[choices[i] as 0 | 1].toBytes(false).subarray(1);
      sent.set(point, messageHeaderBytes + pointBytes * i);
      keys.set(otKey(i, offered, point, sharedX(pairs[i] as ECDH, offered, link)), seedBytes * i);
    }
    return { message: sent, result: { choices, keys } };
  });
  await link.send('psiBasePoints', message);
  return result;
}

function keyPair(random: RandomSource): ECDH {
  const ecdh = createECDH(curve);
  // 384 bits reduced modulo the order, as FIPS 186-5 A.2.1 has it.
  ecdh.setPrivateKey(p256.utils.randomSecretKey(random.bytes(48)));
  return ecdh;
}

const rawPoint = (ecdh: ECDH): Uint8Array => new Uint8Array(ecdh.getPublicKey()).subarray(1);

const slotOf = (points: Uint8Array, index: number): Uint8Array => points.subarray(pointBytes * index, pointBytes * (index + 1));

function uncompressed(raw: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + pointBytes);
  bytes[0] = 4;
  bytes.set(raw, 1);
  return bytes;
}

function pointOf(raw: Uint8Array, link: MessageLink): Point {
  try {
    return p256.Point.fromBytes(uncompressed(raw));
  } catch {
    throw notOnCurve(link);
  }
}

function sharedX(ecdh: ECDH, raw: Uint8Array, link: MessageLink): Uint8Array {
  try {
    return ecdh.computeSecret(uncompressed(raw));
  } catch {
    throw notOnCurve(link);
  }
}

const notOnCurve = (link: MessageLink): ToolkitError => link.broken('it sent what is no point of the curve');

function otKey(index: number, offered: Uint8Array, chosen: Uint8Array, shared: Uint8Array): Uint8Array {
  const hash = createHash('sha256').update(`compute-to-data psi base ot ${index}\0`).update(offered).update(chosen).update(shared);
  return hash.digest().subarray(0, seedBytes);
}

function framed(payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(messageHeaderBytes + payload.byteLength);
  message.set(payload, messageHeaderBytes);
  return message;
}
