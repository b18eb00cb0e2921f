import { connect } from 'node:tls';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frameType } from '../../../src/peers/link/frames.js';
import { LinkConnection } from '../../../src/peers/link/link-connection.js';
import { decodeWelcome, encodeHello, type StreamState } from '../../../src/peers/link/link-handshake.js';
import { LinkKey } from '../../../src/peers/link/link-key.js';
import { addressOf, bothEnds, failure, LinkWorld, type Member, payload, until } from './link-world.js';
import { callRaw, frame, open, type RawPeer } from './raw-peer.js';

const windowBytes = 1 << 18;

function parts(total: number, length: number): Buffer {
  const bytes = Buffer.alloc(length + 4);
  bytes.writeUInt32BE(total, 0);
  return bytes;
}

describe('a peer that is who it says, and breaks the rules', () => {
  let world: LinkWorld;
  let bank: Member;
  let shop: Member;
  const liar = addressOf('liar');
  let key: LinkKey;
  beforeEach(async () => {
    world = new LinkWorld();
    const limits = { windowBytes, unacknowledgedBytes: 1 << 18, channels: 16 };
    [bank, shop] = [await world.member('bank', { limits }), await world.member('shop')];
    key = LinkKey.create();
    world.chain.set(liar, key.publicKey);
  });
  afterEach(() => world.stop());

  const raw = (state: Partial<StreamState> = {}, reads = true): Promise<RawPeer> =>
    callRaw(world, bank, { key, address: liar, state, reads });

  const failed = () => bank.events.find(({ kind }) => kind === 'failed')?.error;

  const broken: readonly (readonly [string, readonly Buffer[]])[] = [
    ['a type that there is not', [frame(99)]],
    ['a second hello', [frame(frameType.hello, 0, undefined, Buffer.alloc(68))]],
    ['a frame of a gigabyte', [frame(frameType.message, 1, 1 << 30)]],
    ['a message for a channel that was never opened', [frame(frameType.message, 7, undefined, payload(1, 10))]],
    ['credit for a channel that was never opened', [frame(frameType.credit, 7, 1)]],
    ['the end of a channel that was never opened', [frame(frameType.close, 7)]],
    ['an opening that is replayed', [open(2, 'more'), open(2, 'more')]],
    ['an opening out of order', [open(5, 'more')]],
    ['an opening with a control character', [open(2, 'a\nb')]],
    ['an opening with no purpose', [open(2, '')]],
    ['an opening whose session is longer than it', [frame(frameType.open, 2, undefined, Buffer.alloc(13, 255))]],
    ['an opening with a window too small to be of use', [open(2, 'more', { windowBytes: 1000 })]],
    ['an opening that is cut short', [frame(frameType.open, 2, undefined, Buffer.alloc(5))]],
    ['an acceptance that was given already', [frame(frameType.accept, 1, 1)]],
    ['an acceptance of what was never opened', [open(2, 'more'), frame(frameType.accept, 2, 9)]],
    ['a refusal of what was never opened', [frame(frameType.reject, 9, undefined, Buffer.of(1))]],
    ['more than the window', Array.from({ length: 9 }, () => frame(frameType.message, 1, undefined, payload(1, 30_000)))],
    ['empty messages beyond the window', Array.from({ length: windowBytes / 64 + 1 }, () => frame(frameType.message, 1))],
    ['a part of nothing', [frame(frameType.part, 1, undefined, payload(1, 10))]],
    [
      'a message of parts longer than was announced',
      [frame(frameType.firstPart, 1, undefined, parts(11, 10)), frame(frameType.part, 1, undefined, payload(1, 2))],
    ],
    ['a message of parts that needs none', [frame(frameType.firstPart, 1, undefined, parts(10, 10))]],
    ['a message of parts without bytes', [frame(frameType.firstPart, 1, undefined, parts(10, 0))]],
    ['an empty part', [frame(frameType.firstPart, 1, undefined, parts(100, 10)), frame(frameType.part, 1)]],
    ['a message of four gigabytes in parts', [frame(frameType.firstPart, 1, undefined, parts(0xffffffff, 10))]],
    [
      'a message amid the parts of another',
      [frame(frameType.firstPart, 1, undefined, parts(100, 10)), frame(frameType.message, 1, undefined, payload(1, 5))],
    ],
    ['credit beyond the window', [frame(frameType.credit, 1, 0xffffffff)]],
    ['an acknowledgement of what was never sent', [frame(frameType.acknowledge, 1, 0)]],
  ];

  it.each(broken)('%s: its channels fail by name, those of others go on', async (_, frames) => {
    const [kept, other] = await bothEnds(bank, shop);
    const { connection } = await raw();
    connection.write(open(1, 'rows'));
    const opened = bank.hub.channel(liar, 'job', 'rows');
    connection.write(frame(frameType.accept, 1, 1));
    const channel = await opened;
    connection.write(Buffer.concat(frames));
    await until(() => failed() !== undefined);
    expect(failed()).toMatchObject({ code: 'DT_PEER_PROTOCOL', exitCode: 7, details: { peer: liar } });
    expect((await failure(channel.receive())).code).toBe('DT_PEER_PROTOCOL');
    expect((await failure(channel.send(payload(1, 1)))).code).toBe('DT_PEER_PROTOCOL');
    await until(() => bank.hub.peers().every(({ peer }) => peer !== liar));
    await Promise.all([kept.send(payload(1, 100)), other.receive()]);
  });

  it('is told what it did, where it still listens', async () => {
    const { connection, frames } = await raw();
    connection.write(frame(99));
    await until(() => frames.some(({ type, id }) => type === frameType.goodbye && id === 1));
  });

  it('bytes at random end in the same way, or in nothing', async () => {
    const [kept, other] = await bothEnds(bank, shop);
    const anyFrame = fc
      .tuple(fc.integer({ min: 16, max: 30 }), fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 40 }))
      .map(([type, id, bytes]) => frame(type, id, undefined, bytes));
    const chunk = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 200 }), anyFrame);
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 8 }), async (chunks) => {
        const { connection } = await raw({ epoch: BigInt(Math.floor(Math.random() * 2 ** 48) + 1) });
        connection.write(open(1, 'rows'));
        const opened = bank.hub.channel(liar, 'job', 'rows').catch(() => undefined);
        for (const bytes of chunks) connection.write(bytes);
        connection.end(undefined, 'done');
        bank.hub.close('job', 'done');
        await opened;
      }),
      { numRuns: 40 },
    );
    await Promise.all([kept.send(payload(1, 100)), other.receive()]);
    expect(bank.hub.peers().filter(({ peer }) => peer === shop.address)).toMatchObject([{ isConnected: true, channels: 1 }]);
  });

  it('a claim to have received what was never sent', async () => {
    await raw({ received: 1_000_000 });
    await until(() => failed() !== undefined);
    expect(failed()?.message).toContain('never sent');
  });

  it('a flood of openings: as many as the limit are held, the others refused, and others are served', async () => {
    let sessions = 0;
    bank.hub.onSession(() => {
      sessions += 1;
    });
    const { connection, frames } = await raw();
    for (let id = 1; id <= 500; id++) connection.write(open(id, `p${id}`, { session: `s${id}` }));
    await until(() => frames.filter(({ type }) => type === frameType.reject).length === 500 - 16);
    expect(sessions).toBe(16);
    expect(failed()).toBeUndefined();
    await bothEnds(bank, shop);
  });

  it('a flood of openings from who reads nothing is ended, with what was kept for it', async () => {
    const { connection } = await raw({}, false);
    const openings = (from: number) => Buffer.concat(Array.from({ length: 5_000 }, (_, at) => open(from + at, 'p', { session: 's' })));
    for (let from = 1; from < 200_000 && failed() === undefined; from += 5_000) {
      connection.write(openings(from));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => failed() !== undefined);
    expect(failed()?.message).toContain('acknowledges nothing');
    await bothEnds(bank, shop);
  });

  it('a hello that comes drop by drop is not waited for', async () => {
    const hasty = await world.member('hasty', { limits: { handshakeMs: 200 } });
    const socket = connect({
      host: '127.0.0.1',
      port: hasty.hub.port ?? 0,
      ...key.identity,
      ALPNProtocols: ['dt-link/1'],
      rejectUnauthorized: false,
    });
    socket.on('error', () => undefined).resume();
    const hello = frame(
      frameType.hello,
      0,
      undefined,
      encodeHello({ epoch: 1n, peerEpoch: 0n, received: 0, use: 0, from: liar, to: hasty.address }),
    );
    let at = 0;
    const drops = setInterval(() => at < hello.length - 1 && socket.write(hello.subarray(at, ++at)), 20);
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    clearInterval(drops);
    expect(at).toBeLessThan(hello.length);
    expect(hasty.events.map(({ error }) => error?.code)).toEqual(['DT_LINK_HANDSHAKE']);
  });

  it('one that is called and never says which connection counts is not waited for', async () => {
    // The lower address decides; this one welcomes nobody and calls without a word.
    const low = addressOf('abel');
    const lowKey = LinkKey.create();
    world.chain.set(low, lowKey.publicKey);
    const hasty = await world.member('hasty', { limits: { handshakeMs: 150, openMs: 400 } });
    const socket = connect({
      host: '127.0.0.1',
      port: hasty.hub.port ?? 0,
      ...lowKey.identity,
      ALPNProtocols: ['dt-link/1'],
      rejectUnauthorized: false,
    });
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const connection = new LinkConnection(socket);
    connection.send(frameType.hello, 0, encodeHello({ epoch: 1n, peerEpoch: 0n, received: 0, use: 0, from: low, to: hasty.address }));
    expect(decodeWelcome(await connection.next())?.use).toBe(0);
    expect((await failure(hasty.hub.channel(low, 's', 'p'))).code).toBe('DT_LINK_UNREACHABLE');
    expect(hasty.hub.peers()).toEqual([]);
  });
});
