// Links between daemons: round trips and throughput of a channel between two processes over loopback, beside raw TLS 1.3 with the
// same certificate in the same run, block by block in turn.
//   npx tsx bench/link.ts [--rounds 3000] [--mib 256] [--json]
// The ratios do not depend on the machine: what a channel adds to the round trip and takes from the throughput of the socket.
import { fork } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Address } from '../src/documents/ids.js';
import { openLinkHub } from '../src/peers/link/link-hub.js';
import { LinkKey } from '../src/peers/link/link-key.js';
import { tlsTerms } from '../src/peers/link/link-tls.js';
import type { Channel } from '../src/privacy/channel.js';

const sizes = [16, 2_048, 16_384, 65_536];
const chunkBytes = 65_536;
const near = `0x${'11'.repeat(20)}` as Address;
const far = `0x${'22'.repeat(20)}` as Address;

interface Start {
  readonly keys: readonly [string, string];
}

interface Ports {
  readonly raw: number;
  readonly link: number;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The other process: answers every byte of the raw socket, and every message of the channel, with itself. */
async function echo(start: Start): Promise<void> {
  const [mine, theirs] = start.keys.map((pem) => LinkKey.parse(pem, 'bench')) as [LinkKey, LinkKey];
  const raw = createServer({ ...tlsTerms(mine.identity, 'bench') }, (socket) => {
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => socket.write(bytes));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  const hub = await openLinkHub({
    address: far,
    key: mine,
    listen: { host: '127.0.0.1', port: 0 },
    linkKeyOf: async () => theirs.publicKey,
    endpointOf: async () => undefined,
  });
  hub.onSession(({ session, purpose }) => {
    void (async () => {
      const channel = await hub.channel(near, session, purpose, { transcript: purpose !== 'unhashed' });
      // A bulk message is only counted: its first byte says so.
      for (;;) {
        const message = await channel.receive();
        if (message[0] !== 1) await channel.send(message);
      }
    })().catch(() => undefined);
  });
  process.send?.({ raw: (raw.address() as AddressInfo).port, link: hub.port } satisfies { raw: number; link: number | undefined });
}

async function rawRoundTrips(socket: TLSSocket, size: number, rounds: number): Promise<number[]> {
  const message = Buffer.alloc(size);
  const times: number[] = [];
  let missing = 0;
  let done: () => void = () => undefined;
  const onData = (bytes: Buffer): void => {
    missing -= bytes.length;
    if (missing === 0) done();
  };
  socket.on('data', onData);
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    missing = size;
    await new Promise<void>((resolve) => {
      done = resolve;
      socket.write(message);
    });
    times.push((performance.now() - start) * 1000);
  }
  socket.off('data', onData);
  return times;
}

async function linkRoundTrips(channel: Channel, size: number, rounds: number): Promise<number[]> {
  const message = new Uint8Array(size);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await channel.send(message);
    await channel.receive();
    times.push((performance.now() - start) * 1000);
  }
  return times;
}

async function rawThroughput(socket: TLSSocket, bytes: number): Promise<number> {
  const message = Buffer.alloc(chunkBytes);
  let missing = bytes;
  const start = performance.now();
  const back = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing <= 0) resolve();
    });
  });
  for (let sent = 0; sent < bytes; sent += chunkBytes) {
    if (!socket.write(message)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await back;
  return bytes / 2 ** 20 / ((performance.now() - start) / 1000);
}

async function linkThroughput(channel: Channel, bytes: number): Promise<number> {
  const message = new Uint8Array(chunkBytes);
  const count = bytes / chunkBytes;
  const start = performance.now();
  const back = (async () => {
    for (let received = 0; received < count; received++) await channel.receive();
  })();
  for (let sent = 0; sent < count; sent++) await channel.send(message);
  await back;
  return bytes / 2 ** 20 / ((performance.now() - start) / 1000);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3000' },
      mib: { type: 'string', default: '256' },
      json: { type: 'boolean', default: false },
      echo: { type: 'boolean', default: false },
    },
  });
  if (values.echo) {
    process.once('message', (start: Start) => void echo(start));
    process.once('disconnect', () => process.exit());
    return;
  }
  const rounds = Number(values.rounds);
  const [mine, theirs] = [LinkKey.create(), LinkKey.create()];
  const child = fork(fileURLToPath(import.meta.url), ['--echo']);
  child.send({ keys: [theirs.identity.key, mine.identity.key] } satisfies Start);
  const ports = await new Promise<Ports>((resolve) => child.once('message', (message) => resolve(message as Ports)));
  const socket = connect({ host: '127.0.0.1', port: ports.raw, ...tlsTerms(mine.identity, 'bench') });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  socket.setNoDelay(true);
  const hub = await openLinkHub({
    address: near,
    key: mine,
    linkKeyOf: async () => theirs.publicKey,
    endpointOf: async () => ({ host: '127.0.0.1', port: ports.link }),
  });
  const channel = await hub.channel(far, 'bench', 'hashed');
  const unhashed = await hub.channel(far, 'bench-2', 'unhashed', { transcript: false });
  await rawRoundTrips(socket, 2_048, 500);
  await linkRoundTrips(channel, 2_048, 500);
  await linkRoundTrips(unhashed, 2_048, 500);

  const blocks = 10;
  const trips = [];
  for (const size of sizes) {
    const [raw, hashed, plain]: [number[], number[], number[]] = [[], [], []];
    for (let block = 0; block < blocks; block++) {
      raw.push(...(await rawRoundTrips(socket, size, rounds / blocks)));
      hashed.push(...(await linkRoundTrips(channel, size, rounds / blocks)));
      plain.push(...(await linkRoundTrips(unhashed, size, rounds / blocks)));
    }
    const [rawUs, linkUs, unhashedUs] = [median(raw), median(hashed), median(plain)];
    trips.push({ bytes: size, rawUs, linkUs, ratio: linkUs / rawUs, unhashedUs, unhashedRatio: unhashedUs / rawUs });
  }
  const bytes = Number(values.mib) * 2 ** 20;
  const speed = {
    raw: await rawThroughput(socket, bytes),
    link: await linkThroughput(channel, bytes),
    unhashed: await linkThroughput(unhashed, bytes),
  };
  const throughput = {
    rawMiBps: speed.raw,
    linkMiBps: speed.link,
    ratio: speed.link / speed.raw,
    unhashedRatio: speed.unhashed / speed.raw,
  };
  if (values.json) {
    console.log(JSON.stringify({ roundTrips: trips, throughput }));
  } else {
    for (const { bytes: size, rawUs, linkUs, ratio, unhashedUs, unhashedRatio } of trips) {
      console.log(
        `${`${size}`.padStart(6)} bytes there and back: TLS ${rawUs.toFixed(1)} us, link ${linkUs.toFixed(1)} us = ${ratio.toFixed(2)} x` +
          ` (${unhashedUs.toFixed(1)} us = ${unhashedRatio.toFixed(2)} x without running hashes)`,
      );
    }
    console.log(
      `echoed bulk: TLS ${speed.raw.toFixed(0)} MiB/s, link ${speed.link.toFixed(0)} MiB/s = ${throughput.ratio.toFixed(2)} x` +
        ` (${throughput.unhashedRatio.toFixed(2)} x without running hashes)`,
    );
  }
  await hub.stop();
  socket.destroy();
  child.disconnect();
}

await main();
