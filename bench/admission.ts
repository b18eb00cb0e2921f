import { loadConfig } from '../src/tracer-daemon/config/load-config.js';
import type { DaemonDeps } from '../src/tracer-daemon/deps.js';
import { admitJob } from '../src/tracer-daemon/pipeline/admit.js';
import { authorize } from '../src/tracer-daemon/pipeline/authorize.js';
import { resolveRequest } from '../src/tracer-daemon/pipeline/resolve.js';
import { startDaemon } from '../src/tracer-daemon/start-daemon.js';
import { createWorld, PASSWORD } from '../tests/support/world.js';
import { openAdmissionMarkets, withoutWorker } from './admission-market.js';
import { type Bench, beyond, type Figures, round } from './bench.js';
import { type Market, signJob, submit } from './market.js';
import { openRpcRelay, type RelayedCall, type RpcRelay } from './rpc-relay.js';
import { median, quantile } from './statistics.js';

const ROUND_TRIPS = 2;
/** Compiles what is compiled at the first use, and opens connections. */
const WARM_UP = 3;

interface Sample {
  readonly totalMs: number;
  readonly rpc: readonly RelayedCall[];
  /** The same calls once more, by nobody's daemon. */
  readonly bareMs: number;
}

export const admission: Bench = {
  name: 'admission',
  about: 'one compute request through the doors of a daemon process, apart from its waits for the chain, against the bare round trips',
  async run({ rounds = 100 }) {
    const world = await createWorld();
    const relay = await openRpcRelay(world.chain.url);
    try {
      const chain = { rpcUrl: relay.url, wsUrl: world.chain.url.replace('http', 'ws') };
      const bank = await world.bankProcess('Bank', { chain, jobs: { queueLimit: 10_000, concurrency: 1 } });
      const markets = await openAdmissionMarkets(world, bank);
      await withoutWorker(markets.blocking);
      const doors = new Map<string, Door>();
      for (const [name, market] of Object.entries(markets.trees)) doors.set(name, await measureDoor(relay, market, rounds));

      // The same store, documents and key in this process, where the stages can be called one by one.
      await bank.kill('SIGKILL');
      const daemon = await startDaemon(await loadConfig(`${bank.folder}/daemon.yaml`, {}), { password: PASSWORD });
      const stages = new Map<string, Figures>();
      try {
        for (const [name, market] of Object.entries(markets.trees))
          stages.set(name, await measureStages(daemon.deps, relay, market, rounds));
      } finally {
        await daemon.close();
      }
      return resultOf(rounds, doors, stages);
    } finally {
      await relay.close();
      await world.close();
    }
  },
};

interface Door {
  readonly localMs: number;
  readonly localP95Ms: number;
  readonly rpcMs: number;
  readonly bareRpcMs: number;
  readonly rpcRoundTrips: number;
}

async function measureDoor(relay: RpcRelay, market: Market, rounds: number): Promise<Door> {
  const samples: Sample[] = [];
  for (let i = -WARM_UP; i < rounds; i++) {
    const signed = await signJob(market);
    relay.taken();
    const started = performance.now();
    await submit(signed);
    const totalMs = performance.now() - started;
    const rpc = relay.taken();
    const bareMs = await replay(relay, rpc);
    if (i >= 0) samples.push({ totalMs, rpc, bareMs });
  }
  const local = samples.map(({ totalMs, rpc }) => totalMs - waited(rpc));
  return {
    localMs: median(local),
    localP95Ms: quantile(local, 0.95),
    rpcMs: median(samples.map(({ rpc }) => waited(rpc))),
    bareRpcMs: median(samples.map(({ bareMs }) => bareMs)),
    rpcRoundTrips: Math.max(...samples.map(({ rpc }) => rpc.length)),
  };
}

const waited = (calls: readonly RelayedCall[]): number => calls.reduce((sum, { ms }) => sum + ms, 0);

async function replay(relay: RpcRelay, calls: readonly RelayedCall[]): Promise<number> {
  for (const { body } of calls) {
    const headers = { 'content-type': 'application/json' };
    await (await fetch(relay.url, { method: 'POST', headers, body: new Uint8Array(body) })).arrayBuffer();
  }
  return waited(relay.taken());
}

async function measureStages(deps: DaemonDeps, relay: RpcRelay, market: Market, rounds: number): Promise<Figures> {
  const times: Record<'admitMs' | 'resolveMs' | 'authorizeMs', number[]> = { admitMs: [], resolveMs: [], authorizeMs: [] };
  for (let i = -WARM_UP; i < rounds; i++) {
    const body: unknown = JSON.parse((await signJob(market)).body);
    relay.taken();
    const start = performance.now();
    const { admitted } = await admitJob(deps, body);
    const proven = performance.now();
    const resolved = await resolveRequest(deps, admitted);
    const read = performance.now();
    await authorize(deps, resolved, 0);
    const decided = performance.now();
    if (i < 0) continue;
    times.admitMs.push(proven - start);
    times.resolveMs.push(read - proven - waited(relay.taken()));
    times.authorizeMs.push(decided - read);
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, round(median(values))]));
}

function resultOf(rounds: number, doors: ReadonlyMap<string, Door>, stages: ReadonlyMap<string, Figures>) {
  const worst = (key: keyof Door): number => Math.max(...[...doors.values()].map((door) => door[key]));
  const rounded = (door: Door): Figures => Object.fromEntries(Object.entries(door).map(([key, value]) => [key, round(value)]));
  const against = (value: keyof Door): Figures =>
    Object.fromEntries([...doors].map(([name, door]) => [name, round(door[value] / door.bareRpcMs)]));
  return {
    figures: {
      requests: rounds,
      localMs: round(worst('localMs')),
      localP95Ms: round(worst('localP95Ms')),
      rpcRoundTrips: worst('rpcRoundTrips'),
      ...Object.fromEntries([...doors].map(([name, door]) => [name, { ...rounded(door), stages: stages.get(name) ?? {} }])),
    },
    ratios: { localVsBareRpc: against('localMs'), rpcVsBareRpc: against('rpcMs'), rpcRoundTripsLimit: ROUND_TRIPS },
    broken: beyond('the number of round trips of one request', worst('rpcRoundTrips'), ROUND_TRIPS),
  };
}
