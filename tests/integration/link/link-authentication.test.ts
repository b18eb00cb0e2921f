import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frameType } from '../../../src/peers/link/frames.js';
import { LinkConnection, refusalOf } from '../../../src/peers/link/link-connection.js';
import { encodeHello } from '../../../src/peers/link/link-handshake.js';
import { LinkKey } from '../../../src/peers/link/link-key.js';
import { addressOf, bothEnds, failure, LinkWorld, type Member, until } from './link-world.js';

const fresh = { epoch: 5n, peerEpoch: 0n, received: 0, use: 0 };
const refusals = (member: Member) => member.events.flatMap(({ kind, error }) => (kind === 'refused' ? [error?.code] : []));

describe('who may make a link', () => {
  let world: LinkWorld;
  beforeEach(() => {
    world = new LinkWorld();
  });
  afterEach(() => world.stop());

  /** A client of our own making; what the hub answers to it, or how its TLS ended. */
  async function stranger(member: Member, options: ConnectionOptions, hello?: Buffer): Promise<{ code: string; reason: string } | string> {
    const socket: TLSSocket = connectTls({
      host: '127.0.0.1',
      port: member.hub.port ?? 0,
      rejectUnauthorized: false,
      ALPNProtocols: ['dt-link/1'],
      ...options,
    });
    const secure = await new Promise<true | string>((resolve) => {
      socket.once('secureConnect', () => resolve(true));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    if (secure !== true) return secure;
    const connection = new LinkConnection(socket);
    if (hello !== undefined) connection.send(frameType.hello, 0, hello);
    try {
      const frame = await connection.next();
      return frame.type === frameType.refuse ? refusalOf(frame) : `frame ${frame.type}`;
    } finally {
      connection.destroy('the test is over');
    }
  }

  it('both hold the keys that the chain names: they link, and either may call', async () => {
    const [bank, shop] = [await world.member('bank'), await world.member('shop')];
    const [left, right] = await bothEnds(bank, shop);
    await left.send(Uint8Array.of(1, 2, 3));
    expect([...(await right.receive())]).toEqual([1, 2, 3]);
    expect(left.peer).toBe(shop.address);
    expect(refusals(bank).concat(refusals(shop))).toEqual([]);
    // All channels of all jobs share the one connection.
    await bothEnds(bank, shop, 'another', 'job');
    expect(bank.events.filter(({ kind }) => kind === 'connected')).toHaveLength(1);
  });

  it('the callee shows another key: the caller says nothing to it but why', async () => {
    const [bank, shop] = [await world.member('bank', { callable: false }), await world.member('shop')];
    world.chain.set(shop.address, LinkKey.create().publicKey);
    const error = await failure(bank.hub.channel(shop.address, 's', 'p'));
    expect(error).toMatchObject({ code: 'DT_LINK_KEY_MISMATCH', exitCode: 7, details: { peer: shop.address, shown: shop.key.publicKey } });
    await until(() => refusals(shop).length > 0);
    expect(shop.events[0]?.error).toMatchObject({ code: 'DT_LINK_REFUSED', details: { code: 'DT_LINK_KEY_MISMATCH' } });
  });

  it('the caller shows another key: it is refused by name on both sides', async () => {
    const bank = await world.member('bank', { callable: false, published: LinkKey.create().publicKey });
    const shop = await world.member('shop');
    const error = await failure(bank.hub.channel(shop.address, 's', 'p'));
    expect(error).toMatchObject({ code: 'DT_LINK_REFUSED', details: { peer: shop.address, code: 'DT_LINK_KEY_MISMATCH' } });
    expect(refusals(shop)).toContain('DT_LINK_KEY_MISMATCH');
    expect(shop.events.find(({ kind }) => kind === 'refused')?.peer).toBe(bank.address);
    expect(shop.hub.peers()).toEqual([]);
  });

  it('an organization that the chain does not hold, or whose key is zero, neither calls nor is called', async () => {
    const bank = await world.member('bank', { callable: false, published: undefined });
    const shop = await world.member('shop');
    const calling = await failure(bank.hub.channel(shop.address, 's', 'p'));
    expect(calling).toMatchObject({ code: 'DT_LINK_REFUSED', details: { code: 'DT_LINK_UNKNOWN_PEER' } });
    expect(refusals(shop)).toContain('DT_LINK_UNKNOWN_PEER');
    expect(await failure(shop.hub.channel(bank.address, 's', 'p'))).toMatchObject({ code: 'DT_LINK_UNKNOWN_PEER', exitCode: 7 });
    world.chain.set(bank.address, `0x${'0'.repeat(64)}` as never);
    expect(await failure(shop.hub.channel(bank.address, 's', 'p'))).toMatchObject({ code: 'DT_LINK_UNKNOWN_PEER' });
  });

  it('a refusal that is lifted in time does not fail who waits', async () => {
    const bank = await world.member('bank', { callable: false, limits: { refusalMs: 10_000 } });
    const shop = await world.member('shop');
    world.chain.delete(bank.address);
    const opened = bothEndsLater();
    await until(() => refusals(shop).length > 1);
    world.chain.set(bank.address, bank.key.publicKey);
    await Promise.all(opened);

    function bothEndsLater() {
      // The shop knows of the bank only later, so its end comes later too.
      return [
        bank.hub.channel(shop.address, 's', 'p'),
        until(() => world.chain.has(bank.address)).then(() => shop.hub.channel(bank.address, 's', 'p')),
      ];
    }
  });

  it('a key that was rotated is known at the next connection; the old one is not, and open channels go on', async () => {
    const [bank, shop] = [await world.member('bank', { callable: false }), await world.member('shop')];
    const [left, right] = await bothEnds(bank, shop);
    await left.send(Uint8Array.of(1));
    const next = LinkKey.create();
    world.chain.set(bank.address, next.publicKey);
    // Told by the chain before the bank has put its new key to use: the old one gets no further.
    shop.hub.reconnect(bank.address);
    await until(() => refusals(shop).includes('DT_LINK_KEY_MISMATCH'));
    expect(shop.hub.peers()).toMatchObject([{ isConnected: false, channels: 1 }]);
    bank.hub.useKey(next);
    await left.send(Uint8Array.of(2));
    expect([...(await right.receive()), ...(await right.receive())]).toEqual([1, 2]);
  });

  it('a callee that changes its key is called with the new one', async () => {
    const [bank, shop] = [await world.member('bank', { callable: false }), await world.member('shop')];
    const [left, right] = await bothEnds(bank, shop);
    const next = LinkKey.create();
    world.chain.set(shop.address, next.publicKey);
    shop.hub.useKey(next);
    await left.send(Uint8Array.of(7));
    expect([...(await right.receive())]).toEqual([7]);
    expect(bank.events.filter(({ kind }) => kind === 'connected')).toHaveLength(2);
  });

  it('someone else who shows a right key of its own under another name is refused', async () => {
    const shop = await world.member('shop');
    const [bank, thief] = [await world.member('bank'), await world.member('thief')];
    const hello = encodeHello({ ...fresh, from: bank.address, to: shop.address });
    expect(await stranger(shop, { ...thief.key.identity }, hello)).toMatchObject({ code: 'DT_LINK_KEY_MISMATCH' });
    // The certificate is public; without its key it opens nothing.
    expect(() => connectTls({ cert: bank.key.identity.cert, key: thief.key.identity.key })).toThrow(/key values mismatch/);
  });

  it('a hello for somebody else, from itself, or none at all', async () => {
    const [shop, bank] = [await world.member('shop'), await world.member('bank')];
    const say = (from: string, to: string) =>
      stranger(shop, { ...bank.key.identity }, encodeHello({ ...fresh, from: addressOf(from), to: addressOf(to) }));
    expect(await say('bank', 'mint')).toMatchObject({ code: 'DT_LINK_HANDSHAKE', reason: expect.stringContaining('it calls') });
    expect(await say('shop', 'shop')).toMatchObject({ code: 'DT_LINK_HANDSHAKE' });
    expect(await stranger(shop, { ...bank.key.identity }, Buffer.alloc(67))).toMatchObject({ code: 'DT_LINK_HANDSHAKE' });
    expect(await say('bank', 'shop')).toBe(`frame ${frameType.welcome}`);
  });

  it('no certificate, a certificate of another kind, another protocol, an older TLS', async () => {
    const shop = await world.member('shop');
    const { identity } = LinkKey.create();
    const pem = (name: string) => readFile(new URL(`../../support/tls/${name}.pem`, import.meta.url));
    expect(await stranger(shop, {})).toMatchObject({ code: 'DT_LINK_NO_KEY' });
    expect(await stranger(shop, { cert: await pem('cert'), key: await pem('key') })).toMatchObject({ code: 'DT_LINK_NO_KEY' });
    expect(await stranger(shop, { ...identity, ALPNProtocols: undefined })).toMatchObject({ code: 'DT_LINK_VERSION' });
    expect(await stranger(shop, { ...identity, ALPNProtocols: ['dt-link/2'] })).toMatch(/NO_APPLICATION_PROTOCOL/);
    expect(await stranger(shop, { ...identity, maxVersion: 'TLSv1.2' })).toMatch(/PROTOCOL_VERSION/);
    await until(() => refusals(shop).length === 5);
    expect(refusals(shop)).toEqual(['DT_LINK_NO_KEY', 'DT_LINK_NO_KEY', 'DT_LINK_VERSION', 'DT_LINK_VERSION', 'DT_LINK_VERSION']);
  });

  it('no session is resumed: each connection proves its key afresh', async () => {
    const shop = await world.member('shop');
    const tickets: Buffer[] = [];
    const { identity } = LinkKey.create();
    const open = (session?: Buffer): Promise<boolean> =>
      new Promise((resolve, reject) => {
        const options = {
          ...identity,
          host: '127.0.0.1',
          port: shop.hub.port ?? 0,
          rejectUnauthorized: false,
          ALPNProtocols: ['dt-link/1'],
        };
        const socket = connectTls({ ...options, ...(session && { session }) });
        // Tickets come after the handshake, and are kept as any client would.
        socket.on('session', (ticket: Buffer) => {
          tickets.push(ticket);
          const reused = socket.isSessionReused();
          socket.end(() => resolve(reused));
        });
        socket.on('error', reject).resume();
      });
    expect(await open()).toBe(false);
    expect(await open(tickets[0])).toBe(false);
    expect(tickets.length).toBeGreaterThan(1);
  });

  it('bytes that are not TLS, and callers that say nothing, are ended in time', async () => {
    const shop = await world.member('shop', { limits: { handshakeMs: 150 } });
    const ended = (bytes: Uint8Array | string | undefined) =>
      new Promise<void>((resolve) => {
        const socket = connectTcp(shop.hub.port ?? 0, '127.0.0.1', () => bytes !== undefined && socket.write(bytes));
        socket
          .on('error', () => undefined)
          .on('close', () => resolve())
          .resume();
      });
    await Promise.all([ended(randomBytes(500)), ended('GET / HTTP/1.1\r\n\r\n'), ended(undefined), ended(Uint8Array.of(22, 3, 1))]);
    // TLS done, but never a hello.
    expect(await stranger(shop, { ...LinkKey.create().identity })).toMatchObject({ code: 'DT_LINK_HANDSHAKE' });
    await until(() => refusals(shop).length === 5);
    expect(new Set(refusals(shop))).toEqual(new Set(['DT_LINK_HANDSHAKE']));
    const bank = await world.member('bank');
    await bothEnds(bank, shop);
  });

  it('a crowd of silent callers does not keep an honest one out', async () => {
    const shop = await world.member('shop', { limits: { strangers: 8, handshakeMs: 20_000 } });
    const bank = await world.member('bank', { callable: false });
    const sockets: Socket[] = [];
    let closed = 0;
    for (let i = 0; i < 40; i++) {
      const socket = connectTcp(shop.hub.port ?? 0, '127.0.0.1');
      socket
        .on('error', () => undefined)
        .on('close', () => {
          closed += 1;
        });
      sockets.push(socket);
    }
    await until(() => closed >= 32);
    await bothEnds(bank, shop);
    expect(closed).toBeLessThanOrEqual(33);
    for (const socket of sockets) socket.destroy();
  });

  it('a callee that is no daemon of ours: named, whatever it is', async () => {
    const bank = await world.member('bank', { callable: false, limits: { openMs: 400 } });
    const call = async (listen: { port: number }) => {
      const address = addressOf('other');
      world.chain.set(address, LinkKey.create().publicKey);
      world.endpoints.set(address, { host: '127.0.0.1', port: listen.port });
      return failure(bank.hub.channel(address, 's', 'p'));
    };
    const http = createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const silent = createTcpServer(() => undefined);
    const old = createTlsServer({ ...LinkKey.create().identity, maxVersion: 'TLSv1.2' });
    const foreign = createTlsServer({ ...LinkKey.create().identity, ALPNProtocols: ['h2'] });
    const mute = createTlsServer({ ...LinkKey.create().identity });
    const codes: string[] = [];
    for (const server of [http, silent, old, foreign, mute]) {
      const sockets = new Set<Socket>();
      server.on('connection', (socket: Socket) => sockets.add(socket)).on('tlsClientError', () => undefined);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const error = await call(server.address() as { port: number });
      codes.push(error.code);
      server.close();
      for (const socket of sockets) socket.destroy();
    }
    expect(codes).toEqual(['DT_LINK_UNREACHABLE', 'DT_LINK_UNREACHABLE', 'DT_LINK_VERSION', 'DT_LINK_VERSION', 'DT_LINK_VERSION']);
    const nobody = await call({ port: 1 });
    expect(nobody).toMatchObject({ code: 'DT_LINK_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') });
  });
});
