// `npm run bench -- NAME [--json] [--rounds N] [--write]`: one bench, or `all`; without a name, the list. --write puts the figures into
// docs/BENCHMARKS.md. Exits with 1 when a promise was not kept.
import { admission } from './admission.js';
import type { Bench, BenchResult } from './bench.js';
import { cliStart } from './cli-start.js';
import { gas } from './gas.js';
import { jobOverhead } from './job-overhead.js';
import { jointLr } from './joint-lr.js';
import { page } from './page.js';
import { programBench } from './program-bench.js';
import { psi } from './psi.js';
import { queueKill } from './queue-kill.js';
import { renderResult } from './render-result.js';
import { revoke } from './revoke.js';
import { traceIndex } from './trace-index.js';
import { writeRun } from './write-run.js';

const benches: readonly Bench[] = [
  cliStart,
  admission,
  jobOverhead,
  queueKill,
  revoke,
  gas,
  jointLr,
  programBench('joint-lr-engine', 'joint logistic regression of two banks and a dealer against its plaintext twin'),
  traceIndex,
  page,
  psi,
  programBench('psi-engine', 'private set intersection of two parties, by size, against the ECDH protocol'),
];

async function main(words: readonly string[]): Promise<number> {
  const json = words.includes('--json');
  const [name, ...rest] = words.filter((word) => word !== '--json' && word !== '--write');
  const chosen = name === 'all' ? benches : benches.filter((bench) => bench.name === name);
  if (name === undefined || chosen.length === 0) {
    if (name !== undefined) console.error(`There is no bench ${name}.`);
    const list = [...benches, { name: 'all', about: 'all of them, one after the other' }];
    for (const bench of list) console.log(`${bench.name.padEnd(18)}${bench.about}`);
    return name === undefined ? 0 : 2;
  }
  const at = rest.indexOf('--rounds');
  const rounds = at < 0 ? undefined : Number(rest[at + 1]);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a whole number above 0');
  const results = new Map<string, BenchResult>();
  for (const bench of chosen) {
    const result = await bench.run({ ...(rounds !== undefined && { rounds }), ...(name !== 'all' && { rest }) });
    results.set(bench.name, result);
    if (!json) console.log(renderResult(bench, result));
    for (const sentence of result.broken) console.error(`✗ ${bench.name}: ${sentence}`);
  }
  if (words.includes('--write')) await writeRun(results);
  if (json) console.log(JSON.stringify({ name, ...merged(name, results) }));
  return [...results.values()].every(({ broken }) => broken.length === 0) ? 0 : 1;
}

function merged(name: string, results: ReadonlyMap<string, BenchResult>): Pick<BenchResult, 'figures' | 'ratios'> {
  const only = name === 'all' ? undefined : results.get(name);
  if (only !== undefined) return { figures: only.figures, ratios: only.ratios };
  const part = (key: 'figures' | 'ratios') => Object.fromEntries([...results].map(([bench, result]) => [bench, result[key]]));
  return { figures: part('figures'), ratios: part('ratios') };
}

process.exitCode = await main(process.argv.slice(2));
