// Private set intersection, engine only: two parties as two processes over TLS 1.3 on loopback; random 16-byte ids, half of the smaller set in
// common, both sides learn their rows.
//   npx tsx bench/psi-engine.ts [--sizes 14,16,18,20] [--unequal 10,20] [--ecdh 12] [--aligned] [--json]
// Prints for each case seconds, MiB on the wire, peak memory and where the time went, and the ratios that do not depend on the machine: to the
// ECDH protocol on the same sets (the only general way without oblivious transfer), and of time per id between sizes (linear: near 1).
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type PsiPhase, psiPhases } from '../src/privacy/psi/phase-clock.js';
import type { PackedIds } from '../src/privacy/psi/psi-digest.js';
import { runPsi } from '../src/privacy/psi/run-psi.js';
import { seededRandom, systemRandom } from '../src/privacy/random-source.js';
import { streamChannel } from '../src/privacy/stream-channel.js';

interface Case {
  readonly name: string;
  readonly counts: readonly [number, number];
  readonly protocol: 'auto' | 'kkrt' | 'ecdh';
  readonly result: 'both' | 'aligned';
  readonly folder: string;
}

interface PartyReport {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly size: number;
  readonly right: boolean;
  readonly sentMiB: number;
  readonly peakMiB: number;
  readonly phasesMs: Readonly<Record<PsiPhase, number>>;
}

const self = fileURLToPath(import.meta.url);
const idBytes = 16;

/** Party 0 has ids 0 .. n - 1 of one sequence, party 1 those that start so that half of the smaller set is common. */
function firstIdOf(party: number, [count0, count1]: readonly [number, number]): number {
  return party === 0 ? 0 : count0 - Math.floor(Math.min(count0, count1) / 2);
}

function makeIds(party: 0 | 1, counts: readonly [number, number]): PackedIds {
  const first = firstIdOf(party, counts);
  const random = seededRandom(new Uint8Array(16));
  for (let skip = 0; skip < first; skip += 65_536) random.bytes(idBytes * Math.min(65_536, first - skip));
  const bytes = new Uint8Array(idBytes * counts[party]);
  for (let at = 0; at < bytes.byteLength; at += 1 << 20) bytes.set(random.bytes(Math.min(1 << 20, bytes.byteLength - at)), at);
  return { bytes, ends: Uint32Array.from({ length: counts[party] }, (_, i) => idBytes * (i + 1)) };
}

async function party(index: 0 | 1, job: Case): Promise<void> {
  const ids = makeIds(index, job.counts);
  const socket = await (index === 0 ? listen(job.folder) : dial(job.folder));
  const channel = streamChannel(socket, { peer: `party${1 - index}`, stallMs: 600_000, limitBytes: 4 << 20 });
  // Both are there, and their ids are made, when the clock starts.
  await channel.send(new Uint8Array(1));
  await channel.receive();
  const start = performance.now();
  const cpu = process.cpuUsage();
  const terms = { jobDigest: 'bench', result: job.result, normalize: ['none'], protocol: job.protocol };
  const result = await runPsi(channel, terms, { party: index }, [[ids]], systemRandom());
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1000;
  const common = Math.floor(Math.min(...job.counts) / 2);
  const from = index === 0 ? job.counts[0] - common : 0;
  const rows = result.rows?.slice().sort() ?? new Uint32Array();
  const report: PartyReport = {
    seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    size: result.size ?? -1,
    right: rows.length === common && rows.every((row, i) => row === from + i),
    sentMiB: channel.counters.bytesSent / 2 ** 20,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    phasesMs: result.phasesMs,
  };
  process.send?.({ done: report }, () => process.disconnect());
  await channel.close();
}

function listen(folder: string): Promise<TLSSocket> {
  return new Promise((resolve) => {
    const key = readFileSync(join(folder, 'key.pem'));
    const server = createServer({ key, cert: readFileSync(join(folder, 'cert.pem')), minVersion: 'TLSv1.3' }, (socket) => {
      server.close();
      socket.setNoDelay(true);
      resolve(socket);
    });
    server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  });
}

async function dial(folder: string): Promise<TLSSocket> {
  const port = await new Promise<number>((resolve) => process.once('message', (message: { port: number }) => resolve(message.port)));
  return new Promise((resolve, reject) => {
    const ca = readFileSync(join(folder, 'cert.pem'));
    const socket = connect({ host: '127.0.0.1', port, ca, checkServerIdentity: () => undefined }, () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

async function runCase(job: Case): Promise<[PartyReport, PartyReport]> {
  const children = [0, 1].map((index) => fork(self, ['--party', String(index), JSON.stringify(job)]));
  const reports = children.map(
    (child, index) =>
      new Promise<PartyReport>((resolve, reject) => {
        child.on('message', (message: { port?: number; done?: PartyReport }) => {
          if (message.port !== undefined) children[1 - index]?.send({ port: message.port });
          if (message.done !== undefined) resolve(message.done);
        });
        child.on('exit', (code) => reject(new Error(`party ${index} of ${job.name} ended with ${code}`)));
      }),
  );
  const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  try {
    const [a, b] = await Promise.all(reports);
    await Promise.all(ended);
    if (a?.right !== true || b?.right !== true) throw new Error(`${job.name}: wrong rows`);
    return [a, b];
  } catch (error) {
    for (const child of children) child.kill();
    throw error;
  }
}

function figuresOf(job: Case, [a, b]: readonly [PartyReport, PartyReport]): Record<string, number> {
  const figures: Record<string, number> = {
    [`seconds_${job.name}`]: Math.max(a.seconds, b.seconds),
    [`wireMiB_${job.name}`]: a.sentMiB + b.sentMiB,
    [`rssMiB_${job.name}`]: Math.max(a.peakMiB, b.peakMiB),
  };
  for (const [index, report] of [a, b].entries()) {
    const role = index === 0 ? 'receiver' : 'sender';
    let known = 0;
    for (const phase of psiPhases) {
      known += report.phasesMs[phase];
      if (report.phasesMs[phase] > 0) figures[`ms_${role}_${phase}_${job.name}`] = report.phasesMs[phase];
    }
    figures[`ms_${role}_wire_${job.name}`] = report.seconds * 1000 - known;
    figures[`cpu_${role}_${job.name}`] = report.cpuSeconds;
  }
  return figures;
}

function print(job: Case, [a, b]: readonly [PartyReport, PartyReport]): void {
  const wire = a.sentMiB + b.sentMiB;
  const seconds = Math.max(a.seconds, b.seconds);
  console.log(
    `${job.name}: ${seconds.toFixed(2)} s, ${wire.toFixed(1)} MiB on the wire, ${Math.max(a.peakMiB, b.peakMiB).toFixed(0)} MiB a party`,
  );
  for (const [index, report] of [a, b].entries()) {
    const known = psiPhases.reduce((sum, phase) => sum + report.phasesMs[phase], 0);
    const parts = psiPhases.filter((phase) => report.phasesMs[phase] > 0).map((phase) => `${phase} ${report.phasesMs[phase].toFixed(0)}`);
    const rest = `wire ${(report.seconds * 1000 - known).toFixed(0)}, cpu ${(report.cpuSeconds * 1000).toFixed(0)}`;
    console.log(`  ${index === 0 ? 'receiver' : 'sender  '} ms: ${parts.join(', ')}, ${rest}`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sizes: { type: 'string', default: '14,16,18,20' },
      unequal: { type: 'string', default: '10,20' },
      ecdh: { type: 'string', default: '12' },
      aligned: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'psi-engine-'));
  makeCertificate(folder);
  const result = values.aligned ? 'aligned' : 'both';
  const exponents = (text: string): number[] => (text === '' ? [] : text.split(',').map(Number));
  const even = (exponent: number, protocol: Case['protocol'], prefix = ''): Case => {
    const count = Math.round(2 ** exponent);
    return { name: `${prefix}2e${exponent}`, counts: [count, count], protocol, result, folder };
  };
  const [small, large] = exponents(values.unequal);
  const unequal: Case[] =
    small === undefined || large === undefined
      ? []
      : [{ name: `2e${small}x2e${large}`, counts: [2 ** small, 2 ** large], protocol: 'auto', result, folder }];
  const compared = exponents(values.ecdh);
  const jobs = [
    ...exponents(values.sizes).map((exponent) => even(exponent, 'kkrt')),
    ...unequal,
    ...compared.flatMap((exponent) => [even(exponent, 'ecdh', 'ecdh_'), even(exponent, 'kkrt', 'kkrt_')]),
  ];
  const all: Record<string, number> = {};
  try {
    for (const job of jobs) {
      const reports = await runCase(job);
      Object.assign(all, figuresOf(job, reports));
      if (!values.json) print(job, reports);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const exponent of compared) {
    all[`ratio_ecdh_to_kkrt_2e${exponent}`] = (all[`seconds_ecdh_2e${exponent}`] as number) / (all[`seconds_kkrt_2e${exponent}`] as number);
  }
  const sizes = exponents(values.sizes);
  for (let i = 1; i < sizes.length; i++) {
    const [from, to] = [sizes[i - 1] as number, sizes[i] as number];
    const growth = (all[`seconds_2e${to}`] as number) / (all[`seconds_2e${from}`] as number);
    all[`ratio_time_per_id_2e${to}_to_2e${from}`] = growth / 2 ** (to - from);
  }
  if (values.json) console.log(JSON.stringify(all));
  else for (const [name, value] of Object.entries(all)) if (name.startsWith('ratio')) console.log(`${name} ${value.toFixed(2)}`);
}

function makeCertificate(folder: string): void {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=bench', ...files], { stdio: 'ignore' });
}

const at = process.argv.indexOf('--party');
if (at === -1) await main();
else await party(Number(process.argv[at + 1]) as 0 | 1, JSON.parse(process.argv[at + 2] as string) as Case);
