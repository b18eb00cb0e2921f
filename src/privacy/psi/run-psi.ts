import { createHash, timingSafeEqual } from 'node:crypto';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../channel.js';
import { agreeOnTerms } from '../handshake.js';
import { agreeOnStreams, keyBytes } from '../key-agreement.js';
import { MessageLink, messageHeaderBytes } from '../message-link.js';
import { runParty } from '../party.js';
import type { RandomSource } from '../random-source.js';
import { choosePsiProtocol, type ProtocolChoice } from './choose-protocol.js';
import { CountDealer } from './count-dealer.js';
import { countReceive } from './count-receiver.js';
import { countSend } from './count-sender.js';
import { ecdhCount, ecdhReceive, ecdhSend } from './ecdh-psi.js';
import { maxSetSize } from './kkrt-plan.js';
import { kkrtReceive } from './kkrt-receiver.js';
import { kkrtSend } from './kkrt-sender.js';
import { type IdSource, type OwnSet, readOwnSet } from './own-set.js';
import { PhaseClock, type PsiPhase } from './phase-clock.js';
import { digestBytes, digestKeyBytes } from './psi-digest.js';
import { PsiMemory } from './psi-memory.js';
import { checkOwnOptions, type PsiOwnOptions, type PsiTerms, psiTerms } from './psi-options.js';
import type { PsiSession } from './psi-session.js';

export interface PsiResult {
  readonly choice: ProtocolChoice;
  /** Distinct ids of this side, and how many each side declared. */
  readonly count: number;
  readonly declared: number;
  readonly peerDeclared: number;
  /** Rows left out since an earlier row has the same id. */
  readonly duplicatesDropped: number;
  /** Of the ids in common; undefined at a side that does not learn it. */
  readonly size: number | undefined;
  /** Own rows (from 0) of the common ids; undefined at a side that does not learn them. */
  readonly rows: Uint32Array | undefined;
  /** Milliseconds of computation by phase, and of the whole run; the rest is messages and waiting. */
  readonly phasesMs: Readonly<Record<PsiPhase, number>>;
  readonly totalMs: number;
}

/**
 * Private set intersection of two parties, semi-honest; no helper but for the count of large sets (count-plan). Which protocol runs is said by the sizes (choose-protocol) or by the
 * terms; their headers (kkrt-plan, ecdh-psi, count-plan) have sources, parameters and costs.
 *
 * Steps: terms compared; X25519 for public coins of the run, from which also the key of the digests comes; declared sizes and demands; the
 * protocol, whose receiving end is the side that learns the result, or the smaller one where both do; a verdict on the demanded smallest
 * intersection; for both sides, the receiver's list of common places; and a proof: each side sends a hash, under a key of the run, of the
 * digests of the common ids in the common order, and both must be equal. It tells whoever knows the intersection nothing new, and finds a
 * false match, a wrong order or a row that is not the same id.
 *
 * Learned beyond the result: both sides the declared sizes and the demanded smallest intersection; where one side only gets the result, the
 * other one learns that the demand was met. Where a demand is not met both sides learn that and nothing else, as far as the receiving end follows the protocol: its
 * process has compared the ids, and forgets them. With `cardinality` it has only counted.
 * Errors: DT_PSI_TOO_FEW, DT_PSI_ID, DT_PSI_DUPLICATE, DT_PSI_SIZE, DT_INPUT_INVALID, DT_PEER_*.
 */
export function runPsi(
  channel: Channel,
  terms: PsiTerms,
  own: PsiOwnOptions,
  ids: IdSource,
  random: RandomSource,
  dealerChannel?: Channel,
): Promise<PsiResult> {
  return runParty(dealerChannel === undefined ? [channel] : [channel, dealerChannel], async () => {
    const start = performance.now();
    const agreed = psiTerms(terms);
    checkOwnOptions(own);
    if ((terms.dealer === true) !== (dealerChannel !== undefined))
      throw new ToolkitError('DT_INPUT_INVALID', {
        what: 'The join',
        reason: 'a third party deals, or none does, in terms and links alike',
      });
    const dealer = dealerChannel && new CountDealer(dealerChannel, terms.jobDigest);
    const link = new MessageLink(channel);
    const clock = new PhaseClock();
    const secretKey = random.bytes(keyBytes);
    const streams = await agreeOnStreams(link, await agreeOnTerms(link, agreed), secretKey);
    const session: PsiSession = { link, memory: new PsiMemory(), streams, random, clock };
    const set = await readSet(channel, session, terms, own, ids);
    const peer = await exchangeShapes(link, own, set);
    const found = await intersect(session, terms, own.party, set, peer, dealer);
    return {
      ...found,
      count: set.count,
      declared: set.declared,
      peerDeclared: peer.declared,
      duplicatesDropped: set.duplicatesDropped,
      phasesMs: clock.ms,
      totalMs: performance.now() - start,
    };
  });
}

async function readSet(channel: Channel, session: PsiSession, terms: PsiTerms, own: PsiOwnOptions, ids: IdSource): Promise<OwnSet> {
  const { memory, streams, random, clock } = session;
  const key = new Uint8Array(digestKeyBytes);
  streams.stream('psi ids').fill(key);
  const start = performance.now();
  try {
    return await readOwnSet(memory, ids, terms.normalize, key, own, random);
  } catch (thrown) {
    // The message names rows, or the true size: not for the peer.
    channel.abort('its ids cannot be joined; its own log says why');
    throw thrown;
  } finally {
    clock.ms.digest += performance.now() - start;
  }
}

interface PeerShape {
  readonly declared: number;
  /** The larger of both sides' demands. */
  readonly minimum: number;
}

async function exchangeShapes(link: MessageLink, own: PsiOwnOptions, set: OwnSet): Promise<PeerShape> {
  const demand = own.minIntersection ?? 0;
  await link.send('psiShape', framed(new Uint8Array(Uint32Array.of(own.party, set.declared, demand).buffer)));
  const received = Uint8Array.from(await link.receive('psiShape', 12));
  const [party = 0, declared = 0, minimum = 0] = new Uint32Array(received.buffer);
  if (party !== 1 - own.party) throw link.broken(`it takes part as party ${party}, and so does this side`);
  if (declared > maxSetSize || minimum > maxSetSize) throw link.broken(`it declares ${declared} ids and demands ${minimum} in common`);
  return { declared, minimum: Math.max(demand, minimum) };
}

/** Common ids hashed at a time. */
const proofItems = 4096;

type Found = Pick<PsiResult, 'choice' | 'size' | 'rows'>;

async function intersect(
  session: PsiSession,
  terms: PsiTerms,
  party: 0 | 1,
  set: OwnSet,
  peer: PeerShape,
  dealer: CountDealer | undefined,
): Promise<Found> {
  const receiver = terms.to ?? smallerParty(party, set.declared, peer.declared);
  const receives = receiver === party;
  const countOnly = terms.result === 'cardinality';
  const choice = choosePsiProtocol({
    receiverCount: receives ? set.declared : peer.declared,
    senderCount: receives ? peer.declared : set.declared,
    countOnly,
    dealer: dealer !== undefined,
    demanded: terms.protocol ?? 'auto',
  });
  const empty = set.declared === 0 || peer.declared === 0;
  const needed = choice.protocol === 'kkrt' && !empty ? dealer : undefined;
  if (needed === undefined) await dealer?.dismiss();
  const view = { session, set, peer, terms, protocol: choice.protocol, empty, dealer: needed };
  if (countOnly) return { choice, rows: undefined, size: await (receives ? countReceiving(view) : countSending(view)) };
  return { choice, ...(await (receives ? rowsReceiving(view) : rowsSending(view))) };
}

/** Of two equal sets party 0's counts as the smaller. */
function smallerParty(party: 0 | 1, own: number, theirs: number): 0 | 1 {
  const [size0, size1] = party === 0 ? [own, theirs] : [theirs, own];
  return size0 <= size1 ? 0 : 1;
}

interface View {
  readonly session: PsiSession;
  readonly set: OwnSet;
  readonly peer: PeerShape;
  readonly terms: PsiTerms;
  readonly protocol: 'kkrt' | 'ecdh';
  /** One of the sets is, so there is nothing to run. */
  readonly empty: boolean;
  /** For a count that needs it. */
  readonly dealer: CountDealer | undefined;
}

async function countReceiving({ session, set, peer, terms, empty, dealer }: View): Promise<number> {
  const { digests, declared } = set;
  const count = () =>
    dealer === undefined
      ? ecdhCount(session, digests, declared, peer.declared)
      : countReceive(session, dealer, digests, declared, peer.declared);
  const size = empty ? 0 : await count();
  await sendVerdict(session.link, size, peer.minimum, terms.to === undefined);
  return size;
}

async function countSending({ session, set, peer, terms, empty, dealer }: View): Promise<number | undefined> {
  if (dealer !== undefined) await countSend(session, dealer, set.digests, set.declared, peer.declared);
  else if (!empty) await ecdhSend(session, set.digests, set.declared, peer.declared, true);
  const size = await receiveVerdict(session.link, peer.minimum, Math.min(set.count, peer.declared), terms.to === undefined);
  return terms.to === undefined ? size : undefined;
}

async function rowsReceiving({ session, set, peer, terms, protocol, empty }: View): Promise<Pick<PsiResult, 'size' | 'rows'>> {
  const { link } = session;
  const receive = protocol === 'kkrt' ? kkrtReceive : ecdhReceive;
  const places = empty ? new Uint32Array(set.declared) : await receive(session, set.digests, set.declared, peer.declared);
  // Padding is random, so it matches nothing; what it would match is no row.
  const items = session.clock.run('matching', () => inOrderOfPlaces(places.subarray(0, set.count), peer.declared));
  await sendVerdict(link, items.length, peer.minimum, false);
  if (terms.result === 'one') return { size: items.length, rows: ownRows(set, items, true) };
  await link.sendParts('psiMatches', bitmapOf(places.subarray(0, set.count), peer.declared));
  await proveAlignment(session, set, items);
  return { size: items.length, rows: ownRows(set, items, terms.result !== 'aligned') };
}

async function rowsSending({ session, set, peer, terms, protocol, empty }: View): Promise<Pick<PsiResult, 'size' | 'rows'>> {
  const { link } = session;
  const order = empty
    ? new Uint32Array(set.declared)
    : protocol === 'kkrt'
      ? await kkrtSend(session, set.digests, set.declared, peer.declared)
      : await ecdhSend(session, set.digests, set.declared, peer.declared, false);
  await receiveVerdict(link, peer.minimum, 0, false);
  if (terms.result === 'one') return { size: undefined, rows: undefined };
  const bitmap = new Uint8Array(Math.ceil(set.declared / 8));
  await link.receiveParts('psiMatches', bitmap);
  const items = session.clock.run('matching', () => itemsOf(bitmap, order));
  if (items.length < peer.minimum || items.length > peer.declared) throw link.broken(`it names ${items.length} ids in common`);
  // Of the padding, the peer can name nothing by chance.
  if (items.some((item) => item >= set.count)) throw link.broken('it names an id that this side does not have');
  await proveAlignment(session, set, items);
  return { size: items.length, rows: ownRows(set, items, terms.result !== 'aligned') };
}

/** Own items that have a place at the peer, in the order of the places. */
function inOrderOfPlaces(places: Uint32Array, peerCount: number): Uint32Array {
  const itemAt = new Uint32Array(peerCount);
  for (let item = 0; item < places.length; item++) {
    const place = places[item] as number;
    if (place !== 0) itemAt[place - 1] = item + 1;
  }
  let count = 0;
  for (let place = 0; place < peerCount; place++) {
    const item = itemAt[place] as number;
    if (item !== 0) itemAt[count++] = item - 1;
  }
  return itemAt.slice(0, count);
}

function bitmapOf(places: Uint32Array, peerCount: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(peerCount / 8));
  for (let item = 0; item < places.length; item++) {
    const place = (places[item] as number) - 1;
    if (place >= 0) bitmap[place >> 3] = (bitmap[place >> 3] as number) | (1 << (place & 7));
  }
  return bitmap;
}

/** Own items at the marked places, in the order of the places. */
function itemsOf(bitmap: Uint8Array, order: Uint32Array): Uint32Array {
  const items = new Uint32Array(order.length);
  let count = 0;
  for (let place = 0; place < order.length; place++) {
    if (((bitmap[place >> 3] as number) >> (place & 7)) & 1) items[count++] = order[place] as number;
  }
  return items.slice(0, count);
}

/** Rows of the items, in the order given or, sorted, in the order of the rows. */
function ownRows(set: OwnSet, items: Uint32Array, sorted: boolean): Uint32Array {
  const ordered = sorted ? inOwnOrder(items, set.count) : items.slice();
  const { rows } = set;
  if (rows === undefined) return ordered;
  for (let i = 0; i < ordered.length; i++) ordered[i] = rows[ordered[i] as number] as number;
  return ordered;
}

/** Without a comparison: items are below `count`, and each occurs once. */
function inOwnOrder(items: Uint32Array, count: number): Uint32Array {
  const marked = new Uint8Array(count);
  for (let i = 0; i < items.length; i++) marked[items[i] as number] = 1;
  const ordered = new Uint32Array(items.length);
  let filled = 0;
  for (let item = 0; item < count; item++) if (marked[item] === 1) ordered[filled++] = item;
  return ordered;
}

async function sendVerdict(link: MessageLink, size: number, minimum: number, tellSize: boolean): Promise<void> {
  const enough = size >= minimum;
  await link.send('psiVerdict', framed(new Uint8Array(Uint32Array.of(enough ? 1 : 0, enough && tellSize ? size : 0).buffer)));
  if (enough) return;
  // Ends only when the peer has read it, so that both end for the same reason.
  await link.receive('done', 0);
  throw new ToolkitError('DT_PSI_TOO_FEW', { minimum });
}

/** Returns the size where it is told. */
async function receiveVerdict(link: MessageLink, minimum: number, mostPossible: number, tellSize: boolean): Promise<number> {
  const received = Uint8Array.from(await link.receive('psiVerdict', 8));
  const [enough, size] = new Uint32Array(received.buffer);
  if (enough === 0 && minimum > 0) {
    await link.send('done', framed(new Uint8Array(0)));
    throw new ToolkitError('DT_PSI_TOO_FEW', { minimum });
  }
  const possible = tellSize ? (size as number) >= minimum && (size as number) <= mostPossible : size === 0;
  if (enough !== 1 || !possible) throw link.broken('its verdict on the size of the intersection is impossible');
  return size as number;
}

/** Both sides hash the digests of their common rows in the common order under a key of the run, and compare. */
async function proveAlignment(session: PsiSession, set: OwnSet, items: Uint32Array): Promise<void> {
  const { link, memory, streams } = session;
  const key = new Uint8Array(32);
  streams.stream('psi alignment').fill(key);
  const hash = createHash('sha256').update(key);
  session.clock.run('matching', () => {
    const mark = memory.mark();
    const [order, block] = [memory.allocate(4 * proofItems), memory.allocate(digestBytes * proofItems)];
    for (let at = 0; at < items.length; at += proofItems) {
      const part = items.subarray(at, at + proofItems);
      memory.indexes(order, part.length).set(part);
      memory.kernels.gatherDigests(block, set.digests, order, part.length);
      hash.update(memory.bytes(block, digestBytes * part.length));
    }
    memory.release(mark);
  });
  const proof = new Uint8Array(hash.digest());
  await link.send('psiProof', framed(proof));
  if (!timingSafeEqual(proof, await link.receive('psiProof', proof.byteLength))) {
    throw link.broken('its common ids are not those of this side');
  }
}

function framed(payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(messageHeaderBytes + payload.byteLength);
  message.set(payload, messageHeaderBytes);
  return message;
}
