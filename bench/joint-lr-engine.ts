// Joint logistic regression, engine only: two banks and a dealer as three processes over TLS 1.3 on loopback, at the shape of
// the original project's demo (50,000 x 72, 40,000 training rows, batch 256, 10,001 steps).
//   npx tsx bench/joint-lr-engine.ts [--steps 10001] [--rows 50000] [--evaluate-every 0] [--plain-tcp] [--json]
// Prints steps/s and the ratios that do not depend on the machine: to the plaintext twin in the same run, and to the time
// that the rounds alone would take at the measured round trip.
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Channel } from '../src/privacy/channel.js';
import { seededRandom, systemRandom } from '../src/privacy/random-source.js';
import { RandomStream } from '../src/privacy/random-stream.js';
import type { Columns } from '../src/privacy/regression/columns.js';
import { fitSgdBank, fitSgdDealer } from '../src/privacy/regression/fit-sgd.js';
import { plaintextSgd } from '../src/privacy/regression/plaintext-sgd.js';
import { stepLayout } from '../src/privacy/regression/sgd-layout.js';
import { type SgdOptions, sgdOptionsFromModelArgs } from '../src/privacy/regression/sgd-options.js';
import { RingMemory } from '../src/privacy/ring/ring-memory.js';
import { streamChannel } from '../src/privacy/stream-channel.js';

interface Settings {
  readonly steps: number;
  readonly rows: number;
  readonly evaluateEvery: number;
  readonly folder: string | undefined;
}

interface PartyReport {
  readonly role: string;
  readonly trainMs: number;
  readonly totalMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
  readonly waitMs: number;
  /** Of waitMs: for the dealer's material. */
  readonly dealerWaitMs: number;
  readonly sendMs: number;
  readonly sentMiB: number;
  readonly receivedMiB: number;
  readonly messages: number;
  readonly roundTripUs: number;
  readonly auc: number;
}

const widths = [30, 42] as const;
const self = fileURLToPath(import.meta.url);

function optionsOf(settings: Settings): SgdOptions {
  const args = { in_dim: 72, out_dim: 1, lr: 0.01, batch_size: 256, split: Math.round(settings.rows * 0.8), epoch: settings.steps };
  return sgdOptionsFromModelArgs('bench', args, { evaluateEvery: settings.evaluateEvery });
}

/** Some columns of the synthetic table, the same one in every process, and its labels. */
function makeTable(rows: number, from: number, width: number): { columns: Columns; labels: Float64Array } {
  const all = widths[0] + widths[1];
  const random = seededRandom(new Uint8Array(16));
  const values = new Float64Array(rows * width);
  const labels = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const bytes = random.bytes((all + 1) * 4);
    const row = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let z = (row.getInt32(all * 4) / 2 ** 31) * 2;
    for (let j = 0; j < all; j++) {
      const x = (row.getInt32(j * 4) / 2 ** 31) * 1.7;
      if (j >= from && j < from + width) values[i * width + j - from] = x;
      z += x * Math.sin(j + 1) * 0.4;
    }
    labels[i] = z > 0 ? 1 : 0;
  }
  return { columns: { names: Array.from({ length: width }, (_, j) => `x${from + j}`), rows, values }, labels };
}

/** Adds up where a party's time goes: waiting for messages, and handing messages to the operating system. */
function timed(channel: Channel, clock: { waitMs: number; sendMs: number }): Channel {
  return {
    peer: channel.peer,
    counters: channel.counters,
    transcript: () => channel.transcript(),
    send(message) {
      const start = performance.now();
      const sent = channel.send(message);
      clock.sendMs += performance.now() - start;
      return sent;
    },
    async receive() {
      const start = performance.now();
      const message = await channel.receive();
      clock.waitMs += performance.now() - start;
      return message;
    },
    close: () => channel.close(),
    abort: (reason) => channel.abort(reason),
  };
}

async function listen(folder: string | undefined, onPort: (port: number) => void, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  return new Promise((resolve) => {
    const onSocket = (socket: Socket): void => {
      socket.setNoDelay(true);
      sockets.push(socket);
      if (sockets.length === count) {
        server.close();
        resolve(sockets);
      }
    };
    const server =
      folder === undefined
        ? createServer(onSocket)
        : createTlsServer(
            { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')), minVersion: 'TLSv1.3' },
            onSocket,
          );
    server.listen(0, '127.0.0.1', () => onPort((server.address() as AddressInfo).port));
  });
}

function dial(folder: string | undefined, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket: Socket =
      folder === undefined
        ? connectTcp({ host: '127.0.0.1', port }, () => resolve(socket))
        : connectTls({ host: '127.0.0.1', port, ca: readFileSync(join(folder, 'cert.pem')), checkServerIdentity: () => undefined }, () =>
            resolve(socket),
          );
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

const pings = 1000;

async function measureRoundTrip(channel: Channel, caller: boolean): Promise<number> {
  const message = new Uint8Array(2056);
  const times: number[] = [];
  for (let i = 0; i < pings; i++) {
    const start = performance.now();
    if (caller) await channel.send(message);
    await channel.receive();
    if (!caller) await channel.send(message);
    times.push((performance.now() - start) * 1000);
  }
  return times.sort((a, b) => a - b)[pings / 2] as number;
}

async function party(role: string, settings: Settings): Promise<void> {
  const options = optionsOf(settings);
  const clock = { waitMs: 0, sendMs: 0 };
  const dealerClock = { waitMs: 0, sendMs: 0 };
  const report = (port: number): void => void process.send?.({ port });
  const portOf = (peer: string): Promise<number> =>
    new Promise((resolve) => {
      const onMessage = (message: { peer: string; port: number }): void => {
        if (message.peer !== peer) return;
        process.off('message', onMessage);
        resolve(message.port);
      };
      process.on('message', onMessage);
    });
  const channels: Channel[] = [];
  let run: () => Promise<{ trainMs: number; evaluations: readonly { auc: number }[] }>;
  let roundTripUs = 0;
  if (role === 'dealer') {
    const sockets = await listen(settings.folder, report, 2);
    // Who is who: the first byte of each caller.
    const named = await Promise.all(sockets.map(async (socket) => ({ socket, bank: await firstByte(socket) })));
    named.sort((a, b) => a.bank - b.bank);
    channels.push(...named.map(({ socket, bank }) => timed(streamChannel(socket, { peer: `bank${bank}` }), clock)));
    run = () => fitSgdDealer({ banks: [channels[0] as Channel, channels[1] as Channel] }, options, systemRandom());
  } else {
    const bank = role === 'bank0' ? 0 : 1;
    const dealerPort = portOf('dealer');
    const otherSocket =
      bank === 0 ? ((await listen(settings.folder, report, 1))[0] as Socket) : await dial(settings.folder, await portOf('bank0'));
    const dealerSocket = await dial(settings.folder, await dealerPort);
    dealerSocket.write(Uint8Array.of(bank));
    const other = streamChannel(otherSocket, { peer: bank === 0 ? 'bank1' : 'bank0' });
    roundTripUs = await measureRoundTrip(other, bank === 0);
    const otherBank = timed(other, clock);
    const dealer = timed(streamChannel(dealerSocket, { peer: 'dealer' }), dealerClock);
    channels.push(otherBank, dealer);
    const { columns, labels } = makeTable(settings.rows, bank === 0 ? 0 : widths[0], widths[bank]);
    const input = bank === 0 ? { columns, labels: { name: 'y', values: labels } } : { columns };
    run = () => fitSgdBank({ otherBank, dealer }, options, input, systemRandom());
  }
  const start = performance.now();
  const cpu = process.cpuUsage();
  const result = await run();
  const used = process.cpuUsage(cpu);
  const total = (field: 'bytesSent' | 'bytesReceived' | 'messagesSent'): number =>
    channels.reduce((sum, channel) => sum + channel.counters[field], 0);
  const done: PartyReport = {
    role,
    trainMs: result.trainMs,
    totalMs: performance.now() - start,
    cpuMs: (used.user + used.system) / 1000,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    waitMs: clock.waitMs + dealerClock.waitMs,
    dealerWaitMs: dealerClock.waitMs,
    sendMs: clock.sendMs + dealerClock.sendMs,
    sentMiB: total('bytesSent') / 2 ** 20,
    receivedMiB: total('bytesReceived') / 2 ** 20,
    messages: total('messagesSent'),
    roundTripUs,
    auc: result.evaluations.at(-1)?.auc ?? Number.NaN,
  };
  process.send?.({ done }, () => process.disconnect());
  await Promise.all(channels.map((channel) => channel.close()));
}

function firstByte(socket: Socket): Promise<number> {
  return new Promise((resolve) => {
    const onReadable = (): void => {
      const byte: Buffer | null = socket.read(1);
      if (byte === null) return;
      socket.off('readable', onReadable);
      resolve(byte[0] as number);
    };
    socket.on('readable', onReadable);
  });
}

/** Time of one step's own work at a bank, alone on the machine: what is not waiting, messages or JavaScript around it. */
function measureStepParts(options: SgdOptions): { aesUs: number; arithmeticUs: number } {
  const [own, other] = [widths[0] + 1, widths[1]];
  const layout = stepLayout(options.batchSize, options.sineTerms, own, other);
  const ring = new RingMemory();
  const at = ring.allocate(4096 * 64);
  const scratch = ring.allocate(layout.draw.words);
  const stream = new RandomStream(new Uint8Array(16));
  const view = ring.bytes(scratch, layout.draw.words * 8);
  const { kernels } = ring;
  const { batch } = layout;
  const aesUs = microseconds(() => stream.fill(view));
  const arithmeticUs = microseconds(() => {
    kernels.matVec(scratch, scratch, at, at, batch, other);
    kernels.matVec(scratch, scratch, at, at, batch, own);
    kernels.sineOfMasked(scratch, at, at, at, at, at, batch, options.sineTerms);
    kernels.transposedMatVec(scratch, at, at, batch, other);
    kernels.transposedMatVec(scratch, at, at, batch, own);
  });
  return { aesUs, arithmeticUs };
}

function microseconds(action: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const start = performance.now();
    for (let i = 0; i < 100; i++) action();
    best = Math.min(best, (performance.now() - start) * 10);
  }
  return best;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '10001' },
      rows: { type: 'string', default: '50000' },
      'evaluate-every': { type: 'string', default: '0' },
      'plain-tcp': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const folder = values['plain-tcp'] ? undefined : mkdtempSync(join(tmpdir(), 'joint-lr-'));
  if (folder !== undefined) makeCertificate(folder);
  const settings: Settings = {
    steps: Number(values.steps),
    rows: Number(values.rows),
    evaluateEvery: Number(values['evaluate-every']),
    folder,
  };
  try {
    const reports = await runParties(settings);
    const options = optionsOf(settings);
    const { columns, labels } = makeTable(settings.rows, 0, 72);
    const start = performance.now();
    const twin = plaintextSgd({ options, values: columns.values, width: 72, labels });
    const plaintextSeconds = (performance.now() - start) / 1000;
    print(reports, settings, plaintextSeconds, twin.evaluations.at(-1)?.auc ?? Number.NaN, measureStepParts(options), values.json);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
}

function makeCertificate(folder: string): void {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=bench', ...files],
    { stdio: 'ignore' },
  );
}

async function runParties(settings: Settings): Promise<PartyReport[]> {
  const roles = ['dealer', 'bank0', 'bank1'];
  const children = new Map(roles.map((role) => [role, fork(self, ['--party', role, JSON.stringify(settings)])]));
  const reports = await Promise.all(
    [...children].map(
      ([role, child]) =>
        new Promise<PartyReport>((resolve, reject) => {
          child.on('message', (message: { port?: number; done?: PartyReport }) => {
            if (message.port !== undefined)
              for (const other of children.values()) if (other !== child) other.send({ peer: role, port: message.port });
            if (message.done !== undefined) resolve(message.done);
          });
          child.on('exit', (code) => reject(new Error(`${role} ended with ${code}`)));
        }),
    ),
  ).catch((error: unknown) => {
    for (const child of children.values()) child.kill();
    throw error;
  });
  return reports;
}

function print(
  reports: PartyReport[],
  settings: Settings,
  plaintextSeconds: number,
  plaintextAuc: number,
  parts: { aesUs: number; arithmeticUs: number },
  json: boolean,
): void {
  const bank0 = reports.find(({ role }) => role === 'bank0') as PartyReport;
  const trainSeconds = bank0.trainMs / 1000;
  const rounds = 2 * settings.steps;
  const wireMiB = reports.reduce((sum, { sentMiB }) => sum + sentMiB, 0);
  // A round is one message each way at once: half of a ping and its answer.
  const roundsSeconds = (rounds * bank0.roundTripUs) / 2 / 1e6;
  const perStepUs = (bank0.trainMs * 1000) / settings.steps;
  const result = {
    steps: settings.steps,
    trainSeconds,
    stepsPerSecond: settings.steps / trainSeconds,
    rounds,
    wireMiB,
    ratioToPlaintext: trainSeconds / plaintextSeconds,
    plaintextSeconds,
    roundTripUs: bank0.roundTripUs,
    ratioToRounds: trainSeconds / roundsSeconds,
    perStepUs: {
      total: perStepUs,
      waiting: (bank0.waitMs * 1000) / settings.steps,
      waitingForDealer: (bank0.dealerWaitMs * 1000) / settings.steps,
      sending: (bank0.sendMs * 1000) / settings.steps,
      aes: parts.aesUs,
      arithmetic: parts.arithmeticUs,
    },
    auc: bank0.auc,
    plaintextAuc,
    parties: reports,
  };
  if (json) {
    console.log(JSON.stringify(result, undefined, 2));
    return;
  }
  console.log(`link            ${settings.folder === undefined ? 'TCP' : 'TLS 1.3'} on loopback, three processes`);
  console.log(`steps           ${result.steps} in ${trainSeconds.toFixed(2)} s: ${result.stepsPerSecond.toFixed(0)} a second`);
  console.log(
    `rounds          ${rounds}, round trip ${bank0.roundTripUs.toFixed(0)} us: ${result.ratioToRounds.toFixed(2)} x the rounds alone`,
  );
  console.log(`plaintext       ${plaintextSeconds.toFixed(2)} s: joint is ${result.ratioToPlaintext.toFixed(2)} x`);
  console.log(`wire            ${wireMiB.toFixed(0)} MiB in all`);
  const us = result.perStepUs;
  console.log(
    `a step at bank0 ${us.total.toFixed(0)} us: waiting ${us.waiting.toFixed(0)} (for the dealer ${us.waitingForDealer.toFixed(0)}), sending ${us.sending.toFixed(0)}, AES ${us.aes.toFixed(0)}, arithmetic ${us.arithmetic.toFixed(0)} us`,
  );
  console.log(`AUC             ${bank0.auc.toFixed(5)}, plaintext ${plaintextAuc.toFixed(5)}`);
  for (const { role, cpuMs, peakMiB, totalMs } of reports) {
    console.log(
      `${role.padEnd(15)} ${(cpuMs / 1000).toFixed(2)} s CPU, peak ${peakMiB.toFixed(0)} MiB, ${(totalMs / 1000).toFixed(2)} s with set-up`,
    );
  }
}

const [mode, role, settingsText] = process.argv.slice(2);
if (mode === '--party' && role !== undefined && settingsText !== undefined) await party(role, JSON.parse(settingsText) as Settings);
else await main();
