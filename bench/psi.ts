import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../src/documents/canonical.js';
import { seededRandom } from '../src/privacy/random-source.js';
import { asProcess } from '../tests/support/joint-world.js';
import { createTwoBankWorld, type TwoBankWorld } from '../tests/support/two-bank-world.js';
import type { BankProcess } from '../tests/support/world.js';
import { type Bench, beyond, type Figures, round } from './bench.js';
import { watchOperatorMemory } from './operator-memory.js';

const SIZES = [14, 16, 18, 20] as const;
const ROUNDS = 3;
const LIMITS = { seconds: 3, wireMiB: 115, rssMiB: 600, unequalSeconds: 2, tenMillionRssMiB: 4096 };
const TEN_MILLION = 10_000_000;
/** An id is 16 characters: 12 random bytes in base 64. */
const ID_BYTES = 12;

interface Measured {
  readonly seconds: number;
  readonly wireMiB: number;
  readonly rssMiB: number;
  readonly jobSeconds: number;
  /** Milliseconds of each phase, at the side that receives the tags and at the one that sends them. */
  readonly split: Figures;
}

interface Report {
  readonly size: number;
  readonly seconds: number;
  readonly protocol: string;
  readonly bytes_sent: number;
  readonly phases_ms: Readonly<Record<string, number>>;
}

export const psi: Bench = {
  name: 'psi',
  about:
    'private set intersection of two banks over their daemons, from files of 16-character ids, half in common, against ECDH and the limits',
  async run({ rounds = ROUNDS }) {
    const read = (path: string): Promise<string> => readFile(new URL(`../samples/op/${path}`, import.meta.url), 'utf8');
    const world = await createTwoBankWorld(asProcess, await read('psi.mjs'), JSON.parse(await read('psi_params.json')) as JsonObject);
    try {
      const equal = new Map<number, Measured>();
      for (const size of SIZES) equal.set(size, await measure(world, [2 ** size, 2 ** size], 'kkrt', rounds));
      const unequal = await measure(world, [2 ** 10, 2 ** 20], 'auto', rounds);
      const ecdh = await measure(world, [2 ** 14, 2 ** 14], 'ecdh', 1);
      const tenMillion = await measure(world, [TEN_MILLION, TEN_MILLION], 'auto', 1);
      return resultOf(equal, unequal, ecdh, tenMillion);
    } finally {
      await world.close();
    }
  },
};

function resultOf(equal: ReadonlyMap<number, Measured>, unequal: Measured, ecdh: Measured, tenMillion: Measured) {
  const of = (size: number): Measured => equal.get(size) as Measured;
  const figures: Record<string, Figures[string]> = {};
  const all = [...[...equal].map(([size, one]) => [`2e${size}`, one] as const), ['2e10x2e20', unequal], ['1e7', tenMillion]] as const;
  for (const [name, measured] of all) {
    figures[`seconds_${name}`] = round(measured.seconds);
    figures[`wireMiB_${name}`] = round(measured.wireMiB);
    figures[`rssMiB_${name}`] = round(measured.rssMiB);
  }
  const largest = of(20);
  /** Time for an id against that at a quarter of the size: 1 is linear. */
  const growth = Object.fromEntries(
    SIZES.slice(1).map((size, i) => {
      const before = SIZES[i] as number;
      return [`perId_2e${size}_to_2e${before}`, round(of(size).seconds / of(before).seconds / 2 ** (size - before))];
    }),
  );
  return {
    figures: { ...figures, ecdhSeconds_2e14: round(ecdh.seconds), jobSeconds_2e20: round(largest.jobSeconds), split_2e20: largest.split },
    ratios: {
      ecdhToKkrt_2e14: round(ecdh.seconds / of(14).seconds),
      secondsToLimit: round(largest.seconds / LIMITS.seconds),
      wireToLimit: round(largest.wireMiB / LIMITS.wireMiB),
      rssToLimit: round(largest.rssMiB / LIMITS.rssMiB),
      unequalToLimit: round(unequal.seconds / LIMITS.unequalSeconds),
      rss1e7ToLimit: round(tenMillion.rssMiB / LIMITS.tenMillionRssMiB),
      perId_1e7_to_2e20: round(tenMillion.seconds / TEN_MILLION / (largest.seconds / 2 ** 20)),
      ...growth,
    },
    broken: [
      ...beyond('seconds for 2^20 x 2^20', largest.seconds, LIMITS.seconds),
      ...beyond('MiB on the wire for 2^20 x 2^20', largest.wireMiB, LIMITS.wireMiB),
      ...beyond('MiB of memory of a party for 2^20 x 2^20', largest.rssMiB, LIMITS.rssMiB),
      ...beyond('MiB of memory of a party for 10 million ids each', tenMillion.rssMiB, LIMITS.tenMillionRssMiB),
      ...beyond('seconds for 2^10 x 2^20', unequal.seconds, LIMITS.unequalSeconds),
    ],
  };
}

/** The run of middle time of `rounds`. */
async function measure(
  world: TwoBankWorld<BankProcess>,
  counts: readonly [number, number],
  protocol: 'auto' | 'kkrt' | 'ecdh',
  rounds: number,
): Promise<Measured> {
  const tokens = await world.mint(`${counts.join('x')}-${protocol}`, filesOf(counts));
  const runs: Measured[] = [];
  for (let i = 0; i < rounds; i++) runs.push(await join(world, tokens, counts, protocol));
  return runs.sort((one, other) => one.seconds - other.seconds)[rounds >> 1] as Measured;
}

async function join(
  world: TwoBankWorld<BankProcess>,
  tokens: Parameters<typeof world.exec>[0],
  counts: readonly [number, number],
  protocol: string,
): Promise<Measured> {
  const modelArgs = {
    columns: 'id',
    normalize: 'none',
    result: 'both',
    to: null,
    duplicates: 'refuse',
    min_intersection: 0,
    pad_to: null,
    protocol,
  };
  const memory = watchOperatorMemory();
  const started = performance.now();
  const { shares } = await world.exec(tokens, modelArgs, { metrics: './outputs/metrics.json' });
  const jobSeconds = (performance.now() - started) / 1000;
  const rssMiB = memory.stop();
  const reports = await Promise.all(
    shares.map(async ({ party, run, problem }): Promise<Report> => {
      if (run?.state !== 'succeeded') throw new Error(`the join failed: ${problem?.message ?? run?.failure?.message ?? 'no run'}`);
      return (await (await party.client.output(run.id, 'metrics.json')).json()) as Report;
    }),
  );
  for (const { size } of reports) if (size !== commonOf(counts)) throw new Error(`${size} ids in common, not ${commonOf(counts)}`);
  return {
    seconds: Math.max(...reports.map(({ seconds }) => seconds)),
    wireMiB: reports.reduce((sum, { bytes_sent: bytes }) => sum + bytes, 0) / 2 ** 20,
    rssMiB,
    jobSeconds,
    split: { receiverMs: reports[0]?.phases_ms ?? {}, senderMs: reports[1]?.phases_ms ?? {} },
  };
}

const commonOf = (counts: readonly [number, number]): number => Math.min(...counts) / 2;

/** Bank A has the first ids of one sequence, bank B those that start so that half of the smaller set is common. */
function filesOf(counts: readonly [number, number]): [string, string] {
  const text = (first: number, count: number): string => {
    const random = seededRandom(new Uint8Array(16));
    for (let skip = first; skip > 0; skip -= 65_536) random.bytes(ID_BYTES * Math.min(65_536, skip));
    const lines = ['id'];
    for (let left = count; left > 0; left -= 65_536) {
      const ids = Buffer.from(random.bytes(ID_BYTES * Math.min(65_536, left))).toString('base64');
      for (let at = 0; at < ids.length; at += 16) lines.push(ids.slice(at, at + 16));
    }
    return `${lines.join('\n')}\n`;
  };
  return [text(0, counts[0]), text(counts[0] - commonOf(counts), counts[1])];
}
