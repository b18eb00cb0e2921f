import { ToolkitError } from '../../errors/toolkit-error.js';
import { frameType, maxFrameId } from './frames.js';
import { type ChannelCarrier, LinkChannel } from './link-channel.js';
import { type LinkLimits, minWindowBytes } from './link-limits.js';
import { printable } from './printable.js';

/** Somebody on this side who wants a channel. It outlives the stream: on a new one it is announced again. */
export interface ChannelWaiter {
  readonly session: string;
  readonly purpose: string;
  readonly transcript: boolean;
  readonly stallMs: number;
  readonly onOpen: (channel: LinkChannel) => void;
  readonly onRefused: (error: ToolkitError) => void;
}

export interface ChannelTableOptions {
  /** The peer's name for people. */
  readonly peer: string;
  readonly limits: LinkLimits;
  readonly carrier: ChannelCarrier;
  /** The peer opened its end of the first channel of a session that this side does not know yet. */
  readonly onSession: (session: string, purpose: string) => void;
  /** Why a session was closed on this side, undefined when it was not. */
  readonly closedBecause: (session: string) => string | undefined;
}

/** An end that the peer has opened and this side has not. */
interface Offer {
  readonly id: number;
  readonly session: string;
  readonly purpose: string;
  readonly windowBytes: number;
  readonly messageBytes: number;
}

interface Entry extends Offer {
  readonly channel: LinkChannel;
}

/** An end that this side has opened, and the offer that it goes with until the peer has accepted. */
interface Want {
  readonly id: number;
  readonly waiter: ChannelWaiter;
  offer: Offer | undefined;
}

const openHeaderBytes = 13;
const rejection = { closed: 1, limit: 2 } as const;
const openText = /^[\x21-\x7e]{1,128}$/;

/** What names a session or a purpose: 1 to 128 printable ASCII characters, no blank. */
export const isChannelName = (text: string): boolean => openText.test(text);

export const channelKey = (session: string, purpose: string): string => `${session} ${purpose}`;

/**
 * Who has opened what on one stream. Each end numbers what it opens, from 1 and never again, so that what crosses on the way is
 * told apart. A channel exists for an end once the peer has accepted that very number: by opening its own end in answer to it, or
 * by saying so. Until then either may withdraw, and the other goes on waiting for the next. The methods named on… return false
 * where the peer breaks these rules.
 */
export class ChannelTable {
  private lastId = 0;
  private lastPeerId = 0;
  private readonly wanted = new Map<string, Want>();
  private readonly offers = new Map<string, Offer>();
  /** By the peer's number: what was offered, goes with a want, or is open. */
  private readonly peers = new Map<number, Offer | Entry>();
  private readonly open = new Map<string, Entry>();
  private readonly entries = new Map<LinkChannel, Entry>();

  constructor(private readonly options: ChannelTableOptions) {}

  get openCount(): number {
    return this.entries.size;
  }

  /** Open or offered. */
  get size(): number {
    return this.entries.size + this.offers.size;
  }

  isOpen(session: string, purpose: string): boolean {
    return this.open.get(channelKey(session, purpose))?.channel.isEnded === false;
  }

  announce(waiter: ChannelWaiter): void {
    const { session, purpose } = waiter;
    const key = channelKey(session, purpose);
    const offer = this.offers.get(key);
    this.lastId += 1;
    if (this.lastId > maxFrameId) throw new ToolkitError('DT_LINK_LIMIT', { peer: this.options.peer, limit: maxFrameId });
    this.writeOpen(this.lastId, offer?.id ?? 0, session, purpose);
    this.offers.delete(key);
    this.wanted.set(key, { id: this.lastId, waiter, offer });
  }

  withdraw(waiter: ChannelWaiter): void {
    const key = channelKey(waiter.session, waiter.purpose);
    const want = this.wanted.get(key);
    if (want?.waiter !== waiter) return;
    this.wanted.delete(key);
    // If the peer has accepted meanwhile it will end its own; if not, it still waits.
    if (want.offer !== undefined) this.offers.set(key, want.offer);
    this.options.carrier.buffer.frame(frameType.cancel, want.id, 0, 0);
    this.options.carrier.flushSoon();
  }

  /** Ends what is open of a session, and tells the peer why, also for what it has only offered. */
  closeSession(session: string, reason: string): void {
    for (const entry of [...this.entries.values()]) if (entry.session === session) entry.channel.abort(reason);
    for (const offer of [...this.offers.values()]) {
      if (offer.session !== session) continue;
      this.dropOffer(offer);
      this.reject(offer.id, rejection.closed, reason);
    }
  }

  retire(channel: LinkChannel): void {
    const entry = this.entries.get(channel);
    if (entry === undefined) return;
    this.entries.delete(channel);
    this.peers.delete(entry.id);
    const key = channelKey(entry.session, entry.purpose);
    if (this.open.get(key) === entry) this.open.delete(key);
  }

  fail(error: ToolkitError): void {
    const entries = [...this.entries.values()];
    for (const map of [this.entries, this.peers, this.open, this.offers, this.wanted]) map.clear();
    for (const { channel } of entries) channel.onLinkFailed(error);
  }

  onOpen(id: number, bytes: Buffer, at: number, length: number): boolean {
    const opened = parseOpen(id, bytes, at, length);
    if (opened === undefined || id !== this.lastPeerId + 1) return false;
    this.lastPeerId = id;
    const key = channelKey(opened.session, opened.purpose);
    const want = this.wanted.get(key);
    if (want !== undefined) {
      this.pair(want, opened);
      return true;
    }
    const closed = this.options.closedBecause(opened.session);
    if (closed !== undefined) this.reject(id, rejection.closed, closed);
    else if (this.size >= this.options.limits.channels || this.offers.has(key)) this.reject(id, rejection.limit, '');
    else this.offer(key, opened);
    return true;
  }

  /** The peer goes with this side's `own`. */
  onAccept(id: number, own: number): boolean {
    const found = this.peers.get(id);
    if (found === undefined) return this.wasUsed(id);
    if ('channel' in found || own === 0 || own > this.lastId) return false;
    const want = this.wanted.get(channelKey(found.session, found.purpose));
    // Else it was withdrawn on the way.
    if (want?.offer === found && want.id === own) this.match(want, found);
    return true;
  }

  onCancel(id: number): boolean {
    const found = this.peers.get(id);
    if (found === undefined) return this.wasUsed(id);
    if ('channel' in found) found.channel.onPeerClosed('it had stopped waiting');
    else this.dropOffer(found);
    return true;
  }

  onReject(id: number, bytes: Buffer, at: number, length: number): boolean {
    if (id === 0 || id > this.lastId || length === 0) return false;
    for (const [key, want] of this.wanted) {
      if (want.id !== id) continue;
      this.wanted.delete(key);
      const { peer, limits } = this.options;
      const reason = printable(bytes.toString('utf8', at + 1, at + length));
      const error =
        bytes[at] === rejection.limit
          ? new ToolkitError('DT_LINK_LIMIT', { peer, limit: limits.channels })
          : new ToolkitError('DT_PEER_ABORTED', { peer, reason });
      want.waiter.onRefused(error);
      break;
    }
    return true;
  }

  onData(type: number, id: number, bytes: Buffer, at: number, length: number, shared: boolean): boolean {
    const found = this.peers.get(id);
    // Late for a channel that has ended on this side.
    if (found === undefined) return this.wasUsed(id);
    if ('channel' in found) return found.channel.onData(type, bytes, at, length, shared);
    // The peer goes with an end that was withdrawn on the way; it will end this one.
    this.dropOffer(found);
    return true;
  }

  onCredit(id: number, bytes: number): boolean {
    const found = this.peers.get(id);
    if (found === undefined) return this.wasUsed(id);
    return 'channel' in found ? found.channel.onCredit(bytes) : true;
  }

  /** `reason` undefined: in order. */
  onEnd(id: number, reason: string | undefined): boolean {
    const found = this.peers.get(id);
    if (found === undefined) return this.wasUsed(id);
    if (!('channel' in found)) this.dropOffer(found);
    else if (reason === undefined) found.channel.onPeerClosed('it closed the link');
    else found.channel.onPeerAborted(printable(reason));
    return true;
  }

  private wasUsed(id: number): boolean {
    return id > 0 && id <= this.lastPeerId;
  }

  private pair(want: Want, opened: Offer & { readonly answers: number }): void {
    if (want.offer !== undefined) return this.reject(opened.id, rejection.limit, '');
    this.peers.set(opened.id, opened);
    want.offer = opened;
    this.options.carrier.buffer.frame(frameType.accept, want.id, opened.id, 0);
    this.options.carrier.flushSoon();
    if (opened.answers === want.id) this.match(want, opened);
  }

  private match({ id, waiter }: Want, offer: Offer): void {
    const { limits, carrier, peer } = this.options;
    const key = channelKey(offer.session, offer.purpose);
    this.wanted.delete(key);
    const channel = new LinkChannel(carrier, {
      peer,
      id,
      windowBytes: limits.windowBytes,
      messageBytes: limits.messageBytes,
      peerWindowBytes: offer.windowBytes,
      peerMessageBytes: offer.messageBytes,
      stallMs: waiter.stallMs,
      transcript: waiter.transcript,
    });
    const entry: Entry = { ...offer, channel };
    this.entries.set(channel, entry);
    this.peers.set(offer.id, entry);
    this.open.set(key, entry);
    waiter.onOpen(channel);
  }

  private offer(key: string, offer: Offer): void {
    const known = [...this.offers.values(), ...this.entries.values(), ...[...this.wanted.values()].map(({ waiter }) => waiter)];
    const isNew = known.every(({ session }) => session !== offer.session);
    this.offers.set(key, offer);
    this.peers.set(offer.id, offer);
    if (isNew) this.options.onSession(offer.session, offer.purpose);
  }

  private dropOffer(offer: Offer): void {
    const key = channelKey(offer.session, offer.purpose);
    const want = this.wanted.get(key);
    if (this.offers.get(key) === offer) this.offers.delete(key);
    if (want?.offer === offer) want.offer = undefined;
    this.peers.delete(offer.id);
  }

  private writeOpen(id: number, answers: number, session: string, purpose: string): void {
    const { carrier, limits } = this.options;
    const length = openHeaderBytes + session.length + purpose.length;
    const at = carrier.buffer.frame(frameType.open, id, length, length);
    const { bytes } = carrier.buffer;
    bytes.writeUInt32BE(answers, at);
    bytes.writeUInt32BE(limits.windowBytes, at + 4);
    bytes.writeUInt32BE(limits.messageBytes, at + 8);
    bytes[at + 12] = session.length;
    bytes.write(session + purpose, at + openHeaderBytes, 'latin1');
    carrier.flushSoon();
  }

  /** The one frame that carries the other end's number: there is no channel whose number could say what is meant. */
  private reject(id: number, why: number, reason: string): void {
    const text = Buffer.from(reason, 'utf8').subarray(0, 1023);
    const { carrier } = this.options;
    const at = carrier.buffer.frame(frameType.reject, id, text.length + 1, text.length + 1);
    carrier.buffer.bytes[at] = why;
    carrier.buffer.bytes.set(text, at + 1);
    carrier.flushSoon();
  }
}

function parseOpen(id: number, bytes: Buffer, at: number, length: number): (Offer & { readonly answers: number }) | undefined {
  if (length < openHeaderBytes) return undefined;
  const sessionEnd = at + openHeaderBytes + (bytes[at + 12] as number);
  const session = bytes.toString('latin1', at + openHeaderBytes, Math.min(sessionEnd, at + length));
  const purpose = bytes.toString('latin1', Math.min(sessionEnd, at + length), at + length);
  const windowBytes = bytes.readUInt32BE(at + 4);
  if (!isChannelName(session) || !isChannelName(purpose) || windowBytes < minWindowBytes) return undefined;
  return { id, answers: bytes.readUInt32BE(at), session, purpose, windowBytes, messageBytes: bytes.readUInt32BE(at + 8) };
}
