import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { traceLifecycle } from '../src/actions/tracer/trace-lifecycle.js';
import { FollowingIndex } from '../src/catalog/index/following-index.js';
import { openDocuments } from '../src/catalog/open-documents.js';
import { FilesystemStore } from '../src/content-store/filesystem-store.js';
import { canonicalBytes, digestOf } from '../src/documents/canonical.js';
import { buildDdo, parseAssetAttributes } from '../src/documents/ddo/ddo.js';
import type { Bytes32, TokenId } from '../src/documents/ids.js';
import { serializeAddressBook } from '../src/ledger/evm/address-book.js';
import { connectLedger } from '../src/ledger/evm/connect-ledger.js';
import { addressOf, type EventBody, tokenOf, wordOf } from '../tests/support/generated-chain.js';
import { createWorld } from '../tests/support/world.js';
import { type Bench, beyond, round } from './bench.js';
import { generateLattice, type Lattice, latticeSize, lineageOf } from './generated-lattice.js';
import { generatedBook, serveEvents } from './generated-rpc.js';
import { median, medianRatio, quantile } from './statistics.js';

const program = fileURLToPath(new URL('../bin/run.js', import.meta.url));
/** CommonJS: what node sets up for modules would be counted as the program's time. */
const tellsUse = fileURLToPath(new URL('tell-use.cjs', import.meta.url));
const LIMITS = { dfsMs: 200, buildSeconds: 120 };
const ROUND_TRIPS = 200;

export const traceIndex: Bench = {
  name: 'trace-index',
  about:
    'the index of 100,000 tokens and 500,000 grants: built, and asked for a lineage by dt tracer dfs; against walking the chain by calls',
  async run({ rounds = 15, rest = [] }) {
    const at = rest.indexOf('--scale');
    const scale = at < 0 ? 1 : Number(rest[at + 1]);
    const home = await mkdtemp(join(tmpdir(), 'dt-bench-index-'));
    const lattice = generateLattice(latticeSize(scale));
    const start = typicalLeaf(lattice);
    const lineage = lineageOf(lattice, start);
    const shown = lineage.size;
    const events = await withDocuments(join(home, 'content'), lattice.events, lineage);
    const { url, server, head } = await serveEvents(generatedBook, events);
    try {
      await writeFile(join(home, 'address-book.json'), serializeAddressBook(generatedBook));
      const env = { HOME: home, DT_HOME: home, DT_RPC: url };
      const build = await timeDt(['tracer', 'stats', '--json'], env);
      const check = await timeDt(['tracer', 'index', '--json'], env);
      const { path, state } = JSON.parse(check.out);
      const [dfs, version]: [Timed[], Timed[]] = [[], []];
      for (let turn = 0; turn <= rounds; turn++) {
        dfs.push(await timeDt(['tracer', 'dfs', '--prefix-path', tokenOf(start)], env));
        version.push(await timeDt(['--version'], env));
      }
      // The first round fills the file cache and is not counted.
      const warm = dfs.slice(1);
      const startMs = version.slice(1).map(({ ms }) => ms);
      const json = await timeDt(['tracer', 'dfs', '--prefix-path', tokenOf(start), '--json'], env);
      const traced = tokensOf(JSON.parse(json.out));
      const action = await timeAction(home, url, start, rounds);
      const roundTripMs = await measureRoundTrip();
      const dfsMs = median(warm.map(({ ms }) => ms));
      const walkSeconds = (lattice.composites * roundTripMs) / 1000;
      return {
        figures: {
          rounds,
          tokens: lattice.tokens.length,
          grants: lattice.grants,
          events: lattice.events.length,
          blocks: head,
          buildSeconds: round(build.ms / 1000),
          buildCpuSeconds: round(build.cpuMs / 1000),
          checkSeconds: round(check.ms / 1000),
          fileMiB: round((await stat(path)).size / 2 ** 20),
          dfsMs: round(dfsMs),
          dfsMsP95: round(
            quantile(
              warm.map(({ ms }) => ms),
              0.95,
            ),
          ),
          dfsCpuMs: round(median(warm.map(({ cpuMs }) => cpuMs))),
          versionMs: round(median(startMs)),
          dfsActionMs: round(median(action)),
          tokensShown: shown,
          memoryMiB: { build: round(build.memoryMiB), dfs: round(median(warm.map(({ memoryMiB }) => memoryMiB))) },
          walkByCalls: { calls: lattice.composites, roundTripMs: round(roundTripMs), seconds: round(walkSeconds) },
        },
        ratios: {
          dfsVsVersion: round(
            medianRatio(
              warm.map(({ ms }) => ms),
              startMs,
            ),
          ),
          walkByCallsVsDfs: round((walkSeconds * 1000) / dfsMs),
          buildVsDfs: round(build.ms / dfsMs),
          dfsVsLimit: round(dfsMs / LIMITS.dfsMs),
          buildVsLimit: round(build.ms / 1000 / LIMITS.buildSeconds),
        },
        broken: [
          ...beyond('dt tracer dfs, in ms', dfsMs, LIMITS.dfsMs),
          ...beyond('building the index, in seconds', build.ms / 1000, LIMITS.buildSeconds),
          ...(state === 'whole' ? [] : ['the index that was built is not whole']),
          ...(traced.size === shown ? [] : [`the trace shows ${traced.size} tokens, the lineage has ${shown}`]),
        ],
      };
    } finally {
      server.close();
      server.closeAllConnections();
      await rm(home, { recursive: true, force: true });
    }
  },
};

interface Shown {
  readonly token: string;
  readonly children: readonly Shown[];
}

const tokensOf = (node: Shown): ReadonlySet<string> => new Set([node.token, ...node.children.flatMap((child) => [...tokensOf(child)])]);

/** One with a lineage as long as that of most. */
function typicalLeaf(lattice: Lattice): string {
  const some = lattice.tokens.filter((name) => name.startsWith('leaf')).filter((_, i, all) => i % Math.ceil(all.length / 501) === 0);
  const sized = some.map((name) => ({ name, size: lineageOf(lattice, name).size })).sort((a, b) => a.size - b.size);
  return sized[Math.floor(sized.length / 2)]?.name ?? 'leaf 0';
}

/** Writes documents of these tokens, and gives the events that name them. */
async function withDocuments(folder: string, events: readonly EventBody[], names: ReadonlySet<string>): Promise<readonly EventBody[]> {
  const store = new FilesystemStore(folder);
  const digests = new Map<TokenId, Bytes32>();
  for (const name of names) {
    const attributes = parseAssetAttributes({
      metadata: { main: { type: 'Dataset', name } },
      services: [{ index: 'default', endpoint: '', descriptor: { template: tokenOf('operator'), constraint: {} }, attributes: {} }],
    });
    const ddo = buildDdo(attributes, tokenOf(name), addressOf(name), new Date(0));
    await store.put(canonicalBytes(ddo));
    digests.set(tokenOf(name), digestOf(ddo));
  }
  return events.map((event) => (event.kind === 'token-minted' ? { ...event, digest: digests.get(event.token) ?? event.digest } : event));
}

interface Timed {
  readonly ms: number;
  readonly out: string;
  readonly memoryMiB: number;
  /** Of user and system; other programs change it less than the time that passes. */
  readonly cpuMs: number;
}

/** A process of dt from its start to its end, with the most memory that it held. */
async function timeDt(words: readonly string[], env: Record<string, string>): Promise<Timed> {
  const started = performance.now();
  const child = spawn(process.execPath, ['--require', tellsUse, program, ...words], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk.toString('utf8');
    });
  const [code] = await once(child, 'close');
  const ms = performance.now() - started;
  if (code !== 0) throw new Error(`dt ${words.join(' ')} ended with ${code}: ${said.stdout}${said.stderr}`);
  const [, kib, cpuMicros] = /used (\d+) (\d+)/.exec(said.stderr) ?? [];
  return { ms, out: said.stdout, memoryMiB: Number(kib) / 1024, cpuMs: Number(cpuMicros) / 1000 };
}

/** The action alone, in this process, on the index on disk. */
async function timeAction(home: string, rpcUrl: string, start: string, rounds: number): Promise<readonly number[]> {
  const ledger = connectLedger({ rpcUrl, addressBook: generatedBook });
  const index = new FollowingIndex({ ledger, folder: join(home, 'index') });
  try {
    const content = openDocuments(index, { folder: join(home, 'content'), gateways: [] }).all;
    const times: number[] = [];
    for (let turn = 0; turn <= rounds; turn++) {
      const started = performance.now();
      await traceLifecycle({ ledger, content, index }, tokenOf(start));
      if (turn > 0) times.push(performance.now() - started);
    }
    return times;
  } finally {
    ledger.close();
    index.close();
  }
}

/** One call for one token's tree, to the real contracts on a real node on this machine. */
async function measureRoundTrip(): Promise<number> {
  const world = await createWorld();
  try {
    const bank = await world.role('Bank A');
    const leaf = await bank.context.ledger.mintToken(wordOf('salt'), wordOf('document'), []);
    const times: number[] = [];
    for (let i = 0; i < ROUND_TRIPS; i++) {
      const started = performance.now();
      await bank.context.ledger.tokenTree(leaf);
      times.push(performance.now() - started);
    }
    return median(times);
  } finally {
    await world.close();
  }
}
