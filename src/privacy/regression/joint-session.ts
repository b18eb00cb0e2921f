import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../channel.js';
import { agreeOnTerms, type Terms } from '../handshake.js';
import { agreeOnStreams, keyBytes, type LinkStreams } from '../key-agreement.js';
import { MessageLink, messageHeaderBytes } from '../message-link.js';
import type { RandomSource } from '../random-source.js';
import { RingMemory } from '../ring/ring-memory.js';

/** Row count of all, and the feature columns of each bank; known to all three parties. */
export interface JointShape {
  readonly rows: number;
  readonly columns: readonly [number, number];
}

export interface BankLinks {
  readonly otherBank: Channel;
  readonly dealer: Channel;
}

export interface DealerLinks {
  readonly banks: readonly [Channel, Channel];
}

/**
 * Upper bounds of waiting for the channels of a joint fit, so that a party that hangs is the one that is named: whoever waits for it
 * directly gives up before those who wait for the waiter.
 */
export function stallBounds(baseMs: number): {
  readonly bankForDealer: number;
  readonly bankForBank: number;
  readonly dealerForBank: number;
} {
  return { bankForDealer: baseMs, bankForBank: 1.5 * baseMs, dealerForBank: 2 * baseMs };
}

/** A bank after the handshake. `first` is bank 0, which owns the labels and adds the public terms. */
export interface BankSession {
  readonly first: boolean;
  readonly other: MessageLink;
  readonly dealer: MessageLink;
  readonly streams: LinkStreams;
  readonly ring: RingMemory;
  readonly shape: JointShape;
}

export interface DealerSession {
  readonly banks: readonly [MessageLink, MessageLink];
  readonly streams: readonly [LinkStreams, LinkStreams];
  readonly ring: RingMemory;
  readonly shape: JointShape;
}

interface Announcement {
  /** 0 for the bank with the labels. */
  readonly bank: number;
  readonly rows: number;
  readonly columns: number;
}

const announcementBytes = 12;

/**
 * Terms, then shapes, then keys. Two banks never share a key: all masks are agreed between one bank and the dealer.
 * Rounds: 3. Errors: DT_PEER_TERMS, DT_PEER_PROTOCOL, and DT_INPUT_INVALID when the shapes do not fit each other or `inDim`.
 */
export async function openBankSession(
  first: boolean,
  links: BankLinks,
  terms: Terms,
  own: { rows: number; columns: number },
  inDim: number,
  random: RandomSource,
): Promise<BankSession> {
  const other = new MessageLink(links.otherBank);
  const dealer = new MessageLink(links.dealer);
  const [digest] = await Promise.all([agreeOnTerms(dealer, terms), agreeOnTerms(other, terms)]);
  const announcement = { bank: first ? 0 : 1, ...own };
  await Promise.all([announce(other, announcement), announce(dealer, announcement)]);
  const theirs = await receiveAnnouncement(other, first ? 1 : 0);
  const columns: [number, number] = first ? [own.columns, theirs.columns] : [theirs.columns, own.columns];
  checkShapes(own.rows, theirs.rows, 'this side', other.peer, columns, inDim);
  const streams = await agreeOnStreams(dealer, digest, random.bytes(keyBytes));
  return { first, other, dealer, streams, ring: new RingMemory(), shape: { rows: own.rows, columns } };
}

export async function openDealerSession(links: DealerLinks, terms: Terms, inDim: number, random: RandomSource): Promise<DealerSession> {
  const secretKeys = [random.bytes(keyBytes), random.bytes(keyBytes)] as const;
  // Each bank is met on its own, so that one that hangs does not make the other wait for the dealer.
  const meet = async (bank: 0 | 1): Promise<{ link: MessageLink; shape: Announcement; streams: LinkStreams }> => {
    const link = new MessageLink(links.banks[bank]);
    const digest = await agreeOnTerms(link, terms);
    const shape = await receiveAnnouncement(link, bank);
    return { link, shape, streams: await agreeOnStreams(link, digest, secretKeys[bank]) };
  };
  const [bank0, bank1] = await Promise.all([meet(0), meet(1)]);
  const columns = [bank0.shape.columns, bank1.shape.columns] as const;
  checkShapes(bank0.shape.rows, bank1.shape.rows, bank0.link.peer, bank1.link.peer, columns, inDim);
  return {
    banks: [bank0.link, bank1.link],
    streams: [bank0.streams, bank1.streams],
    ring: new RingMemory(),
    shape: { rows: bank0.shape.rows, columns },
  };
}

/**
 * The last word of a run: every party waits for it from every peer, so that no one takes a result that another could not finish.
 * One after the other, a bank's other bank first: whoever is missing is then named by those who wait for it.
 */
export async function sayDone(links: readonly MessageLink[]): Promise<void> {
  for (const link of links) await link.send('done', new Uint8Array(messageHeaderBytes));
  for (const link of links) await link.receive('done', 0);
}

function announce(link: MessageLink, { bank, rows, columns }: Announcement): Promise<void> {
  const framed = new Uint8Array(messageHeaderBytes + announcementBytes);
  const view = new DataView(framed.buffer, messageHeaderBytes);
  [bank, rows, columns].forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  return link.send('shape', framed);
}

async function receiveAnnouncement(link: MessageLink, expectedBank: 0 | 1): Promise<Announcement> {
  const payload = await link.receive('shape', announcementBytes);
  const view = new DataView(payload.buffer, payload.byteOffset, announcementBytes);
  const [bank, rows, columns] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
  if (bank !== expectedBank) {
    throw new ToolkitError('DT_PEER_TERMS', {
      field: `whether ${link.peer} brings the labels`,
      ours: expectedBank === 0,
      theirs: bank === 0,
      peer: link.peer,
    });
  }
  return { bank, rows, columns };
}

function checkShapes(rows0: number, rows1: number, name0: string, name1: string, columns: readonly [number, number], inDim: number): void {
  if (rows0 !== rows1) {
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The joint table', reason: `${name0} has ${rows0} rows and ${name1} has ${rows1}` });
  }
  if (columns[0] + columns[1] !== inDim) {
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'in_dim',
      reason: `it is ${inDim}, but the banks have ${columns[0]} and ${columns[1]} feature columns`,
    });
  }
}
