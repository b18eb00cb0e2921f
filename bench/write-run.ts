import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { BenchResult, Figures } from './bench.js';

const page = new URL('../docs/BENCHMARKS.md', import.meta.url);
const START = '<!-- run -->\n';
const END = '<!-- end of run -->\n';

/** Puts the figures of a run into docs/BENCHMARKS.md, in place of those of the run before. Gas has its own table there. */
export async function writeRun(results: ReadonlyMap<string, BenchResult>): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${page.pathname} has no place for a run, between ${START.trim()} and ${END.trim()}`);
  const sections = [...results].filter(([name]) => name !== 'gas').map(([name, result]) => section(name, result));
  const machine = `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.version}`;
  const load = loadavg()[1]?.toFixed(1);
  const run = [`Run of ${machine}; load average over the last 5 minutes ${load}.`, ...sections].join('\n\n');
  await writeFile(page, `${text.slice(0, start + START.length)}\n${run}\n\n${text.slice(end)}`);
}

function section(name: string, { figures, ratios }: BenchResult): string {
  const rows = [...flatten(figures), ...flatten(ratios).map(([key, value]) => [`**${key}**`, value] as const)];
  return [`### ${name}`, '', '| figure | value |', '| --- | ---: |', ...rows.map(([key, value]) => `| ${key} | ${value} |`)].join('\n');
}

function flatten(figures: Figures, above = ''): readonly (readonly [string, string])[] {
  return Object.entries(figures).flatMap(([key, value]) => {
    if (Array.isArray(value)) return [];
    if (typeof value === 'object') return flatten(value, `${above}${key} `);
    return [
      [
        `${above}${key}`,
        typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value),
      ] as const,
    ];
  });
}
