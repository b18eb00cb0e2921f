import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Address, Bytes32 } from '../../../src/documents/ids.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { LinkEndpoint } from '../../../src/peers/link/link-dialer.js';
import type { LinkEvent } from '../../../src/peers/link/link-environment.js';
import { type LinkHub, openLinkHub } from '../../../src/peers/link/link-hub.js';
import { LinkKey } from '../../../src/peers/link/link-key.js';
import type { LinkLimits } from '../../../src/peers/link/link-limits.js';
import type { Channel } from '../../../src/privacy/channel.js';

/** Bounds that let a test see them pass. */
export const quickLimits: Partial<LinkLimits> = {
  firstBackoffMs: 10,
  maxBackoffMs: 100,
  refusalMs: 100,
  handshakeMs: 2_000,
  graceMs: 20_000,
  openMs: 20_000,
  stallMs: 20_000,
};

/** Any name has one address; names in alphabetical order have addresses in the same order. */
export function addressOf(name: string): Address {
  const rest = createHash('sha256').update(name).digest('hex').slice(0, 38);
  return `0x${name.charCodeAt(0).toString(16)}${rest}` as Address;
}

interface Member {
  readonly hub: LinkHub;
  readonly key: LinkKey;
  readonly address: Address;
  readonly events: LinkEvent[];
}

export interface MemberOptions {
  /** Absent: cannot be called, as behind NAT. */
  readonly callable?: boolean;
  readonly limits?: Partial<LinkLimits>;
  readonly key?: LinkKey;
  /** What stands on chain; the key by default, `undefined` for none. */
  readonly published?: Bytes32 | undefined;
}

/** Organizations, what the chain says of them, and where their daemons are; everything that it opened is closed by `stop`. */
export class LinkWorld {
  readonly chain = new Map<Address, Bytes32>();
  readonly endpoints = new Map<Address, LinkEndpoint>();
  private readonly closers: (() => Promise<void>)[] = [];

  async member(name: string, options: MemberOptions = {}): Promise<Member> {
    const address = addressOf(name);
    const key = options.key ?? LinkKey.create();
    const events: LinkEvent[] = [];
    const published = 'published' in options ? options.published : key.publicKey;
    if (published !== undefined) this.chain.set(address, published);
    const hub = await openLinkHub({
      address,
      key,
      ...(options.callable !== false && { listen: { host: '127.0.0.1', port: 0 } }),
      linkKeyOf: async (organization) => this.chain.get(organization),
      endpointOf: async (organization) => this.endpoints.get(organization),
      limits: { ...quickLimits, ...options.limits },
      onEvent: (event) => events.push(event),
    });
    if (hub.port !== undefined) this.endpoints.set(address, { host: '127.0.0.1', port: hub.port });
    this.closers.push(() => hub.stop());
    return { hub, key, address, events };
  }

  /** The peers of `name` reach it through the proxy from now on. */
  async proxy(name: string): Promise<FaultProxy> {
    const address = addressOf(name);
    const target = this.endpoints.get(address);
    if (target === undefined) throw new Error(`${name} cannot be called`);
    const proxy = await FaultProxy.listen(target);
    this.endpoints.set(address, { host: '127.0.0.1', port: proxy.port });
    this.closers.push(() => proxy.close());
    return proxy;
  }

  defer(close: () => Promise<void>): void {
    this.closers.push(close);
  }

  async stop(): Promise<void> {
    for (const close of this.closers.splice(0).reverse()) await close();
  }
}

/** A TCP relay that can lose what it carries. */
export class FaultProxy {
  connections = 0;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private readonly frozen = new Set<Socket>();
  private budget = Number.POSITIVE_INFINITY;
  private refusing = false;

  private constructor(
    private readonly server: Server,
    private target: LinkEndpoint,
  ) {
    server.on('connection', (socket) => this.relay(socket));
  }

  static async listen(target: LinkEndpoint): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FaultProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  retarget(target: LinkEndpoint): void {
    this.target = target;
  }

  /** Cuts every connection once so many more bytes have gone through, in the middle of whatever they are. */
  cutAfter(bytes: number): void {
    this.budget = bytes;
  }

  cut(): void {
    for (const [one, other] of this.pairs) {
      one.resetAndDestroy();
      other.resetAndDestroy();
    }
  }

  /** Connections of now stay open and carry nothing any more, in either direction: a router that forgot them. */
  freeze(): void {
    for (const pair of this.pairs) {
      for (const socket of pair) {
        socket.removeAllListeners('data').pause();
        this.frozen.add(socket);
      }
    }
    this.pairs.clear();
  }

  /** New connections are cut at once. */
  refuse(refusing: boolean): void {
    this.refusing = refusing;
    if (refusing) this.cut();
  }

  async close(): Promise<void> {
    this.cut();
    for (const socket of this.frozen) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private relay(caller: Socket): void {
    this.connections += 1;
    if (this.refusing) return void caller.resetAndDestroy();
    const callee = connect(this.target);
    const pair = [caller, callee] as const;
    this.pairs.add(pair);
    for (const [from, to] of [pair, [callee, caller] as const]) {
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.pairs.delete(pair);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        this.budget -= chunk.length;
        if (this.budget > 0) return void to.write(chunk);
        to.write(chunk.subarray(0, Math.max(0, chunk.length + this.budget)), () => this.cut());
        this.budget = Number.POSITIVE_INFINITY;
      });
    }
  }
}

/** The error of a promise that must fail. */
export async function failure(promise: Promise<unknown>): Promise<ToolkitError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ToolkitError) return error;
  throw error;
}

export async function bothEnds(one: Member, other: Member, session = 'session', purpose = 'test'): Promise<[Channel, Channel]> {
  return Promise.all([one.hub.channel(other.address, session, purpose), other.hub.channel(one.address, session, purpose)]);
}

/** Bytes that depend on their number and length only. */
export function payload(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (number * 31 + at * 7) & 255;
  return bytes;
}

/** Resolves once `check` holds; asked again after each event of the loop, bounded by the test's own timeout. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 2));
}

export type { Member };
