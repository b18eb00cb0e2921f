import { createHash } from 'node:crypto';
import { messageHeaderBytes } from '../message-link.js';
import { elementBytes, hashToElement, SecretScalar } from './p256-group.js';
import { type PsiSession, yieldToLink } from './psi-session.js';
import { shuffledOrder } from './secret-order.js';

const tagBytes = 16;
const elementsPerMessage = 512;

/**
 * Private set intersection for small sets: Diffie-Hellman on hashed ids, two parties, semi-honest.
 *
 * Sources. Meadows (IEEE S&P 1986); Huberman, Franklin, Hogg (EC 1999); cardinality by shuffling: Agrawal, Evfimievski, Srikant (SIGMOD 2003).
 * Hash to the group and scalar products are those of the OPRF of RFC 9497, suite P256-SHA256, whose vectors are this file's tests; only x
 * coordinates travel.
 *
 * The receiver sends a H(x) for its items, the sender b H(y) for its own in a secret random order, and b a H(x) for what it got, cut to 16
 * bytes of a hash. The receiver computes a b H(y) and compares. For cardinality only the sender returns b a H(x) in another secret order, so
 * that the receiver can count and not tell which.
 *
 * Trust: both parties follow the protocol. A receiver that deviates may test items of its choice, as many as it declared.
 * Learned: the receiver which of its items are common and random place numbers (or their number alone); the sender nothing. Both: the sizes.
 * Rounds: 1.5. Bytes: 48 n of the receiver + 32 m of the sender. Time: about 0.43 ms an own item and 0.12 ms one of the peer.
 * Security: 128 bit computational (decisional Diffie-Hellman on P-256, SHA-256 as a random oracle); any false match among n m pairs with
 * probability n m / 2^128, below 2^-80 for 2^24 each. Hashing to the curve takes a time that depends on the id a little, and is local.
 */
export async function ecdhReceive(session: PsiSession, digests: number, count: number, peerCount: number): Promise<Uint32Array> {
  const { own, theirs } = await receiverTags(session, digests, count, peerCount);
  return session.clock.run('matching', () => {
    const places = new Map<string, number>();
    for (let place = 0; place < peerCount; place++) places.set(tagText(theirs, place), place);
    return Uint32Array.from({ length: count }, (_, item) => (places.get(tagText(own, item)) ?? -1) + 1);
  });
}

/** The receiver learns the number of common items and nothing else. */
export async function ecdhCount(session: PsiSession, digests: number, count: number, peerCount: number): Promise<number> {
  const { own, theirs } = await receiverTags(session, digests, count, peerCount);
  return session.clock.run('matching', () => {
    const places = new Set<string>();
    for (let place = 0; place < peerCount; place++) places.add(tagText(theirs, place));
    let common = 0;
    for (let item = 0; item < count; item++) if (places.has(tagText(own, item))) common += 1;
    return common;
  });
}

/** The sender of both. shuffled: for ecdhCount. Returns its secret order: the item at each place. */
export async function ecdhSend(
  session: PsiSession,
  digests: number,
  count: number,
  peerCount: number,
  shuffled: boolean,
): Promise<Uint32Array> {
  const { link, random } = session;
  const scalar = SecretScalar.random(random);
  const order = secretOrder(session, count);
  const theirs = await exchangeElements(session, scalar, { digests, count, peerCount, order });
  const returned = new Uint8Array(messageHeaderBytes + tagBytes * elementsPerMessage);
  const returnOrder = shuffled ? secretOrder(session, peerCount) : undefined;
  for (let at = 0; at < peerCount; at += elementsPerMessage) {
    const n = Math.min(elementsPerMessage, peerCount - at);
    session.clock.run('elements', () => {
      for (let i = 0; i < n; i++) {
        const tag = tagOf(session, scalar, theirs, returnOrder === undefined ? at + i : (returnOrder[at + i] as number));
        returned.set(tag, messageHeaderBytes + tagBytes * i);
      }
    });
    await link.send('psiReturned', returned.subarray(0, messageHeaderBytes + tagBytes * n));
    await yieldToLink();
  }
  return order;
}

async function receiverTags(session: PsiSession, digests: number, count: number, peerCount: number) {
  const scalar = SecretScalar.random(session.random);
  const elements = await exchangeElements(session, scalar, { digests, count, peerCount, order: undefined });
  const [own, theirs] = [new Uint8Array(tagBytes * count), new Uint8Array(tagBytes * peerCount)];
  // At the same time: a sender that is not read would stall.
  await Promise.all([receiveReturned(session, own, count), tagElements(session, scalar, elements, theirs, peerCount)]);
  return { own, theirs };
}

async function receiveReturned({ link }: PsiSession, target: Uint8Array, count: number): Promise<void> {
  for (let at = 0; at < count; at += elementsPerMessage) {
    target.set(await link.receive('psiReturned', tagBytes * Math.min(elementsPerMessage, count - at)), tagBytes * at);
  }
}

async function tagElements(
  session: PsiSession,
  scalar: SecretScalar,
  elements: Uint8Array,
  target: Uint8Array,
  count: number,
): Promise<void> {
  for (let at = 0; at < count; at += elementsPerMessage) {
    session.clock.run('elements', () => {
      const end = Math.min(count, at + elementsPerMessage);
      for (let place = at; place < end; place++) target.set(tagOf(session, scalar, elements, place), tagBytes * place);
    });
    await yieldToLink();
  }
}

interface OwnItems {
  readonly digests: number;
  readonly count: number;
  readonly peerCount: number;
  readonly order: Uint32Array | undefined;
}

/** Sends the own masked elements and takes the peer's, both at once so that no full pipe waits for another. */
async function exchangeElements(session: PsiSession, scalar: SecretScalar, items: OwnItems): Promise<Uint8Array> {
  const theirs = new Uint8Array(elementBytes * items.peerCount);
  await Promise.all([sendElements(session, scalar, items), receiveElements(session, theirs, items.peerCount)]);
  return theirs;
}

async function sendElements(session: PsiSession, scalar: SecretScalar, { digests, count, order }: OwnItems): Promise<void> {
  const { memory, clock, link } = session;
  const frame = new Uint8Array(messageHeaderBytes + elementBytes * elementsPerMessage);
  for (let at = 0; at < count; at += elementsPerMessage) {
    const n = Math.min(elementsPerMessage, count - at);
    clock.run('elements', () => {
      for (let i = 0; i < n; i++) {
        const item = order === undefined ? at + i : (order[at + i] as number);
        // A hashed id is always a point of the curve.
        const masked = scalar.multiply(hashToElement(memory.bytes(digests + 16 * item, 16))) as Uint8Array;
        frame.set(masked, messageHeaderBytes + elementBytes * i);
      }
    });
    await link.send('psiElements', frame.subarray(0, messageHeaderBytes + elementBytes * n));
    await yieldToLink();
  }
}

async function receiveElements(session: PsiSession, target: Uint8Array, count: number): Promise<void> {
  for (let at = 0; at < count; at += elementsPerMessage) {
    const n = Math.min(elementsPerMessage, count - at);
    target.set(await session.link.receive('psiElements', elementBytes * n), elementBytes * at);
  }
}

function tagOf(session: PsiSession, scalar: SecretScalar, elements: Uint8Array, index: number): Uint8Array {
  const shared = scalar.multiply(elements.subarray(elementBytes * index, elementBytes * (index + 1)));
  if (shared === undefined) throw session.link.broken('it sent what is no element of the group');
  return createHash('sha256').update('compute-to-data psi ecdh\0').update(shared).digest().subarray(0, tagBytes);
}

const tagText = (tags: Uint8Array, index: number): string =>
  Buffer.from(tags.buffer, tags.byteOffset + tagBytes * index, tagBytes).toString('latin1');

function secretOrder({ memory, random }: PsiSession, count: number): Uint32Array {
  const mark = memory.mark();
  const at = memory.allocate(4 * count);
  shuffledOrder(memory, at, count, random);
  const order = memory.indexes(at, count).slice();
  memory.release(mark);
  return order;
}
