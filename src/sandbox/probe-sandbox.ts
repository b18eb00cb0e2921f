import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jobBinds } from './job-folder.js';
import { type Layer, layersOfLevel, type MissingLayer, unmetRows } from './layers.js';
import { inspectMachine, type Machine } from './machine.js';
import { toolPath } from './machine-tools.js';
import { findRuntime, type InstalledRuntime, jobEnvironment, type RuntimePaths } from './runtimes.js';
import type { Runtime, SandboxLevel, SandboxLimits } from './sandbox.js';
import { sandboxLevels } from './sandbox.js';
import { seccompArch } from './seccomp-filter.js';
import { MissingLayers, startJob } from './start-job.js';

export interface LevelProbe {
  readonly level: SandboxLevel;
  /** Every layer that the level needs held in a run that was really made. */
  readonly available: boolean;
  readonly layers: readonly Layer[];
  /** Layers that do not hold at this level, those that it does not need included. */
  readonly missing: readonly MissingLayer[];
}

export interface RuntimeProbe {
  readonly installed: InstalledRuntime | undefined;
  /** Why there is none. */
  readonly reason: string | undefined;
}

/** What this machine can give; made once at the start of a daemon, and shown by it. */
export interface SandboxProbe {
  readonly levels: Readonly<Record<SandboxLevel, LevelProbe>>;
  /** `process` is never it. undefined: this machine isolates nothing. */
  readonly strongest: Exclude<SandboxLevel, 'process'> | undefined;
  readonly runtimes: Readonly<Record<Runtime, RuntimeProbe>>;
  readonly machine: Machine;
  readonly countsTasks: boolean;
}

export interface ProbeOptions {
  /** Folders in which the programs of util-linux and bubblewrap are looked for, instead of the system's own. */
  readonly toolFolders?: readonly string[];
  /** Interpreters to use instead of the ones that are found. */
  readonly runtimes?: RuntimePaths;
}

const TRIAL: SandboxLimits = {
  wallMs: 20_000,
  cpuSeconds: 20,
  memoryBytes: 1 << 29,
  processes: 40,
  diskBytes: 1 << 20,
  logBytes: 1 << 16,
};

/** Tries every level by a tiny run of it and reads from the kernel what held. */
export async function probeSandbox(options: ProbeOptions = {}): Promise<SandboxProbe> {
  const machine = await inspectMachine(options.toolFolders);
  const folder = await trialFolder();
  try {
    const countsTasks = machine.tools.missing.length === 0 && (await tasksAreCountedApart(machine, folder));
    const levels: [SandboxLevel, LevelProbe][] = [];
    for (const level of sandboxLevels) levels.push([level, await probeLevel(level, machine, folder, countsTasks)]);
    const byName = Object.fromEntries(levels) as Record<SandboxLevel, LevelProbe>;
    const strongest = (['bubblewrap', 'namespaces'] as const).find((level) => byName[level].available);
    const at: SandboxLevel = strongest ?? 'process';
    const trial = { machine, folder, countsTasks, level: at };
    const node = await probeRuntime('node', options.runtimes?.node, trial);
    const python3 = await probeRuntime('python3', options.runtimes?.python3, trial);
    return { levels: byName, strongest, runtimes: { node, python3 }, machine, countsTasks };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Trial {
  readonly machine: Machine;
  readonly folder: string;
  readonly countsTasks: boolean;
  readonly level: SandboxLevel;
}

async function trialFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'dt-sandbox-probe-')));
  for (const part of ['inputs', 'operator', 'outputs']) await mkdir(join(folder, part), { mode: 0o755 });
  await writeFile(join(folder, 'args.json'), '{}', { mode: 0o444 });
  return folder;
}

/** Runs a command at a level; resolves with the layers that held and how it ended. @throws MissingLayers, LaunchError */
async function tryRun(
  trial: Trial,
  command: readonly string[],
  binds: InstalledRuntime['binds'] = [],
  limits = TRIAL,
): Promise<{ readonly layers: readonly Layer[]; readonly code: number | null; readonly said: string }> {
  const started = await startJob({
    ...trial,
    limits,
    binds: [...binds, ...jobBinds(trial.folder, false)],
    command,
    environment: jobEnvironment('python3', '/tmp', 0, 0),
    channels: 0,
    sockets: [],
  });
  try {
    let said = '';
    started.launched.onOutput((_, chunk) => {
      said = (said + chunk.toString('utf8')).slice(0, 2000);
    });
    const timer = setTimeout(() => void started.killAll(), TRIAL.wallMs);
    started.launched.go();
    const { code } = await started.launched.closed;
    clearTimeout(timer);
    return { layers: started.layers, code, said };
  } finally {
    await started.cleanUp();
  }
}

async function probeLevel(level: SandboxLevel, machine: Machine, folder: string, countsTasks: boolean): Promise<LevelProbe> {
  const absent = (problems: readonly MissingLayer[], layers: readonly Layer[] = []): LevelProbe => ({
    level,
    available: false,
    layers,
    missing: problems,
  });
  if (process.platform !== 'linux') return absent([{ layer: 'filesystem', reason: `jobs run on Linux only, this is ${process.platform}` }]);
  if (machine.tools.missing.length > 0) {
    const reason = `${machine.tools.missing.join(', ')} is not installed (packages util-linux, mount, hostname, coreutils)`;
    return absent([{ layer: level === 'process' ? 'rlimits' : 'filesystem', reason }]);
  }
  if (level === 'bubblewrap') {
    if (!machine.tools.paths.has('bwrap')) return absent([{ layer: 'seccomp', reason: 'bwrap is not installed (package bubblewrap)' }]);
    if (seccompArch() === undefined) return absent([{ layer: 'seccomp', reason: `there is no filter for ${process.arch} processors` }]);
  }
  try {
    const { layers, code, said } = await tryRun({ machine, folder, countsTasks, level }, ['/bin/sh', '-c', ':']);
    if (code !== 0) return absent([{ layer: 'filesystem', reason: `a trial run ended with ${code}: ${said.trim()}` }]);
    const unmet = unmetRows(level, layers);
    return { level, available: unmet.length === 0, layers, missing: notHeld(level, layers, machine) };
  } catch (error) {
    if (error instanceof MissingLayers) return absent(error.missing, error.held);
    return absent(await diagnose(machine, error instanceof Error ? error.message : String(error)));
  } finally {
    await rm(join(folder, 'scratch'), { recursive: true, force: true });
  }
}

/** What a stronger machine or level would add; alternatives that a level does not need count too. */
function notHeld(level: SandboxLevel, held: readonly Layer[], machine: Machine): readonly MissingLayer[] {
  const missing = machine.cgroups.missing.filter(({ layer }) => !held.includes(layer));
  if (level === 'bubblewrap') return missing;
  const reason =
    level === 'process'
      ? 'level process isolates nothing; use namespaces or bubblewrap'
      : 'perl, which loads the filter at level namespaces, is missing or cannot; bubblewrap does it too';
  const more = layersOfLevel.bubblewrap.filter((row) => !row.some((layer) => held.includes(layer)));
  return [...missing, ...more.map(([layer]) => ({ layer: layer ?? 'seccomp', reason }))];
}

const run = promisify(execFile);
const spaces: readonly (readonly [Layer, string])[] = [
  ['filesystem', '--mount'],
  ['pid', '--pid'],
  ['ipc', '--ipc'],
  ['uts', '--uts'],
  ['network', '--net'],
  ['cgroup-namespace', '--cgroup'],
];

/** After a failed run: each kind of namespace by itself, and the settings of the kernel that forbid them. */
async function diagnose(machine: Machine, complaint: string): Promise<readonly MissingLayer[]> {
  const unshare = toolPath(machine.tools, 'unshare');
  const attempt = (flags: readonly string[]): Promise<string | undefined> =>
    run(unshare, [...flags, '--fork', '--', toolPath(machine.tools, 'sh'), '-c', ':'], { env: {}, timeout: TRIAL.wallMs }).then(
      () => undefined,
      (error: { readonly stderr?: string; readonly message: string }) => (error.stderr ?? '').trim() || error.message,
    );
  const setting = await forbiddingSetting();
  if (setting !== undefined) return [{ layer: 'user', reason: setting }];
  const user = await attempt(['--user', '--map-root-user']);
  if (user !== undefined)
    return [{ layer: 'user', reason: `user namespaces are refused, as the seccomp profile of a container does: ${user}` }];
  const missing: MissingLayer[] = [];
  for (const [layer, flag] of spaces) {
    const problem = await attempt(['--user', '--map-root-user', flag]);
    if (problem !== undefined) missing.push({ layer, reason: `unshare ${flag} is refused: ${problem}` });
  }
  return missing.length > 0 ? missing : [{ layer: 'filesystem', reason: complaint }];
}

async function forbiddingSetting(): Promise<string | undefined> {
  for (const [name, off] of [
    ['kernel.unprivileged_userns_clone', '0'],
    ['user.max_user_namespaces', '0'],
    ['kernel.apparmor_restrict_unprivileged_userns', '1'],
  ] as const) {
    const value = await readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').catch(() => undefined);
    if (value?.trim() === off) return `unprivileged user namespaces are disabled: sysctl ${name} is ${off}`;
  }
  return undefined;
}

/**
 * Linux before 5.14 counts RLIMIT_NPROC over all processes of a user on the machine, and a job would find its number used up by others:
 * the threads of this program alone are more than the trial allows.
 */
async function tasksAreCountedApart(machine: Machine, folder: string): Promise<boolean> {
  const trial = { machine, folder, countsTasks: true, level: 'namespaces' } as const;
  try {
    const { code, said } = await tryRun(trial, ['/bin/sh', '-c', '/bin/sh -c : & wait; echo counted'], [], { ...TRIAL, processes: 4 });
    return code === 0 && said.trim() === 'counted';
  } catch {
    return false;
  }
}

async function probeRuntime(runtime: Runtime, configured: string | undefined, trial: Trial): Promise<RuntimeProbe> {
  try {
    const installed = await findRuntime(runtime, configured, trial.machine.systemBinds);
    const { code, said } = await tryRun(trial, [installed.path, '--version'], installed.binds);
    if (code !== 0) throw new Error(`${installed.path} does not start inside of the sandbox: ${said.trim()}`);
    return { installed, reason: undefined };
  } catch (error) {
    return { installed: undefined, reason: error instanceof Error ? error.message : String(error) };
  }
}
