import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FrameCount } from '../../../src/operator-kit/frame-count.js';
import { relayStreams, type Traffic } from '../../../src/operator-kit/relay-streams.js';
import type { Channel } from '../../../src/privacy/channel.js';
import { streamChannel } from '../../../src/privacy/stream-channel.js';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dialled = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  sockets.push(dialled, accepted);
  return [dialled, accepted];
}

/** Two channels of two processes, and the relay between. */
async function relayed(): Promise<{ left: Channel; right: Channel; there: Traffic; back: Traffic; ends: readonly [Socket, Socket] }> {
  const [a, relayA] = await socketPair();
  const [b, relayB] = await socketPair();
  const [there, back] = relayStreams(relayA, relayB);
  const left = streamChannel(a, { peer: 'right', transcript: true });
  const right = streamChannel(b, { peer: 'left', transcript: true });
  return { left, right, there, back, ends: [a, b] };
}

describe('the relay of the simulator', () => {
  it('passes messages on and counts them as both ends do', async () => {
    const { left, right, there, back } = await relayed();
    const messages = [0, 1, 5, 70_000, 300_000].map((size) => new Uint8Array(size).fill(size % 251));
    const receive = async (): Promise<number[]> => {
      const sizes: number[] = [];
      for (const _ of messages) sizes.push((await right.receive()).byteLength);
      return sizes;
    };
    const received = receive();
    for (const message of messages) await left.send(message);
    expect(await received).toEqual(messages.map(({ byteLength }) => byteLength));
    await right.send(new Uint8Array(3));
    await left.receive();
    const { bytesSent, messagesSent } = left.counters;
    expect(there()).toEqual({
      sent: { bytes: bytesSent, messages: messagesSent, sha256: left.transcript()?.sent },
      arrived: { bytes: bytesSent, messages: messagesSent, sha256: right.transcript()?.received },
    });
    expect(back().sent).toMatchObject({ messages: 1, bytes: 3, sha256: right.transcript()?.sent });
  });

  it('passes a reason on, which is no message', async () => {
    const { left, right, there } = await relayed();
    await left.send(Buffer.from('last'));
    left.abort('no more');
    // The reason is meant to be heard at once, also where messages are left.
    const words = await right
      .receive()
      .then(() => right.receive())
      .catch((error) => error);
    expect(words).toMatchObject({ code: 'DT_PEER_ABORTED', message: expect.stringContaining('no more') });
    expect(there().sent).toMatchObject({ messages: 1, bytes: 4 });
  });

  it('ends the other side when one dies, also one that never reads', async () => {
    const { right, ends } = await relayed();
    const waiting = right.receive();
    ends[0].destroy();
    await expect(waiting).rejects.toMatchObject({ code: 'DT_PEER_GONE' });
    const other = await relayed();
    other.ends[1].pause();
    void other.left.send(new Uint8Array(8 << 20)).catch(() => undefined);
    other.ends[1].destroy();
    await expect(other.left.receive()).rejects.toMatchObject({ code: 'DT_PEER_GONE' });
  });

  it('lets a party that has closed its side hear what is under way', async () => {
    const { left, right } = await relayed();
    await right.send(new Uint8Array(200_000));
    const heard = left.receive();
    await right.close();
    expect((await heard).byteLength).toBe(200_000);
  });
});

describe('the count of frames', () => {
  it('does not depend on how the bytes were cut', () => {
    const frame = (text: string): Buffer => {
      const body = Buffer.from(text);
      const header = Buffer.alloc(4);
      header.writeUInt32BE(body.length);
      return Buffer.concat([header, body]);
    };
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 8 }), fc.array(fc.nat(20), { maxLength: 30 }), (texts, cuts) => {
        const bytes = Buffer.concat([...texts.map(frame), Buffer.from([255, 255, 255, 255]), frame('reason')]);
        const whole = new FrameCount();
        whole.push(bytes);
        const pieces = new FrameCount();
        let at = 0;
        for (const cut of cuts) {
          pieces.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        pieces.push(bytes.subarray(at));
        expect(pieces.totals()).toEqual(whole.totals());
        expect(whole.totals()).toMatchObject({
          messages: texts.length,
          bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
        });
      }),
    );
  });
});
