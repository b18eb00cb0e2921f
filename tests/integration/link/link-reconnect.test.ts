import { type ChildProcess, fork } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinkKey } from '../../../src/peers/link/link-key.js';
import type { Channel } from '../../../src/privacy/channel.js';
import { addressOf, bothEnds, failure, LinkWorld, payload, until } from './link-world.js';

/** Sends numbered messages of mixed sizes and reads the other side's, in step with nothing but the channel. */
async function stream(from: Channel, to: Channel, count: number, longest: number): Promise<void> {
  const length = (number: number) => (number * 7919) % longest;
  const write = async () => {
    for (let number = 0; number < count; number++) await from.send(payload(number, length(number)));
  };
  const read = async () => {
    for (let number = 0; number < count; number++) {
      const message = await to.receive();
      expect(Buffer.from(message).equals(payload(number, length(number)))).toBe(true);
    }
  };
  await Promise.all([write(), read()]);
}

describe('a link whose connection breaks', () => {
  let world: LinkWorld;
  beforeEach(() => {
    world = new LinkWorld();
  });
  afterEach(() => world.stop());

  it.each([
    ['the lower address', 'bank', 'shop'],
    ['the higher address', 'shop', 'bank'],
  ])('is made by the end that can call: %s behind NAT, whoever asks first', async (_, hidden, seen) => {
    const [inside, outside] = [await world.member(hidden, { callable: false }), await world.member(seen)];
    expect(inside.hub.port).toBeUndefined();
    const first = outside.hub.channel(inside.address, 's', 'p');
    await new Promise((resolve) => setTimeout(resolve, 30));
    const [left, right] = await Promise.all([inside.hub.channel(outside.address, 's', 'p'), first]);
    await Promise.all([stream(left, right, 20, 5_000), stream(right, left, 20, 5_000)]);
    // The end that cannot call is not the one to mend it either.
    outside.hub.reconnect(inside.address);
    await stream(right, left, 20, 5_000);
  });

  it('two that call each other at once use one connection', async () => {
    let calls = 0;
    for (let round = 0; round < 15; round++) {
      const [one, two] = [await world.member(`a${round}`), await world.member(`b${round}`)];
      const proxies = [await world.proxy(`a${round}`), await world.proxy(`b${round}`)];
      const [left, right] = await bothEnds(one, two);
      await Promise.all([stream(left, right, 5, 1_000), stream(right, left, 5, 1_000)]);
      const connected = [one, two].map(({ events }) => events.filter(({ kind }) => kind === 'connected').length);
      expect(connected).toEqual([1, 1]);
      // The same happens after each break, when both call again.
      one.hub.reconnect(two.address);
      await Promise.all([stream(left, right, 5, 1_000), stream(right, left, 5, 1_000)]);
      await until(() => one.hub.peers()[0]?.isConnected === true && two.hub.peers()[0]?.isConnected === true);
      expect(one.events.filter(({ kind }) => kind === 'connected').length).toBeLessThanOrEqual(3);
      await Promise.all([one.hub.stop(), two.hub.stop()]);
      calls += proxies.reduce((sum, { connections }) => sum + connections, 0);
    }
    // Both did call, most of the time.
    expect(calls).toBeGreaterThan(40);
  });

  it('loses, repeats and reorders nothing, wherever it breaks', { timeout: 60_000 }, async () => {
    const [bank, shop] = [await world.member('bank'), await world.member('shop')];
    const [toBank, toShop] = [await world.proxy('bank'), await world.proxy('shop')];
    let session = 0;
    const cuts = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.constantFrom(40, 3_000, 150_000), async (points, longest) => {
        session += 1;
        const pairs = [await bothEnds(bank, shop, `s${session}`, 'one'), await bothEnds(bank, shop, `s${session}`, 'two')];
        let next = 0;
        const cut = () => {
          const bytes = points[next++];
          if (bytes === undefined) return;
          for (const proxy of [toBank, toShop]) proxy.cutAfter(bytes);
        };
        cut();
        const before = bank.events.length;
        const watch = setInterval(() => bank.events.length > before + 2 * next && cut(), 5);
        const count = longest > 100_000 ? 12 : 150;
        await Promise.all(pairs.flatMap(([left, right]) => [stream(left, right, count, longest), stream(right, left, count, longest)]));
        clearInterval(watch);
        for (const [left, right] of pairs) {
          expect(left.counters.messagesSent).toBe(count);
          expect(right.transcript()).toEqual({ sent: left.transcript()?.received, received: left.transcript()?.sent });
          await Promise.all([left.close(), right.close()]);
        }
      }),
      { numRuns: 25 },
    );
    const breaks = bank.events.filter(({ kind }) => kind === 'disconnected').length;
    expect(breaks).toBeGreaterThan(10);
    // Handshakes are cut too, which is no fault of anybody.
    const faults = bank.events
      .concat(shop.events)
      .filter(({ kind, error }) => kind === 'failed' || (error && error.code !== 'DT_LINK_HANDSHAKE'));
    expect(faults).toEqual([]);
  });

  it('what was sent before an orderly end arrives, though the connection breaks in between', async () => {
    const [bank, shop] = [await world.member('bank', { callable: false }), await world.member('shop')];
    const proxy = await world.proxy('shop');
    const [left, right] = await bothEnds(bank, shop);
    proxy.refuse(true);
    for (let number = 0; number < 20; number++) await left.send(payload(number, 20_000));
    const closed = left.close();
    proxy.refuse(false);
    for (let number = 0; number < 20; number++) expect((await right.receive()).byteLength).toBe(20_000);
    await closed;
    expect((await failure(right.receive())).code).toBe('DT_PEER_GONE');
  });

  it('a connection that carries nothing any more is noticed and replaced', async () => {
    const limits = { heartbeatMs: 40, silenceMs: 200 };
    const [bank, shop] = [await world.member('bank', { callable: false, limits }), await world.member('shop', { limits })];
    const proxy = await world.proxy('shop');
    const [left, right] = await bothEnds(bank, shop);
    // Long enough for the ends to have found silence, had they not kept the link alive.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(bank.events.filter(({ kind }) => kind === 'disconnected')).toEqual([]);
    proxy.freeze();
    await Promise.all([stream(left, right, 10, 10_000), stream(right, left, 10, 10_000)]);
    expect(bank.events.find(({ kind }) => kind === 'disconnected')?.reason).toBe('nothing was heard for 0.2 s');
  });

  it('fails every open channel on both ends once the grace is over, and serves the next', async () => {
    const limits = { graceMs: 150 };
    const [bank, shop] = [await world.member('bank', { callable: false, limits }), await world.member('shop', { limits })];
    const proxy = await world.proxy('shop');
    const pairs = [await bothEnds(bank, shop, 's', '1'), await bothEnds(bank, shop, 's', '2')];
    await pairs[0]?.[0].send(payload(1, 10));
    await until(() => pairs[0]?.[1].counters.messagesReceived === 1);
    const waits = pairs.flatMap(([left, right], number) => [failure(left.receive()), ...(number === 1 ? [failure(right.receive())] : [])]);
    const stuck = failure(
      (async () => {
        for (;;) await (pairs[1] as [Channel, Channel])[1].send(payload(2, 50_000));
      })(),
    );
    proxy.refuse(true);
    for (const error of [...(await Promise.all(waits)), await stuck]) {
      expect(error).toMatchObject({
        code: 'DT_PEER_GONE',
        retryable: true,
        exitCode: 7,
        message: expect.stringContaining('no connection for 0.15 s'),
      });
    }
    // What had arrived before can still be read.
    expect((await (pairs[0] as [Channel, Channel])[1].receive()).byteLength).toBe(10);
    expect((await failure((pairs[0] as [Channel, Channel])[1].receive())).code).toBe('DT_PEER_GONE');
    proxy.refuse(false);
    const [left, right] = await bothEnds(bank, shop, 's', '1');
    await stream(left, right, 10, 1_000);
  });

  it('an end that gave up tells the other when it comes back within its own, longer grace', async () => {
    const [bank, shop] = [await world.member('bank', { callable: false }), await world.member('shop', { limits: { graceMs: 50 } })];
    const proxy = await world.proxy('shop');
    const [left, right] = await bothEnds(bank, shop);
    proxy.refuse(true);
    expect((await failure(right.receive())).code).toBe('DT_PEER_GONE');
    const waiting = failure(left.receive());
    proxy.refuse(false);
    expect(await waiting).toMatchObject({ code: 'DT_PEER_GONE', message: expect.stringContaining('no record of the link') });
  });

  it('whoever waits for a channel goes on waiting through breaks and through a peer that starts again', async () => {
    const limits = { graceMs: 50 };
    const [bank, shop] = [await world.member('bank', { callable: false, limits }), await world.member('shop', { limits })];
    const proxy = await world.proxy('shop');
    const [open] = await bothEnds(bank, shop);
    const waiting = bank.hub.channel(shop.address, 's', 'late');
    proxy.refuse(true);
    expect((await failure(open.receive())).code).toBe('DT_PEER_GONE');
    await shop.hub.stop();
    const again = await world.member('shop', { limits, key: shop.key });
    proxy.retarget({ host: '127.0.0.1', port: again.hub.port ?? 0 });
    proxy.refuse(false);
    const [left, right] = await Promise.all([waiting, again.hub.channel(bank.address, 's', 'late')]);
    await stream(left, right, 10, 1_000);
  });

  it('a peer that is killed: named when it does not come back, and when it comes back with nothing', async () => {
    const limits = { graceMs: 250 };
    const bank = await world.member('bank', { callable: false, limits });
    const key = LinkKey.create();
    const address = addressOf('shop');
    world.chain.set(address, key.publicKey);
    const children: ChildProcess[] = [];
    world.defer(async () => {
      for (const child of children) child.kill('SIGKILL');
    });
    const start = async (session: string, port: number) => {
      const child = fork(new URL('./link-peer.process.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
      children.push(child);
      child.send({ address, key: key.identity.key, peer: bank.address, peerKey: bank.key.publicKey, session, port: `${port}` });
      const at = await new Promise<number>((resolve) => child.once('message', (message) => resolve((message as { port: number }).port)));
      world.endpoints.set(address, { host: '127.0.0.1', port: at });
      return { child, port: at };
    };
    const first = await start('one', 0);
    const channel = await bank.hub.channel(address, 'one', 'echo');
    await channel.send(payload(1, 100));
    expect((await channel.receive()).byteLength).toBe(100);
    first.child.kill('SIGKILL');
    expect(await failure(channel.receive())).toMatchObject({
      code: 'DT_PEER_GONE',
      message: expect.stringContaining('no connection for 0.25 s'),
    });

    const second = await start('two', first.port);
    const next = await bank.hub.channel(address, 'two', 'echo');
    // In the middle of a long message.
    const sending = failure(
      (async () => {
        for (let number = 0; ; number++) {
          await next.send(payload(number, 300_000));
          if (number === 3) second.child.kill('SIGKILL');
        }
      })(),
    );
    expect((await sending).code).toBe('DT_PEER_GONE');
  });

  it('a peer that was killed and starts again within the grace has forgotten the channel, and says so', async () => {
    const [bank, shop] = [await world.member('bank', { callable: false }), await world.member('shop')];
    const proxy = await world.proxy('shop');
    const [left] = await bothEnds(bank, shop);
    const waiting = failure(left.receive());
    // Cut before the goodbye can leave, as if it had been killed.
    proxy.refuse(true);
    await shop.hub.stop();
    const again = await world.member('shop', { key: shop.key });
    proxy.retarget({ host: '127.0.0.1', port: again.hub.port ?? 0 });
    proxy.refuse(false);
    expect(await waiting).toMatchObject({ code: 'DT_PEER_GONE', message: expect.stringContaining('no record of the link') });
    const [next, other] = await bothEnds(bank, again);
    await stream(next, other, 5, 1_000);
  });
});
