import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Bench, Figures } from './bench.js';

/** A bench that is a program of its own, bench/<name>.ts, and prints one object with --json: what is called ratio there is a ratio here. */
export function programBench(name: string, about: string): Bench {
  return {
    name,
    about,
    async run({ rest = [] }) {
      const tsx = createRequire(import.meta.url).resolve('tsx');
      const args = ['--import', tsx, fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), ...rest, '--json'];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`bench/${name}.ts ended with ${code}`);
      const entries = Object.entries(JSON.parse(text) as Figures);
      const isRatio = (key: string): boolean => key.startsWith('ratio');
      return {
        figures: Object.fromEntries(entries.filter(([key]) => !isRatio(key))),
        ratios: Object.fromEntries(entries.filter(([key]) => isRatio(key))),
        broken: [],
      };
    },
  };
}
