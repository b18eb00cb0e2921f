import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../../src/privacy/channel.js';
import { memoryChannelPair } from '../../../src/privacy/memory-channel.js';
import { streamChannel } from '../../../src/privacy/stream-channel.js';

interface PairOptions {
  readonly stallMs?: number;
  readonly limitBytes?: number;
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const end of open.splice(0)) end();
});

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const left = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [right] = (await once(server, 'connection')) as [Socket];
  await once(left, 'connect');
  server.close();
  open.push(() => {
    left.destroy();
    right.destroy();
  });
  return [left, right];
}

async function tcpPair(options: PairOptions = {}): Promise<[Channel, Channel]> {
  const [left, right] = await socketPair();
  return [
    streamChannel(left, { peer: 'right', transcript: true, ...options }),
    streamChannel(right, { peer: 'left', transcript: true, ...options }),
  ];
}

async function memoryPair(options: PairOptions = {}): Promise<[Channel, Channel]> {
  return memoryChannelPair({ names: ['left', 'right'], ...options });
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe.each([
  ['memory', memoryPair],
  ['TCP stream', tcpPair],
])('%s channel', (_, pair) => {
  it('delivers messages in order with their borders, and counts and hashes both directions', async () => {
    const [left, right] = await pair();
    const messages = [bytes(1, 2, 3), bytes(), new Uint8Array(200_000).fill(7), bytes(9)];
    for (const message of messages) void left.send(message);
    for (const message of messages) expect(Buffer.compare(await right.receive(), message)).toBe(0);
    await right.send(bytes(5));
    expect([...(await left.receive())]).toEqual([5]);
    expect(left.counters).toEqual({ bytesSent: 200_004, bytesReceived: 1, messagesSent: 4, messagesReceived: 1 });
    expect(right.counters).toEqual({ bytesSent: 1, bytesReceived: 200_004, messagesSent: 1, messagesReceived: 4 });
    expect(left.transcript()?.sent).toBe(right.transcript()?.received);
    expect(left.transcript()?.received).toBe(right.transcript()?.sent);
    const expected = createHash('sha256');
    for (const message of messages) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.byteLength);
      expected.update(length).update(message);
    }
    expect(left.transcript()?.sent).toBe(expected.digest('hex'));
  });

  it('takes the bytes before send returns', async () => {
    const [left, right] = await pair();
    const buffer = bytes(1, 2, 3);
    void left.send(buffer);
    buffer.fill(0);
    expect([...(await right.receive())]).toEqual([1, 2, 3]);
  });

  it('holds a fast sender back until the reader has caught up', async () => {
    const [left, right] = await pair({ limitBytes: 64 * 1024 });
    const chunk = new Uint8Array(32 * 1024);
    let sent = 0;
    const total = 1000;
    const sending = (async () => {
      for (; sent < total; sent++) await left.send(chunk);
    })();
    // Time for the sender to go as far as it can: bounded by the limit and the buffers of the operating system.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(sent).toBeLessThan(total);
    for (let i = 0; i < total; i++) expect((await right.receive()).byteLength).toBe(chunk.byteLength);
    await sending;
    expect(sent).toBe(total);
  });

  it('tells the peer why it was aborted, and drops what was queued', async () => {
    const [left, right] = await pair();
    await left.send(bytes(1));
    left.abort('column x3 is constant\u001b[2J');
    const failure = await right.receive().then(
      () => right.receive().catch((error: unknown) => error),
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'DT_PEER_ABORTED', details: { peer: 'left' } });
    expect(String(failure)).toContain('column x3 is constant');
    await expect(left.send(bytes(1))).rejects.toMatchObject({ code: 'DT_PEER_GONE' });
    await expect(right.send(bytes(1))).rejects.toMatchObject({ code: 'DT_PEER_ABORTED' });
  });

  it('lets what was sent arrive before a close, then says that the peer is gone', async () => {
    const [left, right] = await pair();
    await left.send(bytes(1));
    await left.close();
    expect([...(await right.receive())]).toEqual([1]);
    await expect(right.receive()).rejects.toMatchObject({ code: 'DT_PEER_GONE', details: { peer: 'left' } });
  });

  it('gives up on a silent peer and names it on both sides', async () => {
    const [left, right] = await pair({ stallMs: 50 });
    await expect(right.receive()).rejects.toMatchObject({ code: 'DT_PEER_STALLED', details: { peer: 'left' } });
    await expect(left.receive()).rejects.toMatchObject({ code: 'DT_PEER_ABORTED', message: expect.stringContaining('Nothing from left') });
  });

  it('gives up on a peer that reads nothing', async () => {
    const [left] = await pair({ stallMs: 100, limitBytes: 64 * 1024 });
    const chunk = new Uint8Array(1 << 20);
    const flood = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) await left.send(chunk);
    };
    await expect(flood()).rejects.toMatchObject({ code: 'DT_PEER_STALLED', details: { peer: 'right' } });
  });

  it('refuses two readers at a time', async () => {
    const [left, right] = await pair();
    const first = right.receive();
    await expect(right.receive()).rejects.toMatchObject({ code: 'DT_BUG_UNEXPECTED' });
    await left.send(bytes(4));
    expect([...(await first)]).toEqual([4]);
  });
});

describe('memory channel', () => {
  it('delays each message by its latency and keeps the order', async () => {
    const [left, right] = memoryChannelPair({ latencyMs: 200 });
    const start = performance.now();
    for (let i = 0; i < 10; i++) await left.send(bytes(i));
    for (let i = 0; i < 10; i++) expect([...(await right.receive())]).toEqual([i]);
    // Ten messages under way at once take one latency, not ten: the bounds are generous.
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(190);
    expect(took).toBeLessThan(1500);
  });
});

describe('stream channel', () => {
  /** A duplex whose incoming bytes the test pushes. */
  function manual(): Duplex {
    return new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  }

  it('finds the messages however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        async (messages, cuts) => {
          const stream = Buffer.concat(
            messages.map((message) => {
              const length = Buffer.alloc(4);
              length.writeUInt32BE(message.byteLength);
              return Buffer.concat([length, message]);
            }),
          );
          const duplex = manual();
          const channel = streamChannel(duplex, { peer: 'peer' });
          const borders = [0, ...cuts.map((cut) => cut % stream.byteLength).sort((a, b) => a - b), stream.byteLength];
          for (let i = 1; i < borders.length; i++) duplex.push(stream.subarray(borders[i - 1], borders[i]));
          for (const message of messages) expect(Buffer.compare(await channel.receive(), message)).toBe(0);
          await channel.close();
        },
      ),
    );
  });

  it('ends on a message longer than allowed, without reading it', async () => {
    const duplex = manual();
    const channel = streamChannel(duplex, { peer: 'bank1', maxMessageBytes: 100 });
    duplex.push(Buffer.from([0, 0, 0, 101]));
    await expect(channel.receive()).rejects.toMatchObject({
      code: 'DT_PEER_PROTOCOL',
      details: { peer: 'bank1', reason: expect.stringContaining('101 bytes') },
    });
  });

  it('says what a message is made of to an author who sends text', async () => {
    const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const channel = streamChannel(socket, { peer: 'Bank B' });
    const send = channel.send as (message: unknown) => Promise<void>;
    await expect(send.call(channel, 'hello')).rejects.toThrow(
      expect.objectContaining({ code: 'DT_INPUT_INVALID', message: expect.stringContaining('it is a string; send bytes') }),
    );
  });

  it('refuses to send a message longer than allowed', async () => {
    const channel = streamChannel(manual(), { peer: 'bank1', maxMessageBytes: 100 });
    await expect(channel.send(new Uint8Array(101))).rejects.toMatchObject({ code: 'DT_INPUT_TOO_LARGE' });
  });

  it('says when a peer vanished in the middle of a message', async () => {
    const duplex = manual();
    const channel = streamChannel(duplex, { peer: 'bank1' });
    duplex.push(Buffer.from([0, 0, 0, 9, 1, 2]));
    duplex.push(null);
    await expect(channel.receive()).rejects.toMatchObject({
      code: 'DT_PEER_GONE',
      message: expect.stringContaining('in the middle of a message'),
    });
  });

  it('survives any bytes of a stranger with a named error or a message', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (garbage) => {
        const duplex = manual();
        const channel = streamChannel(duplex, { peer: 'stranger', maxMessageBytes: 1000 });
        duplex.push(Buffer.from(garbage));
        duplex.push(null);
        for (;;) {
          const outcome = await channel.receive().catch((error: { code: string }) => error.code);
          if (typeof outcome !== 'string') continue;
          expect(['DT_PEER_GONE', 'DT_PEER_PROTOCOL', 'DT_PEER_ABORTED']).toContain(outcome);
          return;
        }
      }),
    );
  });
});
