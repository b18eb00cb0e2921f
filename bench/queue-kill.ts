import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerEvent } from '../src/ledger/ledger.js';
import type { RunView } from '../src/peers/daemon-client.js';
import { type BankProcess, createWorld } from '../tests/support/world.js';
import { runBare } from './bare-run.js';
import { type Bench, beyond, round } from './bench.js';
import { openEchoMarket } from './echo-market.js';
import { type Answer, type Market, post, type SignedJob, signAgain, signJob } from './market.js';

const CONCURRENCY = 2;
const FINAL = ['succeeded', 'failed', 'canceled', 'refused'];
/** Upper bound for the last receipt to reach the chain after the last job has ended. */
const ANCHOR_MS = 300_000;

interface Ended {
  readonly run: RunView;
  /** How often it came to a success. */
  readonly successes: number;
  readonly hasReceipt: boolean;
}

export const queueKill: Bench = {
  name: 'queue-kill',
  about: 'many jobs at once to one daemon process, which is killed in the middle and started again',
  async run({ rounds: jobs = 200 }) {
    const world = await createWorld();
    const folder = await mkdtemp(join(tmpdir(), 'dt-bench-'));
    try {
      const bank = await world.bankProcess('Bank', { jobs: { queueLimit: jobs + 50, concurrency: CONCURRENCY } });
      const market = await openEchoMarket(world, bank);
      const bareJobsPerSecond = await bareRate(folder);
      const signed: SignedJob[] = [];
      for (let i = 0; i < jobs; i++) signed.push(await signJob(market));
      const reported = watchReports(market, jobs);

      const started = performance.now();
      const { runs, restartMs } = await submitAndKill(bank, market, signed);
      const ended: Ended[] = [];
      for (const each of signed) {
        const id = runs.get(each.job);
        if (id !== undefined) ended.push(await followToEnd(each, id));
      }
      const seconds = (performance.now() - started) / 1000;
      const { reports: anchored, anchors } = await reported;

      const count = (state: string): number => ended.filter(({ run }) => run.state === state).length;
      const lost = ended.filter((each) => isLost(each, anchored)).length;
      const receipts = ended.filter(({ hasReceipt }) => hasReceipt).length;
      const jobsPerSecond = ended.length / seconds;
      return {
        figures: {
          jobs,
          accepted: runs.size,
          lost,
          succeeded: count('succeeded'),
          failed: ended.length - count('succeeded'),
          startedTwice: ended.filter(({ run }) => run.attempt > 1).length,
          receipts,
          anchored: anchored.size,
          anchorTransactions: anchors,
          receiptsPerAnchor: round(anchored.size / Math.max(1, anchors)),
          seconds: round(seconds),
          jobsPerSecond: round(jobsPerSecond),
          restartMs: round(restartMs),
          bareJobsPerSecond: round(bareJobsPerSecond),
        },
        ratios: { bareVsQueue: round(bareJobsPerSecond / jobsPerSecond), lostLimit: 0 },
        broken: [
          ...beyond('the number of lost jobs', lost, 0),
          ...beyond('the number of jobs that were not accepted', jobs - runs.size, 0),
          ...beyond('the number of jobs without a receipt', runs.size - receipts, 0),
          ...beyond('the number of jobs whose report is not on chain', runs.size - anchored.size, 0),
        ],
      };
    } finally {
      await world.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Accepted, and yet without an end, without a reason for a bad end, or with two good ends. */
function isLost({ run, successes }: Ended, anchored: ReadonlyMap<bigint, number>): boolean {
  const onChain = anchored.get(BigInt(run.job)) ?? 0;
  if (!FINAL.includes(run.state) || successes > 1 || onChain > 1) return true;
  return run.state !== 'succeeded' && run.failure === undefined;
}

/** All at once; when half of them are accepted the daemon is killed. Who got no answer asks again, as a client would. */
async function submitAndKill(
  bank: BankProcess,
  market: Market,
  signed: readonly SignedJob[],
): Promise<{ runs: ReadonlyMap<bigint, string>; restartMs: number }> {
  const runs = new Map<bigint, string>();
  let killed: Promise<void> | undefined;
  const take = ({ job }: SignedJob, { status, body }: Answer): void => {
    // Accepted before the kill, with the answer lost by it.
    const id = status === 202 ? body.id : body.code === 'DT_JOB_EXISTS' ? body.details?.run : undefined;
    if (id === undefined) throw new Error(`job ${job} was answered ${status}: ${body.detail}`);
    runs.set(job, id);
    if (runs.size >= signed.length / 2) killed ??= bank.kill('SIGKILL');
  };
  await Promise.all(signed.map((each) => post(each).then((answer) => take(each, answer), onlyNetwork)));
  if (killed === undefined) throw new Error('the daemon was never killed');
  await killed;
  const started = performance.now();
  await bank.restart();
  const restartMs = performance.now() - started;
  const again = signed.filter(({ job }) => !runs.has(job));
  await Promise.all(again.map(async (each) => take(each, await post(await signAgain(market, each.job)))));
  return { runs, restartMs };
}

/** What fetch throws when the daemon is gone. */
function onlyNetwork(error: unknown): void {
  if (!(error instanceof TypeError || error instanceof SyntaxError || (error as Error).name === 'AbortError')) throw error;
}

async function followToEnd({ party }: SignedJob, id: string): Promise<Ended> {
  let successes = 0;
  for await (const event of party.client.events(id)) {
    if (event.event !== 'state') continue;
    const { state, anchored } = JSON.parse(event.data) as { state: string; anchored?: string };
    if (state === 'succeeded' && anchored === undefined) successes += 1;
  }
  const run = await party.client.job(id);
  const hasReceipt = await party.client.receipt(id).then(
    () => true,
    () => false,
  );
  return { run, successes, hasReceipt };
}

interface Reported {
  /** How often each job was. */
  readonly reports: ReadonlyMap<bigint, number>;
  /** Transactions that it took. */
  readonly anchors: number;
}

/** What comes to the chain, until as many jobs as expected have a report, or time is up. */
async function watchReports({ client, leaf }: Market, expected: number): Promise<Reported> {
  const reports = new Map<bigint, number>();
  let anchors = 0;
  const enough = new AbortController();
  const onEvent = (event: LedgerEvent): void => {
    if (event.kind === 'receipts-anchored') anchors += 1;
    if (event.kind !== 'job-reported' || event.token !== leaf) return;
    reports.set(event.job, (reports.get(event.job) ?? 0) + 1);
    if (reports.size === expected) enough.abort();
  };
  const { ledger } = client.context;
  await ledger.watch(onEvent, {
    fromBlock: (await ledger.head()).block,
    signal: AbortSignal.any([enough.signal, AbortSignal.timeout(ANCHOR_MS)]),
  });
  return { reports, anchors };
}

/** The same work without a daemon: the operator as a plain process, as many at a time as the daemon runs. */
async function bareRate(folder: string): Promise<number> {
  const runs = 10;
  const started = performance.now();
  const lane = async (): Promise<void> => {
    for (let i = 0; i < runs; i++) await runBare(folder);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return (runs * CONCURRENCY * 1000) / (performance.now() - started);
}
