import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frameType } from '../../../src/peers/link/frames.js';
import { refusal, refusalOf } from '../../../src/peers/link/link-connection.js';
import { decodeWelcome } from '../../../src/peers/link/link-handshake.js';
import { LinkKey } from '../../../src/peers/link/link-key.js';
import { addressOf, failure, LinkWorld, payload, until } from './link-world.js';
import { attachRaw, callRaw, frame, helloOf, listenRaw, open, reachRaw, welcomeOf } from './raw-peer.js';

// What crosses on the way, put in order by an end that is played by hand.
describe('two connections at once', () => {
  let world: LinkWorld;
  let key: LinkKey;
  beforeEach(() => {
    world = new LinkWorld();
    key = LinkKey.create();
  });
  afterEach(() => world.stop());

  it('the lower address keeps the one that it dialed, and the other is refused', async () => {
    const higher = addressOf('zoe');
    world.chain.set(higher, key.publicKey);
    const accept = await listenRaw(world, higher, key);
    const bank = await world.member('bank');
    const opened = bank.hub.channel(higher, 'job', 'rows');
    const dialed = await accept();
    const calling = await reachRaw(world, bank, key);
    calling.send(frameType.hello, 0, helloOf(higher, bank.address));
    const answer = await calling.next();
    expect(answer.type).toBe(frameType.refuse);
    expect(refusalOf(answer).kind).toBe(refusal.duplicate);
    dialed.connection.send(frameType.welcome, 0, welcomeOf(dialed.hello));
    expect(await dialed.connection.next()).toMatchObject({ type: frameType.use, value: 1 });
    const raw = attachRaw(dialed.connection);
    raw.connection.write(open(1, 'rows', { answers: 1 }));
    expect((await opened).peer).toBe(higher);
  });

  it('the higher address gives up the one that it dialed once the lower says which is used', async () => {
    const lower = addressOf('abel');
    world.chain.set(lower, key.publicKey);
    const accept = await listenRaw(world, lower, key);
    const shop = await world.member('shop');
    const opened = shop.hub.channel(lower, 'job', 'rows');
    const dialed = attachRaw((await accept()).connection);
    const calling = await reachRaw(world, shop, key);
    calling.send(frameType.hello, 0, helloOf(lower, shop.address));
    expect(decodeWelcome(await calling.next())).toMatchObject({ use: 0, peerEpoch: 77n });
    expect(shop.hub.peers()).toMatchObject([{ isConnected: false }]);
    calling.sendValue(frameType.use, 1);
    const raw = attachRaw(calling);
    await until(() => shop.hub.peers()[0]?.isConnected === true && dialed.ended());
    raw.connection.write(open(1, 'rows', { answers: 1 }));
    await opened;
  });

  it('one that calls again and then says nothing is waited for no longer than the grace', async () => {
    const lower = addressOf('abel');
    world.chain.set(lower, key.publicKey);
    const shop = await world.member('shop', { limits: { handshakeMs: 100, graceMs: 100 } });
    const first = await reachRaw(world, shop, key);
    first.send(frameType.hello, 0, helloOf(lower, shop.address));
    const welcome = decodeWelcome(await first.next());
    first.sendValue(frameType.use, 1);
    const raw = attachRaw(first);
    const opened = shop.hub.channel(lower, 'job', 'rows');
    await until(() => raw.frames.some(({ type }) => type === frameType.open));
    first.write(open(1, 'rows', { answers: 1 }));
    const channel = await opened;
    const again = await reachRaw(world, shop, key);
    again.send(frameType.hello, 0, helloOf(lower, shop.address, { peerEpoch: welcome?.epoch ?? 0n, use: 1 }));
    expect(await failure(channel.receive())).toMatchObject({
      code: 'DT_PEER_GONE',
      message: expect.stringContaining('no connection for 0.1 s'),
    });
  });

  it('one that calls again although its connection is in use is believed only when it knows of that connection', async () => {
    const higher = addressOf('zoe');
    world.chain.set(higher, key.publicKey);
    const bank = await world.member('bank');
    const opened = bank.hub.channel(higher, 'job', 'rows');
    const first = await callRaw(world, bank, { key, address: higher });
    first.connection.write(open(1, 'rows', { answers: 1 }));
    const channel = await opened;
    await until(() => first.frames.some(({ type }) => type === frameType.accept));
    const { epoch } = first.welcome;
    // Sent before it could know of the first one: the first one stays.
    const late = await reachRaw(world, bank, key);
    late.send(frameType.hello, 0, helloOf(higher, bank.address, { peerEpoch: epoch, use: 0 }));
    expect(refusalOf(await late.next()).kind).toBe(refusal.duplicate);
    expect(first.ended()).toBe(false);
    // It has used the first one and calls again: it has lost it.
    const again = await callRaw(world, bank, { key, address: higher, state: { peerEpoch: epoch, use: 1 } });
    await until(() => first.ended());
    again.connection.write(frame(frameType.message, 1, undefined, payload(3, 5)));
    // What came before the break was counted: it would be received twice if it came again.
    expect(Buffer.from(await channel.receive()).equals(payload(3, 5))).toBe(true);
    expect(again.welcome.received).toBe(open(1, 'rows').length);
  });
});

describe('two ends that open, withdraw and open again', () => {
  const liar = addressOf('zoe');
  let world: LinkWorld;
  let key: LinkKey;
  beforeEach(() => {
    world = new LinkWorld();
    key = LinkKey.create();
    world.chain.set(liar, key.publicKey);
  });
  afterEach(() => world.stop());

  it('a channel is there for an end only once the other has accepted its very number', async () => {
    const bank = await world.member('bank');
    const { connection, frames } = await callRaw(world, bank, { key, address: liar });
    connection.write(open(1, 'rows'));
    let isOpen = false;
    await until(() => bank.hub.peers().length > 0);
    const opened = bank.hub.channel(liar, 'job', 'rows').then((channel) => {
      isOpen = true;
      return channel;
    });
    await until(() => frames.some(({ type }) => type === frameType.open));
    // Withdrawn on the way, and opened anew before the answer had come.
    connection.write(Buffer.concat([frame(frameType.cancel, 1), open(2, 'rows')]));
    await until(() => frames.some(({ type, value }) => type === frameType.accept && value === 2));
    expect(isOpen).toBe(false);
    connection.write(Buffer.concat([frame(frameType.accept, 2, 1), frame(frameType.message, 2, undefined, payload(1, 3))]));
    expect((await (await opened).receive()).byteLength).toBe(3);
  });

  it('an offer that was answered and then given up can be answered again', async () => {
    const bank = await world.member('bank');
    const { connection, frames } = await callRaw(world, bank, { key, address: liar });
    const offered = new Promise<void>((resolve) => bank.hub.onSession(() => resolve()));
    connection.write(open(1, 'rows'));
    await offered;
    const late = await failure(bank.hub.channel(liar, 'job', 'rows', { timeoutMs: 30 }));
    expect(late.code).toBe('DT_LINK_NO_ANSWER');
    const opened = bank.hub.channel(liar, 'job', 'rows');
    await until(() => frames.filter(({ type }) => type === frameType.open).length === 2);
    expect(frames.flatMap(({ type, id, answers }) => (type === frameType.open ? [[id, answers]] : []))).toEqual([
      [1, 1],
      [2, 1],
    ]);
    // The acceptance of the first number comes late and means nothing any more.
    connection.write(Buffer.concat([frame(frameType.accept, 1, 1), frame(frameType.accept, 1, 2)]));
    await opened;
  });

  it('data for an end that was given up is dropped, and the peer that ends it is heard', async () => {
    const bank = await world.member('bank');
    const { connection, frames } = await callRaw(world, bank, { key, address: liar });
    const control = new AbortController();
    const given = failure(bank.hub.channel(liar, 'job', 'rows', { signal: control.signal }));
    await until(() => frames.some(({ type }) => type === frameType.open));
    control.abort();
    await given;
    // The peer had opened its end in answer before it heard.
    connection.write(
      Buffer.concat([open(1, 'rows', { answers: 1 }), frame(frameType.message, 1, undefined, payload(1, 9)), frame(frameType.close, 1)]),
    );
    const opened = bank.hub.channel(liar, 'job', 'rows');
    await until(() => frames.filter(({ type }) => type === frameType.open).length === 2);
    connection.write(open(2, 'rows', { answers: 2 }));
    connection.write(frame(frameType.message, 2, undefined, payload(2, 4)));
    expect((await (await opened).receive()).byteLength).toBe(4);
    expect(bank.events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  });
});
