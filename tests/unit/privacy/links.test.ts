import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { Channel } from '../../../src/privacy/channel.js';
import { agreeOnTerms } from '../../../src/privacy/handshake.js';
import { agreeOnStreams } from '../../../src/privacy/key-agreement.js';
import { memoryChannelPair } from '../../../src/privacy/memory-channel.js';
import { MessageLink, messageHeaderBytes } from '../../../src/privacy/message-link.js';
import { runParty } from '../../../src/privacy/party.js';
import { seededRandom, systemRandom } from '../../../src/privacy/random-source.js';
import { RandomStream } from '../../../src/privacy/random-stream.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const vectors = JSON.parse(readFileSync(new URL('../../vectors/privacy/primitives.json', import.meta.url), 'utf8')) as {
  x25519: { privateA: string; publicA: string; privateB: string; publicB: string; shared: string };
  aes128ctr: { key: string; stream: string };
};

function framed(...payload: number[]): Uint8Array {
  return Uint8Array.from([...new Array<number>(messageHeaderBytes).fill(0), ...payload]);
}

function linkPair(): { left: MessageLink; right: MessageLink; leftChannel: Channel } {
  const [leftChannel, rightChannel] = memoryChannelPair({ names: ['left', 'right'], stallMs: 1000 });
  return { left: new MessageLink(leftChannel), right: new MessageLink(rightChannel), leftChannel };
}

describe('message link', () => {
  it('hands out the payload of the expected kind and length', async () => {
    const { left, right } = linkPair();
    await left.send('opening', framed(1, 2));
    await left.send('material', framed());
    expect([...(await right.receive('opening', 2))]).toEqual([1, 2]);
    expect((await right.receive('material', 0)).byteLength).toBe(0);
  });

  it.each([
    ['another kind', 'material', 2, /"opening" where "material" was due/],
    ['a shorter message', 'opening', 3, /2 bytes where 3 were due/],
    ['a longer message', 'opening', 1, /2 bytes where 1 were due/],
  ] as const)('refuses %s and names the peer', async (_, kind, length, pattern) => {
    const { left, right } = linkPair();
    await left.send('opening', framed(1, 2));
    const failure = right.receive(kind, length);
    await expect(failure).rejects.toMatchObject({ code: 'DT_PEER_PROTOCOL', details: { peer: 'left' } });
    await expect(failure).rejects.toThrow(pattern);
  });

  it('refuses a message that comes twice, and one that skips another', async () => {
    const { left, right, leftChannel } = linkPair();
    const message = framed(7);
    await left.send('opening', message);
    await leftChannel.send(message);
    await right.receive('opening', 1);
    await expect(right.receive('opening', 1)).rejects.toThrow(/message 0 of the run where 1 was due/);
    const skipping = linkPair();
    await skipping.left.send('opening', message);
    message[4] = 5;
    await skipping.leftChannel.send(message);
    await skipping.right.receive('opening', 1);
    await expect(skipping.right.receive('opening', 1)).rejects.toThrow(/message 5 of the run where 1 was due/);
  });

  it('refuses what is shorter than a header, and bytes of no kind', async () => {
    const { right, leftChannel } = linkPair();
    await leftChannel.send(Uint8Array.of(1, 2, 3));
    await expect(right.receive('opening', 1)).rejects.toThrow(/3 bytes is none of ours/);
    const other = linkPair();
    await other.leftChannel.send(new Uint8Array(16).fill(0xee));
    await expect(other.right.receive('opening', 8)).rejects.toThrow(/bytes of no known kind/);
  });

  it('exchanges payloads larger than any buffer, both ways at once', async () => {
    const { left, right } = linkPair();
    const [a, b] = [new Uint8Array(3_500_000).fill(3), new Uint8Array(2_097_152).fill(4)];
    const [gotB, gotA] = [new Uint8Array(b.length), new Uint8Array(a.length)];
    await Promise.all([left.exchangeParts('opening', a, gotB), right.exchangeParts('opening', b, gotA)]);
    expect(Buffer.compare(a, gotA)).toBe(0);
    expect(Buffer.compare(b, gotB)).toBe(0);
  });
});

describe('terms', () => {
  const terms = { protocol: 'test', version: 1, jobDigest: 'aa', learningRate: 0.01 };

  it('agree whatever the order of the fields, on one digest', async () => {
    const { left, right } = linkPair();
    const reordered = { learningRate: 0.01, jobDigest: 'aa', version: 1, protocol: 'test' };
    const [a, b] = await Promise.all([agreeOnTerms(left, terms), agreeOnTerms(right, reordered)]);
    expect(a).toEqual(b);
    expect(a.byteLength).toBe(32);
  });

  it.each([
    [{ ...terms, learningRate: 0.02 }, 'learningRate', '0.01', '0.02'],
    [{ ...terms, version: 2, learningRate: 0.02 }, 'version', '1', '2'],
    [{ ...terms, jobDigest: 'bb' }, 'jobDigest', '"aa"', '"bb"'],
    [{ ...terms, extra: true }, 'extra', 'absent', 'true'],
  ])('name the first difference with both values: %j', async (others, field, ours, theirs) => {
    const { left, right } = linkPair();
    const [a, b] = await Promise.allSettled([agreeOnTerms(left, terms), agreeOnTerms(right, others)]);
    expect(a).toMatchObject({ status: 'rejected', reason: { code: 'DT_PEER_TERMS', details: { field, ours, theirs, peer: 'right' } } });
    expect(b).toMatchObject({
      status: 'rejected',
      reason: { code: 'DT_PEER_TERMS', details: { field, ours: theirs, theirs: ours, peer: 'left' } },
    });
  });

  it('refuse what is no terms at all', async () => {
    const { left, right } = linkPair();
    await left.send('terms', framed(...Buffer.from('[1]')));
    await expect(agreeOnTerms(right, terms)).rejects.toMatchObject({ code: 'DT_PEER_PROTOCOL' });
  });
});

describe('keys and streams', () => {
  it('agree on the shared secret of RFC 7748, section 6.1', async () => {
    const { x25519 } = vectors;
    const { left, right } = linkPair();
    const digest = new Uint8Array(32).fill(1);
    const [a, b] = await Promise.all([
      agreeOnStreams(left, digest, hex(x25519.privateA)),
      agreeOnStreams(right, digest, hex(x25519.privateB)),
    ]);
    const [fromA, fromB] = [new Uint8Array(32), new Uint8Array(32)];
    a.stream('purpose').fill(fromA);
    b.stream('purpose').fill(fromB);
    expect(fromA).toEqual(fromB);
    const [low, high] = [x25519.publicA, x25519.publicB].sort();
    const salt = Buffer.concat([digest, hex(low as string), hex(high as string)]);
    const key = new Uint8Array(hkdfSync('sha256', hex(x25519.shared), salt, 'compute-to-data privacy purpose', 16));
    const expected = new Uint8Array(32);
    new RandomStream(key).fill(expected);
    expect(fromA).toEqual(expected);
  });

  it('give different bytes for each purpose, and refuse a purpose twice', async () => {
    const { left, right } = linkPair();
    const [a] = await Promise.all([
      agreeOnStreams(left, new Uint8Array(32), systemRandom().bytes(32)),
      agreeOnStreams(right, new Uint8Array(32), systemRandom().bytes(32)),
    ]);
    const [one, two] = [new Uint8Array(16), new Uint8Array(16)];
    a.stream('one').fill(one);
    a.stream('two').fill(two);
    expect(one).not.toEqual(two);
    expect(() => a.stream('one')).toThrow(/opened before/);
  });

  it('refuse a public key of small order', async () => {
    const { left, right } = linkPair();
    await left.send('publicKey', framed(...new Array<number>(32).fill(0)));
    await expect(agreeOnStreams(right, new Uint8Array(32), systemRandom().bytes(32))).rejects.toMatchObject({
      code: 'DT_PEER_PROTOCOL',
      details: { peer: 'left' },
    });
  });

  it('are AES-128-CTR from zero, however they are drawn', () => {
    const { key, stream } = vectors.aes128ctr;
    const whole = new Uint8Array(32);
    new RandomStream(hex(key)).fill(whole);
    expect(Buffer.from(whole).toString('hex')).toBe(stream);
    const pieces = new RandomStream(hex(key));
    const parts = [1, 15, 7, 9].map((length) => {
      const part = new Uint8Array(length);
      pieces.fill(part);
      return Buffer.from(part);
    });
    expect(Buffer.concat(parts).toString('hex')).toBe(stream);
    const long = new Uint8Array(200_001);
    new RandomStream(hex(key)).fill(long);
    expect(Buffer.from(long.subarray(0, 32)).toString('hex')).toBe(stream);
    expect(new Set(new BigUint64Array(long.buffer, 0, 25_000)).size).toBe(25_000);
  });

  it('replay from a seed', () => {
    const seed = new Uint8Array(16).fill(9);
    expect(seededRandom(seed).bytes(40)).toEqual(seededRandom(seed).bytes(40));
  });
});

describe('a party', () => {
  it('tells every peer why it ended', async () => {
    const [a, b] = memoryChannelPair({ names: ['me', 'one'] });
    const [c, d] = memoryChannelPair({ names: ['me', 'two'] });
    const failure = new ToolkitError('DT_INPUT_COLUMN', { column: 'x1', reason: 'it is constant' });
    await expect(runParty([a, c], () => Promise.reject(failure))).rejects.toBe(failure);
    for (const end of [b, d])
      await expect(end.receive()).rejects.toMatchObject({
        code: 'DT_PEER_ABORTED',
        details: { peer: 'me', reason: failure.message },
      });
  });

  it('does not show them what an unexpected error says, which may be a piece of its data', async () => {
    const [a, b] = memoryChannelPair({ names: ['me', 'one'] });
    const parse = async (): Promise<unknown> => JSON.parse('secret-row-17');
    await expect(runParty([a], parse)).rejects.toMatchObject({ code: 'DT_BUG_UNEXPECTED', message: expect.stringContaining('secret') });
    await expect(b.receive()).rejects.toMatchObject({ code: 'DT_PEER_ABORTED', message: expect.not.stringContaining('secret') });
  });
});
