import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxProbe } from '../../../../src/sandbox/probe-sandbox.js';
import type { Runtime, Sandbox, SandboxExit, SandboxLevel, SandboxLimits, SandboxRun } from '../../../../src/sandbox/sandbox.js';

const MIB = 1 << 20;
export const roomyLimits: SandboxLimits = {
  wallMs: 60_000,
  cpuSeconds: 60,
  memoryBytes: 512 * MIB,
  processes: 64,
  diskBytes: 64 * MIB,
  logBytes: MIB,
};

export interface Job {
  readonly folder: string;
  readonly operatorFile: string;
  readonly runtime: Runtime;
}

export interface Finished {
  readonly exit: SandboxExit;
  readonly folder: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Job folders of one test file, all removed at its end. */
export class JobShelf {
  readonly #folders: string[] = [];

  /** @param mode of the parent folder; 0700 is what a daemon uses, and a job that runs under another id must get through it */
  async stage(runtime: Runtime, code: string, inputs: Readonly<Record<string, string>> = {}): Promise<Job> {
    const parent = await realpath(await mkdtemp(join(tmpdir(), 'dt-sandbox-test-')));
    await chmod(parent, 0o700);
    this.#folders.push(parent);
    const folder = join(parent, 'job');
    for (const part of ['inputs', 'operator', 'outputs', 'logs']) await mkdir(join(folder, part), { recursive: true, mode: 0o700 });
    const operatorFile = `op-${randomUUID()}.${runtime === 'node' ? 'mjs' : 'py'}`;
    await writeFile(join(folder, 'operator', operatorFile), code, { mode: 0o400 });
    await writeFile(join(folder, 'args.json'), JSON.stringify({ greeting: 'hello' }), { mode: 0o400 });
    await writeFile(join(folder, 'logs', 'earlier.log'), 'a log of the daemon', { mode: 0o600 });
    for (const [name, text] of Object.entries(inputs)) await writeFile(join(folder, 'inputs', name), text, { mode: 0o400 });
    return { folder, operatorFile, runtime };
  }

  async run(
    sandbox: Sandbox,
    job: Job,
    limits: Partial<SandboxLimits> = {},
    more: Partial<Pick<SandboxRun, 'signal' | 'endsAtOnce' | 'channels' | 'onChannels' | 'sockets' | 'onLog'>> = {},
  ): Promise<Finished> {
    const said = { stdout: '', stderr: '' };
    const exit = await sandbox.run({
      ...job,
      limits: { ...roomyLimits, ...limits },
      signal: new AbortController().signal,
      ...more,
      onLog: (stream, text) => {
        said[stream] += `${text}\n`;
        more.onLog?.(stream, text);
      },
    });
    return { exit, folder: job.folder, ...said };
  }

  async runCode(sandbox: Sandbox, runtime: Runtime, code: string, limits: Partial<SandboxLimits> = {}): Promise<Finished> {
    return this.run(sandbox, await this.stage(runtime, code), limits);
  }

  async clear(): Promise<void> {
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
  }
}

/** Processes of this machine whose command line holds a text, such as the name of an operator file. */
export async function processesWith(text: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(text) && Number(name) !== process.pid) found.push(Number(name));
  }
  return found;
}

/** Resolves with what is left when none is, or at the latest after ten seconds. */
export async function untilGone(text: string): Promise<readonly number[]> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await processesWith(text)).length === 0) return [];
    await delay(50);
  }
  return processesWith(text);
}

/** The isolating levels, and those among them that this machine cannot give, said loudly. */
export function isolatingLevels(probe: SandboxProbe): readonly { readonly level: SandboxLevel; readonly available: boolean }[] {
  return (['namespaces', 'bubblewrap'] as const).map((level) => {
    const { available, missing } = probe.levels[level];
    if (!available) console.warn(`\n!!! NOT TESTED: sandbox level ${level}. ${missing.map((entry) => entry.reason).join('; ')}\n`);
    return { level, available };
  });
}
