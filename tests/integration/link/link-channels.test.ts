import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultLinkLimits, fragmentBytes, fragmentCost } from '../../../src/peers/link/link-limits.js';
import type { Channel } from '../../../src/privacy/channel.js';
import { bothEnds, failure, LinkWorld, type Member, payload, until } from './link-world.js';

const send = async (channel: Channel, messages: readonly Uint8Array[]): Promise<void> => {
  for (const message of messages) await channel.send(message);
};
const receive = async (channel: Channel, count: number): Promise<Uint8Array[]> => {
  const messages: Uint8Array[] = [];
  while (messages.length < count) messages.push(await channel.receive());
  return messages;
};

describe('channels of a link', () => {
  let world: LinkWorld;
  let bank: Member;
  let shop: Member;
  beforeEach(async () => {
    world = new LinkWorld();
    [bank, shop] = [await world.member('bank'), await world.member('shop')];
  });
  afterEach(() => world.stop());

  it('keep order and borders for messages of every size, both ways at once', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const edge = fragmentBytes;
    const lengths = [0, 1, 7, 8, 9, 0, 16_383, 16_384, 16_385, edge - 1, edge, edge + 1, 2 * edge, 2 * edge + 5, 1_048_584, 3_000_000, 0];
    const messages = lengths.map((length, number) => payload(number, length));
    const [, , toRight, toLeft] = await Promise.all([
      send(left, messages),
      send(right, [...messages].reverse()),
      receive(right, lengths.length),
      receive(left, lengths.length),
    ]);
    expect(toRight.map((message) => message.byteLength)).toEqual(lengths);
    expect(toRight.every((message, at) => Buffer.from(message).equals(messages[at] as Uint8Array))).toBe(true);
    expect(toLeft.reverse().every((message, at) => Buffer.from(message).equals(messages[at] as Uint8Array))).toBe(true);
  });

  it('count alike on both ends, and hash each direction with the borders of its messages', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const messages = [3, 0, 70_000, 200_000, 5].map((length, number) => payload(number, length));
    await Promise.all([send(left, messages), receive(right, messages.length)]);
    await Promise.all([right.send(payload(9, 10)), left.receive()]);
    expect(left.counters).toEqual({ messagesSent: 5, bytesSent: 270_008, messagesReceived: 1, bytesReceived: 10 });
    expect(right.counters).toEqual({ messagesReceived: 5, bytesReceived: 270_008, messagesSent: 1, bytesSent: 10 });
    const expected = createHash('sha256');
    for (const message of messages) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.byteLength);
      expected.update(length).update(message);
    }
    expect(left.transcript()?.sent).toBe(expected.digest('hex'));
    expect(right.transcript()).toEqual({ sent: left.transcript()?.received, received: left.transcript()?.sent });
    const [plain] = await Promise.all([
      bank.hub.channel(shop.address, 'session', 'plain', { transcript: false }),
      shop.hub.channel(bank.address, 'session', 'plain'),
    ]);
    expect(plain.transcript()).toBeUndefined();
  });

  it('take the bytes before send returns, and give each receiver its own', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const buffer = Buffer.alloc(300_000);
    const sent: Promise<void>[] = [];
    for (let round = 0; round < 30; round++) {
      const view = round % 2 === 0 ? buffer.subarray(0, 100) : buffer;
      view.fill(round + 1);
      sent.push(left.send(view));
      view.fill(0);
    }
    const messages: Uint8Array[] = [];
    for (let round = 0; round < 30; round++) {
      messages.push(await right.receive());
      // What a reader does to its message is its own affair.
      if (round > 0) messages[round - 1]?.fill(255);
      expect(new Set(messages[round])).toEqual(new Set([round + 1]));
    }
    await Promise.all(sent);
  });

  it('a short message that waits for its reader does not hold the long ones that came with it', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const [bulk, drain] = await bothEnds(bank, shop, 'session', 'bulk');
    for (let number = 0; number < 20; number++) {
      void bulk.send(payload(number, 5_000));
      void left.send(payload(number, 10));
      void bulk.send(payload(number, 5_000));
    }
    await receive(drain, 40);
    const messages = await receive(right, 20);
    expect(Math.max(...messages.map((message) => message.buffer.byteLength))).toBeLessThan(1_000);
  });

  it('one that nobody reads blocks its own sender and no other, and holds a bounded amount', async () => {
    const windowBytes = 1 << 18;
    const [payer, payee] = [
      await world.member('payer', { limits: { windowBytes } }),
      await world.member('zpayee', { limits: { windowBytes } }),
    ];
    const [stuck, unread] = await bothEnds(payer, payee, 'session', 'stuck');
    const [busy, read] = await bothEnds(payer, payee, 'session', 'busy');
    let accepted = 0;
    const flood = (async () => {
      for (let number = 0; number < 400; number++) {
        await stuck.send(payload(number, 10_000));
        accepted += 1;
      }
    })();
    for (let number = 0; number < 50; number++) {
      await Promise.all([busy.send(payload(number, 50_000)), read.receive()]);
      await Promise.all([read.send(payload(number, 16)), busy.receive()]);
    }
    expect(unread.counters.bytesReceived).toBeLessThanOrEqual(windowBytes);
    expect(accepted).toBeLessThanOrEqual(Math.ceil(windowBytes / (10_000 + fragmentCost)));
    expect(busy.counters.messagesSent).toBe(50);
    const messages = await receive(unread, 400);
    await flood;
    expect(messages.every((message, number) => Buffer.from(message).equals(payload(number, 10_000)))).toBe(true);
  });

  it('a long message leaves others their turn', async () => {
    const limits = { windowBytes: 1 << 24, unacknowledgedBytes: 1 << 18 };
    const [one, two] = [await world.member('one', { limits }), await world.member('two', { limits })];
    const [bulk, drain] = await bothEnds(one, two, 'session', 'bulk');
    const [quick, answer] = await bothEnds(one, two, 'session', 'quick');
    let hasAll = false;
    const long = Promise.all([bulk.send(payload(1, 10_000_000)), drain.receive()]).then(() => {
      hasAll = true;
    });
    await Promise.all([quick.send(Uint8Array.of(1)), answer.receive()]);
    expect(hasAll).toBe(false);
    expect(drain.counters.messagesReceived).toBe(0);
    await long;
  });

  it('empty messages are bounded as well', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const limit = defaultLinkLimits.windowBytes / fragmentCost;
    let accepted = 0;
    const flood = (async () => {
      for (; accepted < 100_000; accepted++) await left.send(new Uint8Array());
    })();
    await until(() => right.counters.messagesReceived >= limit);
    await Promise.all([right.send(Uint8Array.of(1)), left.receive()]);
    expect(right.counters.messagesReceived).toBe(limit);
    expect(accepted).toBe(limit);
    await receive(right, 100_000);
    await flood;
  });

  it('a link whose network does not drain holds a bounded amount, whatever the channels want', async () => {
    const proxy = await world.proxy('shop');
    world.endpoints.delete(bank.address);
    const unacknowledgedBytes = 1 << 19;
    const slow = await world.member('aslow', { callable: false, limits: { unacknowledgedBytes } });
    const pairs: (readonly [Channel, Channel])[] = [];
    for (let number = 0; number < 6; number++) pairs.push(await bothEnds(slow, shop, 'session', `p${number}`));
    proxy.freeze();
    const sends = pairs.map(async ([from]) => {
      for (let number = 0; number < 20; number++) await from.send(payload(number, 60_000));
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const view = slow.hub.peers()[0];
    expect(view?.bytesSent).toBeLessThan(unacknowledgedBytes + 2 * fragmentBytes);
    // The other end hears nothing of the break, so the connection is ended here; what waits goes out over the next one.
    slow.hub.reconnect(shop.address);
    await Promise.all([...sends, ...pairs.map(async ([, to]) => receive(to, 20))]);
    expect(proxy.connections).toBe(2);
  });

  it('whoever comes first waits for the other; a session opened by a peer is told', async () => {
    const offers: unknown[] = [];
    const stop = shop.hub.onSession((offer) => offers.push(offer));
    const first = bank.hub.channel(shop.address, 'job-1', 'rows');
    const second = bank.hub.channel(shop.address, 'job-1', 'weights');
    await until(() => offers.length > 0);
    const opened = await Promise.all([shop.hub.channel(bank.address, 'job-1', 'weights'), shop.hub.channel(bank.address, 'job-1', 'rows')]);
    const mine = await Promise.all([first, second]);
    expect(offers).toEqual([{ peer: bank.address, session: 'job-1', purpose: 'rows' }]);
    await mine[0].send(Uint8Array.of(1));
    await mine[1].send(Uint8Array.of(2));
    expect([...(await (opened[1] as Channel).receive()), ...(await (opened[0] as Channel).receive())]).toEqual([1, 2]);
    stop();
    const later = bank.hub.channel(shop.address, 'job-2', 'rows');
    await shop.hub.channel(bank.address, 'job-2', 'rows');
    await later;
    expect(offers).toHaveLength(1);
  });

  it('a peer that is linked but never opens its end, and one that is not there', async () => {
    await bothEnds(bank, shop);
    const late = await failure(bank.hub.channel(shop.address, 'job', 'rows', { timeoutMs: 60 }));
    expect(late).toMatchObject({ code: 'DT_LINK_NO_ANSWER', exitCode: 7, retryable: true, details: { session: 'job', purpose: 'rows' } });
    const gone = await world.member('gone');
    await gone.hub.stop();
    const nobody = await failure(bank.hub.channel(gone.address, 'job', 'rows', { timeoutMs: 60 }));
    expect(nobody).toMatchObject({ code: 'DT_LINK_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') });
    // What was given up is not taken by an end that comes after it.
    const after = await failure(shop.hub.channel(bank.address, 'job', 'rows', { timeoutMs: 60 }));
    expect(after.code).toBe('DT_LINK_NO_ANSWER');
    await bothEnds(bank, shop, 'job', 'rows');
  });

  it('names that are none, oneself, the same channel twice, a wait that was called off', async () => {
    for (const name of ['', 'a b', 'x'.repeat(129), 'ä', 'a\nb']) {
      expect((await failure(bank.hub.channel(shop.address, name, 'p'))).code).toBe('DT_INPUT_INVALID');
      expect((await failure(bank.hub.channel(shop.address, 's', name))).code).toBe('DT_INPUT_INVALID');
    }
    expect((await failure(bank.hub.channel(bank.address, 's', 'p'))).code).toBe('DT_INPUT_INVALID');
    const control = new AbortController();
    const waiting = failure(bank.hub.channel(shop.address, 's', 'p', { signal: control.signal }));
    expect((await failure(bank.hub.channel(shop.address, 's', 'p'))).code).toBe('DT_LINK_TAKEN');
    control.abort();
    expect((await waiting).code).toBe('DT_PEER_GONE');
    expect((await failure(bank.hub.channel(shop.address, 's', 'p', { signal: control.signal }))).code).toBe('DT_PEER_GONE');
    const [left] = await bothEnds(bank, shop, 's', 'p');
    expect((await failure(shop.hub.channel(bank.address, 's', 'p'))).code).toBe('DT_LINK_TAKEN');
    await left.close();
    await bothEnds(bank, shop, 's', 'p');
  });

  it('closed in order: what was sent arrives, also what had to wait for room', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const sends = Array.from({ length: 40 }, (_, number) => left.send(payload(number, 100_000)));
    const closed = left.close();
    const messages = await receive(right, 40);
    await Promise.all([...sends, closed]);
    expect(messages.every((message, number) => Buffer.from(message).equals(payload(number, 100_000)))).toBe(true);
    expect(await failure(right.receive())).toMatchObject({ code: 'DT_PEER_GONE', message: expect.stringContaining('closed') });
    expect((await failure(right.send(Uint8Array.of(1)))).code).toBe('DT_PEER_GONE');
    expect((await failure(left.send(Uint8Array.of(1)))).code).toBe('DT_PEER_GONE');
    expect((await failure(left.receive())).code).toBe('DT_PEER_GONE');
    await Promise.all([left.close(), right.close(), right.close()]);
    await until(() => bank.hub.peers()[0]?.channels === 0 && shop.hub.peers()[0]?.channels === 0);
  });

  it('aborted: the peer reads the reason and none of the rest, and a sender that waits is told', async () => {
    const [left, right] = await bothEnds(bank, shop);
    await left.send(payload(1, 100));
    const stuck = failure(right.send(payload(2, 5_000_000)));
    left.abort('column age\u0007 is constant');
    expect(await stuck).toMatchObject({ code: 'DT_PEER_ABORTED', message: expect.stringContaining('column age  is constant') });
    expect((await failure(right.receive())).code).toBe('DT_PEER_ABORTED');
    expect((await failure(left.receive())).message).toContain('this side ended it');
    left.abort('again');
    right.abort('again');
    await until(() => bank.hub.peers()[0]?.channels === 0 && shop.hub.peers()[0]?.channels === 0);
    const [, again] = await bothEnds(bank, shop);
    expect(again.counters.messagesReceived).toBe(0);
  });

  it('a session that is closed ends everywhere, with the reason, also for those who come late', async () => {
    const mint = await world.member('mint');
    const [a1, b1] = await bothEnds(bank, shop, 'job', 'one');
    const [a2, b2] = await bothEnds(bank, mint, 'job', 'two');
    const [kept] = await bothEnds(bank, shop, 'other', 'one');
    const waiting = failure(bank.hub.channel(shop.address, 'job', 'mine'));
    const offered = failure(shop.hub.channel(bank.address, 'job', 'theirs'));
    await until(() => (bank.hub.peers().find(({ peer }) => peer === shop.address)?.bytesReceived ?? 0) > 100);
    const readers = [failure(b1.receive()), failure(b2.receive()), failure(a1.receive()), failure(a2.receive())];
    bank.hub.close('job', 'the grant was revoked');
    const ends = await Promise.all(readers);
    expect(ends.map(({ code }) => code)).toEqual(['DT_PEER_ABORTED', 'DT_PEER_ABORTED', 'DT_PEER_GONE', 'DT_PEER_GONE']);
    for (const error of [...ends, await waiting, await offered]) expect(error.message).toContain('the grant was revoked');
    const late = await failure(mint.hub.channel(bank.address, 'job', 'late'));
    expect(late).toMatchObject({ code: 'DT_PEER_ABORTED', details: { peer: bank.address, reason: 'the grant was revoked' } });
    await kept.send(Uint8Array.of(1));
    // This side asks for it again: it is open for others again.
    await bothEnds(bank, mint, 'job', 'late');
  });

  it('a peer that does not read, or does not send, for longer than the bound', async () => {
    const [left, right] = await Promise.all([
      bank.hub.channel(shop.address, 's', 'p', { stallMs: 80 }),
      shop.hub.channel(bank.address, 's', 'p'),
    ]);
    const silent = failure(left.receive());
    expect(await silent).toMatchObject({ code: 'DT_PEER_STALLED', details: { seconds: 0.08 } });
    expect((await failure(right.receive())).code).toBe('DT_PEER_ABORTED');
    const [full] = await Promise.all([bank.hub.channel(shop.address, 's', 'q', { stallMs: 80 }), shop.hub.channel(bank.address, 's', 'q')]);
    // One message may be longer than the window; what comes after it has to wait for a reader.
    const sends = [full.send(payload(1, 4_000_000)), failure(full.send(payload(1, 4_000_000)))] as const;
    await Promise.allSettled(sends);
    expect((await sends[1]).code).toBe('DT_PEER_STALLED');
  });

  it('messages longer than the other end takes are refused before a byte has left', async () => {
    const small = await world.member('small', { limits: { messageBytes: 1000 } });
    const [left, right] = await bothEnds(bank, small);
    expect((await failure(left.send(payload(1, 1001)))).code).toBe('DT_INPUT_TOO_LARGE');
    await left.send(payload(1, 1000));
    expect((await right.receive()).byteLength).toBe(1000);
    await Promise.all([right.send(payload(2, 50_000)), left.receive()]);
    expect(left.counters.bytesSent).toBe(1000);
  });

  it('two calls that wait for a message at once are a mistake of the caller', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const first = left.receive();
    expect((await failure(left.receive())).code).toBe('DT_BUG_UNEXPECTED');
    await right.send(Uint8Array.of(5));
    expect([...(await first)]).toEqual([5]);
  });

  it('no more channels than the limit, on either side, and room again when one has ended', async () => {
    const host = await world.member('host', { limits: { channels: 3 } });
    const pairs = [await bothEnds(bank, host, 's', '1'), await bothEnds(bank, host, 's', '2'), await bothEnds(bank, host, 's', '3')];
    expect((await failure(bank.hub.channel(host.address, 's', '4'))).code).toBe('DT_LINK_LIMIT');
    expect((await failure(host.hub.channel(bank.address, 's', '4'))).code).toBe('DT_LINK_LIMIT');
    await pairs[0]?.[0].close();
    await until(() => host.hub.peers()[0]?.channels === 2);
    await bothEnds(bank, host, 's', '4');
  });

  it('an idle link is closed, and made again when it is needed', async () => {
    const [one, two] = [await world.member('one', { limits: { idleMs: 30 } }), await world.member('two')];
    const [left] = await bothEnds(one, two);
    await left.close();
    await until(() => one.hub.peers().length === 0 && two.hub.peers().length === 0);
    const [again, other] = await bothEnds(one, two);
    await Promise.all([again.send(Uint8Array.of(1)), other.receive()]);
  });

  it('a hub that stops tells its peers, and takes nothing more', async () => {
    const [left, right] = await bothEnds(bank, shop);
    const waiting = failure(bank.hub.channel(shop.address, 's', 'never'));
    await until(() => bank.hub.peers()[0]?.isConnected === true);
    const ends = [failure(left.receive()), failure(right.receive())];
    await bank.hub.stop();
    const errors = await Promise.all(ends);
    expect(errors.map(({ code }) => code)).toEqual(['DT_PEER_GONE', 'DT_PEER_GONE']);
    expect(errors[1]?.message).toContain('it stops');
    expect((await waiting).code).toBe('DT_LINK_STOPPED');
    expect((await failure(bank.hub.channel(shop.address, 's', 'p'))).code).toBe('DT_LINK_STOPPED');
  });
});
