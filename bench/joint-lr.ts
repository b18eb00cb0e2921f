import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { JsonObject } from '../src/documents/canonical.js';
import { asProcess, createJointWorld, type JointWorld, jointOf, receiptsOf } from '../tests/support/joint-world.js';
import type { BankProcess } from '../tests/support/world.js';
import { type Bench, beyond, type Figures, round } from './bench.js';
import { measureDelay, openDelayLine } from './delay-line.js';
import { watchOperatorMemory } from './operator-memory.js';
import { programBench } from './program-bench.js';

const STEPS = 10_001;
const ROWS = 50_000;
const COLUMNS = [30, 42] as const;
const TRAIN_LIMIT_SECONDS = 6;
const MEMORY_LIMIT_MIB = 300;
/** Steps of the run whose messages go through the daemons, as where the sandbox cannot filter system calls. */
const RELAYED_STEPS = 2_000;
/** Added latency of a round trip, and few steps: time is rounds x latency then. */
const LATENCY_MS = 20;
const SLOW_STEPS = 100;
const SLOW_ROWS = 2_000;

interface Trained {
  readonly trainSeconds: number;
  readonly rounds: number;
  readonly waitSeconds: number;
  readonly sendSeconds: number;
  readonly auc: number;
  readonly wireMiB: number;
  readonly memoryMiB: number;
  readonly totalSeconds: number;
}

export const jointLr: Bench = {
  name: 'joint-lr',
  about: "joint logistic regression over three daemons, with the original's constraint files, against the plain run and its rounds alone",
  async run({ rounds: steps = STEPS }) {
    const trained = await withWorld(ROWS, {}, (world) => train(world, steps, ROWS));
    // The engine alone, three processes over TLS without daemons or sandbox, and its plaintext twin, in the same run.
    const { figures: engine, ratios } = await programBench('joint-lr-engine', '').run({ rest: ['--steps', String(steps)] });
    const relayed = await withWorld(ROWS, { direct: false }, (world) => train(world, RELAYED_STEPS, ROWS));
    const slow = await trainSlowly();
    const per = (key: string): number => ((engine['perStepUs'] as Figures)[key] as number) * steps * 1e-6;
    const roundTripUs = engine['roundTripUs'] as number;
    const roundsAlone = trained.rounds * roundTripUs * 1e-6;
    return {
      figures: {
        steps,
        trainSeconds: round(trained.trainSeconds),
        rounds: trained.rounds,
        wireMiB: round(trained.wireMiB),
        auc: trained.auc,
        peakMemoryMiB: round(trained.memoryMiB),
        jobSeconds: round(trained.totalSeconds),
        split: {
          waitSeconds: round(trained.waitSeconds),
          sendSeconds: round(trained.sendSeconds),
          aesSeconds: round(per('aes')),
          arithmeticSeconds: round(per('arithmetic')),
        },
        roundTripUs: round(roundTripUs),
        engineSeconds: round(engine['trainSeconds'] as number),
        plaintextSeconds: round(engine['plaintextSeconds'] as number),
        relayed: { steps: RELAYED_STEPS, trainSeconds: round(relayed.trainSeconds) },
        slow: { steps: SLOW_STEPS, rounds: slow.rounds, seconds: round(slow.seconds), roundTripMs: round(slow.roundTripMs) },
      },
      ratios: {
        toPlaintext: round(trained.trainSeconds / (engine['plaintextSeconds'] as number)),
        toEngineAlone: round(trained.trainSeconds / (engine['trainSeconds'] as number)),
        toRounds: round(trained.trainSeconds / roundsAlone),
        engineToRounds: ratios['ratioToRounds'] ?? 0,
        toLimit: round(trained.trainSeconds / TRAIN_LIMIT_SECONDS),
        memoryToLimit: round(trained.memoryMiB / MEMORY_LIMIT_MIB),
        relayedToDirect: round(relayed.trainSeconds / RELAYED_STEPS / (trained.trainSeconds / steps)),
        slowToRounds: round((slow.seconds * 1000) / (slow.rounds * slow.roundTripMs)),
      },
      broken: [
        ...(steps === STEPS ? beyond('joint-lr: seconds of training', trained.trainSeconds, TRAIN_LIMIT_SECONDS) : []),
        ...beyond('joint-lr: MiB of memory of a party', trained.memoryMiB, MEMORY_LIMIT_MIB),
        ...beyond(
          'joint-lr: time with added latency against rounds x latency',
          (slow.seconds * 1000) / (slow.rounds * slow.roundTripMs),
          1.1,
        ),
      ],
    };
  },
};

async function withWorld<T>(
  rows: number,
  links: { readonly latencyMs?: number; readonly direct?: boolean },
  work: (world: JointWorld<BankProcess>) => Promise<T>,
): Promise<T> {
  const file = (path: string): Promise<string> => readFile(new URL(`../samples/op/${path}`, import.meta.url), 'utf8');
  const lines: { close(): void }[] = [];
  const make: typeof asProcess = async (world, name, config) => {
    if (links.latencyMs === undefined) return asProcess(world, name, { ...config, link: { direct: links.direct ?? true } });
    const port = await freePort();
    const line = await openDelayLine(() => port, links.latencyMs / 2);
    lines.push(line);
    return asProcess(world, name, { ...config, link: { listen: { port }, advertise: `127.0.0.1:${line.port}` } });
  };
  const world = await createJointWorld(
    make,
    {},
    {
      code: await file('vertical_lr.mjs'),
      params: JSON.parse(await file('rtt_params.json')) as JsonObject,
      outputs: { '0': './outputs/rtt_log.txt', metrics: './outputs/metrics.json' },
      data: syntheticTables(rows),
    },
  );
  try {
    return await work(world);
  } finally {
    await world.close();
    for (const line of lines) line.close();
  }
}

async function train(world: JointWorld<BankProcess>, steps: number, rows: number): Promise<Trained> {
  const memory = watchOperatorMemory();
  const started = performance.now();
  const in_dim = COLUMNS[0] + COLUMNS[1];
  const result = await world.exec({ in_dim, out_dim: 1, lr: 0.01, batch_size: 256, split: Math.round(rows * 0.8), epoch: steps });
  const totalSeconds = (performance.now() - started) / 1000;
  const memoryMiB = memory.stop();
  const [lead] = result.shares;
  const failure = result.shares.find(({ run, problem }) => problem !== undefined || run?.state !== 'succeeded');
  if (failure !== undefined || lead?.run === undefined)
    throw new Error(`the joint job failed: ${failure?.problem?.message ?? failure?.run?.failure?.message ?? 'no run'}`);
  const output = await lead.party.client.output(lead.run.id, 'metrics.json');
  const metrics = (await output.json()) as Readonly<Record<'train_ms' | 'rounds' | 'wait_ms' | 'send_ms' | 'auc', number>>;
  const receipts = await receiptsOf(world, result);
  // One receipt a seat: that of the label tells the same as that of its features.
  const seats = new Map(receipts.map((receipt) => [jointOf(receipt).seat, jointOf(receipt)]));
  const bytes = [...seats.values()].flatMap(({ peers }) => peers.map(({ sent }) => sent?.bytes ?? 0));
  return {
    trainSeconds: metrics.train_ms / 1000,
    rounds: metrics.rounds,
    waitSeconds: metrics.wait_ms / 1000,
    sendSeconds: metrics.send_ms / 1000,
    auc: metrics.auc,
    wireMiB: bytes.reduce((sum, count) => sum + count, 0) / 2 ** 20,
    memoryMiB,
    totalSeconds,
  };
}

/** The same job with 20 ms more on every round trip. In a round both banks send at once, so it costs one way: about half of that. */
async function trainSlowly(): Promise<{ readonly seconds: number; readonly rounds: number; readonly roundTripMs: number }> {
  const [roundTripMs, trained] = await Promise.all([
    measureDelay(LATENCY_MS / 2),
    withWorld(SLOW_ROWS, { latencyMs: LATENCY_MS }, (world) => train(world, SLOW_STEPS, SLOW_ROWS)),
  ]);
  return { seconds: trained.trainSeconds, rounds: trained.rounds, roundTripMs };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

/** Columns with a label that depends on all of them, the same in every run: a linear congruential generator (Knuth, MMIX's little sister). */
function syntheticTables(rows: number): readonly [string, string, string] {
  let state = 1;
  const draw = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const header = (name: string, count: number): string => Array.from({ length: count }, (_, j) => `${name}${j}`).join();
  const tables: [string[], string[], string[]] = [[header('a', COLUMNS[0])], [header('b', COLUMNS[1])], ['label']];
  for (let row = 0; row < rows; row++) {
    let z = draw() * 2;
    const cells = Array.from({ length: COLUMNS[0] + COLUMNS[1] }, (_, j) => {
      const x = draw() * 1.7;
      z += x * Math.sin(j + 1) * 0.4;
      return x.toFixed(4);
    });
    tables[0].push(cells.slice(0, COLUMNS[0]).join());
    tables[1].push(cells.slice(COLUMNS[0]).join());
    tables[2].push(z > 0 ? '1' : '0');
  }
  return [`${tables[0].join('\n')}\n`, `${tables[1].join('\n')}\n`, `${tables[2].join('\n')}\n`];
}
