import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox } from '../src/sandbox/create-sandbox.js';
import { probeSandbox } from '../src/sandbox/probe-sandbox.js';
import { type SandboxLevel, type SandboxLimits, sandboxLevels } from '../src/sandbox/sandbox.js';
import { createWorld } from '../tests/support/world.js';
import { runBare, stageEcho } from './bare-run.js';
import { type Bench, beyond, round } from './bench.js';
import { openEchoMarket } from './echo-market.js';
import { type Market, signJob, submit } from './market.js';
import { median, medianRatio } from './statistics.js';

const LIMIT_MS = 1000;
const LIMITS: SandboxLimits = {
  wallMs: 60_000,
  cpuSeconds: 60,
  memoryBytes: 1 << 30,
  processes: 64,
  diskBytes: 1 << 26,
  logBytes: 1 << 20,
};

export const jobOverhead: Bench = {
  name: 'job-overhead',
  about: 'samples/op/echo.mjs as a job, from the signed request to its last event, against the same file run by node',
  async run({ rounds = 30 }) {
    const world = await createWorld();
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'dt-bench-')));
    try {
      const bank = await world.bankProcess('Bank');
      const market = await openEchoMarket(world, bank);
      const jobs: JobTimes[] = [];
      const bare: number[] = [];
      for (let i = -2; i < rounds; i++) {
        const bareMs = await runBare(folder);
        const job = await runJob(market);
        if (i < 0) continue;
        bare.push(bareMs);
        jobs.push(job);
      }
      const sandboxes = await runSandboxes(folder, rounds);
      const overheadMs = median(jobs.map(({ totalMs }, i) => totalMs - (bare[i] ?? Number.NaN)));
      const phase = (key: keyof JobTimes): number => round(median(jobs.map((job) => job[key])));
      return {
        figures: {
          jobs: rounds,
          overheadMs: round(overheadMs),
          jobMs: phase('totalMs'),
          bareMs: round(median(bare)),
          phases: {
            requestMs: phase('requestMs'),
            queuedMs: phase('queuedMs'),
            stagingMs: phase('stagingMs'),
            runningMs: phase('runningMs'),
            releasingMs: phase('releasingMs'),
            settlingMs: phase('settlingMs'),
          },
          daemonSandbox: /sandbox (\w+)/.exec(bank.said())?.[1] ?? 'unknown',
          sandboxMs: Object.fromEntries([...sandboxes].map(([level, { inside }]) => [level, round(median(inside))])),
        },
        ratios: {
          jobVsBare: round(
            medianRatio(
              jobs.map(({ totalMs }) => totalMs),
              bare,
            ),
          ),
          sandboxVsBare: Object.fromEntries([...sandboxes].map(([level, times]) => [level, round(medianRatio(times.inside, times.bare))])),
          overheadMsLimit: LIMIT_MS,
        },
        broken: beyond('the overhead of a job in ms', overheadMs, LIMIT_MS),
      };
    } finally {
      await world.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface JobTimes {
  /** From the request until its last event is here. */
  readonly totalMs: number;
  /** From the request until it is accepted. */
  readonly requestMs: number;
  /** By the daemon's clock. */
  readonly queuedMs: number;
  readonly stagingMs: number;
  readonly runningMs: number;
  readonly releasingMs: number;
  readonly settlingMs: number;
}

async function runJob(market: Market): Promise<JobTimes> {
  const signed = await signJob(market);
  const started = performance.now();
  const id = await submit(signed);
  const requestMs = performance.now() - started;
  const at = new Map<string, number>();
  let totalMs = Number.NaN;
  for await (const event of signed.party.client.events(id)) {
    if (event.event !== 'state') continue;
    const { state, time, outcome } = JSON.parse(event.data) as { state: string; time: number; outcome?: string };
    if (outcome !== undefined && outcome !== 'succeeded') throw new Error(`job ${signed.job} ended as ${outcome}`);
    // The chain write comes later as one more event of the same state.
    if (at.has(state)) continue;
    at.set(state, time);
    if (state === 'succeeded') totalMs = performance.now() - started;
  }
  const between = (from: string, to: string): number => (at.get(to) ?? Number.NaN) - (at.get(from) ?? Number.NaN);
  return {
    totalMs,
    requestMs,
    queuedMs: between('queued', 'staging'),
    stagingMs: between('staging', 'running'),
    runningMs: between('running', 'releasing'),
    releasingMs: between('releasing', 'settling'),
    settlingMs: between('settling', 'succeeded'),
  };
}

/** The sandbox alone, without a daemon, at every level that this machine gives; each run next to a bare one. */
async function runSandboxes(folder: string, rounds: number): Promise<ReadonlyMap<SandboxLevel, { inside: number[]; bare: number[] }>> {
  const probe = await probeSandbox();
  const times = new Map<SandboxLevel, { inside: number[]; bare: number[] }>();
  for (const level of sandboxLevels.filter((each) => probe.levels[each].available)) {
    const sandbox = await createSandbox({ level, probe });
    const inside: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < rounds; i++) {
      bare.push(await runBare(folder));
      const place = await stageEcho(folder);
      const started = performance.now();
      const signal = new AbortController().signal;
      const run = { folder: place, operatorFile: 'operator.mjs', runtime: 'node', limits: LIMITS, onLog: () => undefined, signal } as const;
      const { exitCode } = await sandbox.run(run);
      inside.push(performance.now() - started);
      if (exitCode !== 0) throw new Error(`at level ${level} the operator ended with ${exitCode}`);
      await rm(place, { recursive: true, force: true });
    }
    await sandbox.stop();
    times.set(level, { inside, bare });
  }
  return times;
}
