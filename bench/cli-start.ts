import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWorld } from '../tests/support/world.js';
import { type Bench, beyond, round } from './bench.js';
import { median, medianRatio } from './statistics.js';
import { childrenCpuMs, timeNode } from './timed-process.js';

const LIMIT = 4;
const program = fileURLToPath(new URL('../bin/run.js', import.meta.url));

/** Under the limit: what only starts up, and a command that reads a folder of this machine. */
const limited = { version: ['--version'], help: ['--help'], jobExecHelp: ['job', 'exec', '--help'], keyList: ['key', 'list'] };
/** Asks a real chain for all its events, which is work of its own. */
const working = { jobList: ['job', 'list', '--json'] };

export const cliStart: Bench = {
  name: 'cli-start',
  about: 'whole processes of dt against `node -e 0`, in turns',
  async run({ rounds = 25 }) {
    const world = await createWorld();
    try {
      const env = { HOME: world.folder, DT_RPC: world.chain.url, DT_ADDRESS_BOOK: join(world.folder, 'address-book.json') };
      const commands = Object.entries({ ...limited, ...working });
      const programs = new Map<string, string[]>([['node', ['-e', '0']]]);
      for (const [name, words] of commands) programs.set(name, [program, ...words]);
      const times = new Map([...programs.keys()].map((name) => [name, { wall: [] as number[], cpuMs: 0 }]));
      // The first round fills the file cache and is not counted.
      for (let turn = 0; turn <= rounds; turn++)
        for (const [name, args] of programs) {
          const cpuBefore = childrenCpuMs();
          const ms = await timeNode(args, { env });
          const time = times.get(name);
          if (turn === 0 || time === undefined) continue;
          time.wall.push(ms);
          time.cpuMs += (childrenCpuMs() ?? Number.NaN) - (cpuBefore ?? Number.NaN);
        }
      const node = times.get('node') ?? { wall: [], cpuMs: Number.NaN };
      const names = commands.map(([name]) => name);
      const ratios = Object.fromEntries(names.map((name) => [`${name}VsNode`, round(medianRatio(times.get(name)?.wall ?? [], node.wall))]));
      const cpu = names.map((name) => [`${name}VsNode`, round((times.get(name)?.cpuMs ?? Number.NaN) / node.cpuMs)] as const);
      return {
        figures: { rounds, medianMs: Object.fromEntries([...times].map(([name, { wall }]) => [name, round(median(wall))])) },
        // Processor time tells the same when other programs keep the machine busy. Where the kernel does not count it there is none.
        ratios: { ...ratios, limit: LIMIT, ...(Number.isFinite(node.cpuMs) && { processorTime: Object.fromEntries(cpu) }) },
        broken: Object.keys(limited).flatMap((name) =>
          beyond(`dt ${name} against node -e 0`, ratios[`${name}VsNode`] ?? Number.NaN, LIMIT),
        ),
      };
    } finally {
      await world.close();
    }
  },
};
