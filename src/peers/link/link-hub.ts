import type { Socket } from 'node:net';
import type { Address, Bytes32 } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../../privacy/channel.js';
import { type ChannelWaiter, isChannelName } from './channel-table.js';
import { dialDataSocket } from './data-socket.js';
import { deferred } from './deferred.js';
import { type LinkConnection, refusal } from './link-connection.js';
import type { LinkEndpoint } from './link-dialer.js';
import type { LinkEvent } from './link-environment.js';
import type { Hello } from './link-handshake.js';
import type { LinkKey } from './link-key.js';
import { defaultLinkLimits, type LinkLimits } from './link-limits.js';
import { LinkServer } from './link-server.js';
import { PeerLink } from './peer-link.js';

export interface LinkHubOptions {
  /** This organization. */
  readonly address: Address;
  readonly key: LinkKey;
  /** Where peers can call; absent for a daemon that cannot be called and only calls. Port 0: any that is free. */
  readonly listen?: LinkEndpoint;
  /** The link key that the chain holds for an organization; asked for each connection anew. Zero counts as none. */
  readonly linkKeyOf: (organization: Address) => Promise<Bytes32 | undefined>;
  /** Where an organization's daemon can be called; undefined where it cannot, and has to call itself. */
  readonly endpointOf: (organization: Address) => Promise<LinkEndpoint | undefined>;
  readonly limits?: Partial<LinkLimits>;
  /** For the log: connections made, lost and refused. */
  readonly onEvent?: (event: LinkEvent) => void;
}

export interface ChannelOptions {
  /** How long to wait for the peer to open its end; `limits.openMs` by default. */
  readonly timeoutMs?: number;
  /** Upper bound of one wait for a message or for room; `limits.stallMs` by default. */
  readonly stallMs?: number;
  /** Keep running hashes of both directions; on by default. They cost about 1 ms for each MB. */
  readonly transcript?: boolean;
  readonly signal?: AbortSignal;
}

/** A peer has opened its end of a channel of a session that this side has not. */
export interface SessionOffer {
  readonly peer: Address;
  readonly session: string;
  readonly purpose: string;
}

export interface LinkView {
  readonly peer: Address;
  readonly isConnected: boolean;
  readonly channels: number;
  /** Of the present stream: frames with their headers, TLS not counted. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

const zeroKey = `0x${'0'.repeat(64)}`;
/** Sessions whose end is remembered for peers that come late. */
const rememberedSessions = 1024;

/** @throws DT_PORT_BUSY, DT_INPUT_INVALID */
export async function openLinkHub(options: LinkHubOptions): Promise<LinkHub> {
  const hub = new LinkHub(options);
  await hub.listen();
  return hub;
}

/**
 * The links of one daemon: one port for all peers and jobs, one link for each peer, any number of channels on it. A channel is
 * named by its session and its purpose, and exists once both ends have asked for it.
 */
export class LinkHub {
  private readonly limits: LinkLimits;
  private readonly links = new Map<Address, PeerLink>();
  private readonly closedSessions = new Map<string, string>();
  private readonly listeners = new Set<(offer: SessionOffer) => void>();
  private readonly watchers = new Set<() => void>();
  private server: LinkServer | undefined;
  private key: LinkKey;
  private stopped = false;

  constructor(private readonly options: LinkHubOptions) {
    this.limits = { ...defaultLinkLimits, ...options.limits };
    this.key = options.key;
  }

  async listen(): Promise<void> {
    const { listen, address } = this.options;
    if (listen === undefined) return;
    this.server = await LinkServer.listen({
      ...listen,
      address,
      key: this.key,
      limits: this.limits,
      linkKeyOf: (organization) => this.linkKeyOf(organization),
      onCaller: (connection, hello) => this.onCaller(connection, hello),
      onRefused: (error, remote, claimed) => this.emit({ kind: 'refused', remote, error, ...(claimed && { peer: claimed }) }),
    });
  }

  /** What the chain must hold for this organization. */
  get publicKey(): Bytes32 {
    return this.key.publicKey;
  }

  /** Undefined for a hub that only calls. */
  get port(): number | undefined {
    return this.server?.port;
  }

  /**
   * The channel to a peer for one purpose of a session; resolves once the peer has asked for the same. Whoever comes first waits.
   * `session`, `purpose`: 1 to 128 printable ASCII characters without blanks.
   *
   * @throws DT_LINK_UNKNOWN_PEER, DT_LINK_UNREACHABLE (no connection in time), DT_LINK_NO_ANSWER (a connection, but the peer did not
   * ask for it in time), DT_LINK_KEY_MISMATCH, DT_LINK_VERSION, DT_LINK_REFUSED, DT_LINK_TAKEN, DT_LINK_LIMIT, DT_LINK_STOPPED,
   * DT_PEER_ABORTED (the peer has closed the session), DT_PEER_GONE (this side has), DT_PEER_PROTOCOL, DT_INPUT_INVALID
   */
  async channel(peer: Address, session: string, purpose: string, options: ChannelOptions = {}): Promise<Channel> {
    for (const [what, name] of [['The session', session] as const, ['The purpose', purpose] as const]) {
      if (!isChannelName(name)) {
        throw new ToolkitError('DT_INPUT_INVALID', { what, reason: 'expected 1 to 128 printable characters without blanks' });
      }
    }
    if (peer === this.options.address) {
      throw new ToolkitError('DT_INPUT_INVALID', { what: 'The peer', reason: 'an organization has no link with itself' });
    }
    this.closedSessions.delete(session);
    if ((await this.linkKeyOf(peer)) === undefined) throw new ToolkitError('DT_LINK_UNKNOWN_PEER', { peer });
    if (this.stopped) throw new ToolkitError('DT_LINK_STOPPED');
    const closed = this.closedSessions.get(session);
    if (closed !== undefined) throw endedHere(peer, closed);
    if (options.signal?.aborted === true) throw endedHere(peer, 'it was not wanted any more');
    return this.open(this.linkWith(peer), session, purpose, options);
  }

  /** Whether peers can call this side. */
  get canBeCalled(): boolean {
    return this.server !== undefined;
  }

  /**
   * A TCP connection that a peer makes on this side's port with the token, which it is told over a channel. Nothing on it is authenticated
   * or encrypted; it is read no further than its greeting. Undefined where nobody can call.
   */
  expectSocket(
    peer: Address,
    timeoutMs: number,
    signal: AbortSignal,
  ): { readonly token: string; readonly socket: Promise<Socket> } | undefined {
    return this.server?.dataSockets.expect(peer, timeoutMs, signal);
  }

  /** The other end of it. Undefined where the peer cannot be called. @throws DT_LINK_UNREACHABLE */
  async dialSocket(peer: Address, token: string, timeoutMs: number, signal: AbortSignal): Promise<Socket | undefined> {
    const endpoint = await this.options.endpointOf(peer);
    return endpoint && dialDataSocket(peer, endpoint, token, timeoutMs, signal);
  }

  /** Tells of sessions that peers open first. Returns what ends it. */
  onSession(listener: (offer: SessionOffer) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells that a link has gone up or down; `peers()` says which. Returns what ends it. */
  onChange(watcher: () => void): () => void {
    // A fresh function for each, so that the same watcher may come twice and end only one.
    const own = (): void => watcher();
    this.watchers.add(own);
    return () => this.watchers.delete(own);
  }

  /** Ends all channels of a session, with all peers, and tells them why; those that ask for it later are told as well. */
  close(session: string, reason: string): void {
    this.closedSessions.delete(session);
    this.closedSessions.set(session, reason);
    if (this.closedSessions.size > rememberedSessions) {
      for (const [oldest] of this.closedSessions) {
        this.closedSessions.delete(oldest);
        break;
      }
    }
    for (const link of [...this.links.values()]) {
      link.closeSession(session, reason, endedHere(link.peer, reason));
    }
  }

  /** The chain holds another key for the peer: its connection ends, and open channels go on once it has shown the new one. */
  reconnect(peer: Address, reason = 'the link key was looked up again'): void {
    this.links.get(peer)?.reconnect(reason);
  }

  /** This organization has another key: connections from now on use it, those of before end. */
  useKey(key: LinkKey): void {
    this.key = key;
    this.server?.useKey(key);
    for (const link of [...this.links.values()]) link.reconnect('this side has another link key');
  }

  peers(): readonly LinkView[] {
    return [...this.links.values()].map((link) => ({ peer: link.peer, isConnected: link.isConnected, ...link.traffic }));
  }

  /** Ends every link; peers are told. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const link of [...this.links.values()]) link.stop();
    await this.server?.close();
  }

  private open(link: PeerLink, session: string, purpose: string, options: ChannelOptions): Promise<Channel> {
    const { timeoutMs = this.limits.openMs, stallMs = this.limits.stallMs, transcript = true, signal } = options;
    const opened = deferred<Channel>();
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: ToolkitError): void => {
      finish();
      link.unwant(waiter);
      opened.reject(error);
    };
    const waiter: ChannelWaiter = {
      session,
      purpose,
      stallMs,
      transcript,
      onOpen: (channel) => {
        finish();
        link.answered(waiter);
        opened.resolve(channel);
      },
      onRefused: (error) => {
        finish();
        link.answered(waiter);
        opened.reject(error);
      },
    };
    const onAbort = (): void => giveUp(endedHere(link.peer, 'it was not wanted any more'));
    const timer = setTimeout(() => giveUp(this.late(link, session, purpose, timeoutMs)), Math.min(timeoutMs, 0x7fffffff));
    signal?.addEventListener('abort', onAbort);
    try {
      link.want(waiter);
    } catch (error) {
      finish();
      throw error;
    }
    return opened.promise;
  }

  private late(link: PeerLink, session: string, purpose: string, timeoutMs: number): ToolkitError {
    const { peer } = link;
    const seconds = timeoutMs / 1000;
    if (link.isConnected) return new ToolkitError('DT_LINK_NO_ANSWER', { peer, session, purpose, seconds });
    return new ToolkitError('DT_LINK_UNREACHABLE', { peer, reason: `no connection within ${seconds} s: ${link.problem}` });
  }

  private async linkKeyOf(organization: Address): Promise<Bytes32 | undefined> {
    const key = await this.options.linkKeyOf(organization);
    return key === zeroKey ? undefined : key;
  }

  private linkWith(peer: Address): PeerLink {
    const found = this.links.get(peer);
    if (found !== undefined) return found;
    if (this.links.size >= this.limits.links) throw new ToolkitError('DT_LINK_LIMIT', { peer, limit: this.limits.links });
    const link: PeerLink = new PeerLink(peer, {
      address: this.options.address,
      limits: this.limits,
      key: () => this.key,
      linkKeyOf: (organization) => this.linkKeyOf(organization),
      endpointOf: this.options.endpointOf,
      closedBecause: (session) => this.closedSessions.get(session),
      onSession: (from, session, purpose) => {
        for (const listener of this.listeners) listener({ peer: from, session, purpose });
      },
      onEvent: (event) => this.emit(event),
      onIdle: () => {
        if (this.links.get(peer) === link) this.links.delete(peer);
      },
    });
    this.links.set(peer, link);
    return link;
  }

  private onCaller(connection: LinkConnection, hello: Hello): void {
    if (this.stopped || (this.links.size >= this.limits.links && !this.links.has(hello.from))) {
      connection.refuse(refusal.duplicate, 'DT_LINK_LIMIT', 'no further link is taken now');
      return;
    }
    this.linkWith(hello.from).onCaller(connection, hello);
  }

  private emit(event: LinkEvent): void {
    this.options.onEvent?.(event);
    if (event.kind === 'connected' || event.kind === 'disconnected') for (const watcher of this.watchers) watcher();
  }
}

const endedHere = (peer: Address, reason: string): ToolkitError =>
  new ToolkitError('DT_PEER_GONE', { peer, reason: `this side ended it: ${reason}` });
