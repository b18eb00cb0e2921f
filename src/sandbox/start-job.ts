import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createJobCgroup, type JobCgroup } from './cgroup.js';
import { type Evidence, gatherEvidence } from './evidence.js';
import { type BindMount, jobTree } from './job-tree.js';
import { FIRST_CHANNEL, type LaunchedJob, launchJob } from './launch-job.js';
import { isolatedLaunch, processLaunch } from './launch-plan.js';
import { type Layer, type MissingLayer, unmetRows } from './layers.js';
import { type DiskUsage, scratchUsage } from './limit-watch.js';
import type { Machine } from './machine.js';
import { readTree } from './process-table.js';
import type { SandboxLevel, SandboxLimits } from './sandbox.js';
import { type SeccompArch, seccompArchs, seccompFilter } from './seccomp-filter.js';

export interface StartOrder {
  readonly level: SandboxLevel;
  readonly machine: Machine;
  readonly folder: string;
  /** On top of what every job sees. */
  readonly binds: readonly BindMount[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly channels: readonly number[];
  /** Whether RLIMIT_NPROC counts the processes of one job only. */
  readonly countsTasks: boolean;
}

/** Set up, measured, in its control groups, and holding still until `launched.go()`. */
export interface StartedJob {
  readonly launched: LaunchedJob;
  readonly cgroup: JobCgroup;
  readonly layers: readonly Layer[];
  readonly rootPid: number | undefined;
  disk(): Promise<DiskUsage>;
  /** Asks every process of the job to end. */
  terminate(): void;
  /** Ends every process of the job at once. */
  killAll(): Promise<void>;
  /** After the end: releases handles, groups and scratch space. */
  cleanUp(): Promise<void>;
}

/** A layer that the level needs did not hold, so the operator was not started. */
export class MissingLayers extends Error {
  constructor(
    readonly missing: readonly MissingLayer[],
    readonly held: readonly Layer[],
  ) {
    super(missing.map(({ layer, reason }) => `${layer} (${reason})`).join('; '));
  }
}

const SETUP_TIMEOUT_MS = 20_000;
export const DEFAULT_FILES = 10_000;
/** What shells add to any environment; process 1 takes it out again. */
const shellVariables = ['PATH', 'PWD', 'OLDPWD', 'SHLVL', '_'];

/** @throws MissingLayers, LaunchError */
export async function startJob(order: StartOrder): Promise<StartedJob> {
  const { level, machine, limits } = order;
  const isolated = level !== 'process';
  // The scratch space is memory to the kernel: the group bounds both together, the watchdog tells them apart.
  const memoryBytes = limits.memoryBytes + (isolated ? limits.diskBytes : 0);
  const cgroup = await createJobCgroup(machine.cgroups, { memoryBytes, tasks: limits.processes + 1 });
  let launched: LaunchedJob | undefined;
  try {
    launched = await launchJob(await launchOrder(order, cgroup));
    const evidence = await gatherEvidence(
      launched.pid,
      [...Object.keys(order.environment), ...shellVariables],
      FIRST_CHANNEL + order.channels.length,
    );
    const layers = allLayers(order, cgroup, evidence);
    const unmet = unmetRows(level, layers);
    if (unmet.length > 0) throw new MissingLayers(missingOf(unmet, machine, evidence), layers);
    await cgroup.add(launched.pid);
    return isolated ? isolatedJob(launched, cgroup, layers) : processJob(launched, cgroup, layers, order);
  } catch (error) {
    if (launched !== undefined) {
      launched.child.kill('SIGKILL');
      await launched.closed;
      await launched.close();
    }
    await cgroup.remove();
    throw error;
  }
}

async function launchOrder(order: StartOrder, cgroup: JobCgroup): Promise<Parameters<typeof launchJob>[0]> {
  const { level, machine, limits, channels, command } = order;
  const bounds = { limits, countsTasks: order.countsTasks, boundsData: !cgroup.layers.includes('memory-cgroup') };
  const common = {
    env: { ...order.environment, PATH: machine.tools.searchPath },
    channels,
    inherited: machine.inherited,
    setupTimeoutMs: SETUP_TIMEOUT_MS,
  };
  if (level === 'process') {
    await mkdir(join(order.folder, 'scratch'), { mode: 0o700 });
    const argv = processLaunch(machine, command, { ...bounds, countsTasks: false });
    return { ...common, argv, cwd: order.folder, isolated: false, seccomp: undefined };
  }
  const tree = jobTree({
    binds: [...machine.systemBinds, ...order.binds],
    links: machine.links,
    diskBytes: limits.diskBytes,
    files: limits.files ?? DEFAULT_FILES,
    mountinfo: await readFile('/proc/self/mountinfo', 'utf8'),
  });
  const argv = isolatedLaunch(level, { ...bounds, machine, tree, command, seccompFd: FIRST_CHANNEL + channels.length });
  const filtered = level === 'bubblewrap' && seccompArchs.includes(process.arch);
  return { ...common, argv, cwd: '/', isolated: true, seccomp: filtered ? seccompFilter(process.arch as SeccompArch) : undefined };
}

function allLayers(order: StartOrder, cgroup: JobCgroup, evidence: Evidence): readonly Layer[] {
  const isolated = order.level !== 'process';
  return [
    ...evidence.held,
    ...cgroup.layers,
    'memory-watchdog',
    'cpu-watchdog',
    ...(isolated && order.countsTasks ? (['pids-rlimit'] as const) : []),
    ...(isolated ? [] : (['disk-watchdog'] as const)),
  ];
}

function missingOf(unmet: readonly (readonly Layer[])[], machine: Machine, evidence: Evidence): readonly MissingLayer[] {
  const known = [...evidence.missing, ...machine.cgroups.missing];
  return unmet.map(
    ([layer]) => known.find((entry) => entry.layer === layer) ?? { layer: layer ?? 'filesystem', reason: 'it did not hold' },
  );
}

function isolatedJob(launched: LaunchedJob, cgroup: JobCgroup, layers: readonly Layer[]): StartedJob {
  return {
    launched,
    cgroup,
    layers,
    rootPid: undefined,
    disk: async () => scratchUsage(`/proc/self/fd/${launched.outputs?.fd}`),
    terminate: () => launched.kill('SIGTERM'),
    killAll: async () => launched.kill('SIGKILL'),
    cleanUp: async () => {
      await launched.close();
      await cgroup.remove();
    },
  };
}

/** Nothing keeps the processes of this level together: those that left the group and the tree are found only with a control group. */
function processJob(launched: LaunchedJob, cgroup: JobCgroup, layers: readonly Layer[], order: StartOrder): StartedJob {
  const scratch = join(order.folder, 'scratch');
  const killAll = async (): Promise<void> => {
    const tree = await readTree('/proc', launched.pid).catch(() => []);
    signalAll([-launched.pid, ...tree.map((row) => row.pid)], 'SIGKILL');
    for (let pids = await cgroup.pids(); pids.length > 0; pids = await cgroup.pids()) {
      signalAll(pids, 'SIGKILL');
      await delay(10); // the kernel takes a moment to reap; the group has no other way of telling
    }
  };
  launched.child.once('exit', () => {
    void killAll().finally(() => {
      // A stray that holds the streams open must not hold the daemon.
      setTimeout(() => {
        for (const stream of launched.child.stdio) stream?.destroy();
      }, 1000).unref();
    });
  });
  return {
    launched,
    cgroup,
    layers,
    rootPid: launched.pid,
    disk: async () => folderUsage([join(order.folder, 'outputs'), scratch], order.limits),
    terminate: () => signalAll([-launched.pid], 'SIGTERM'),
    killAll,
    cleanUp: async () => {
      await killAll();
      await launched.close();
      await cgroup.remove();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

function signalAll(pids: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended
    }
  }
}

async function folderUsage(folders: readonly string[], limits: SandboxLimits): Promise<DiskUsage> {
  let bytes = 0;
  let files = 0;
  const visit = async (path: string): Promise<void> => {
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined) return;
    bytes += stats.blocks * 512;
    files += 1;
    if (stats.isDirectory()) for (const name of await readdir(path).catch(() => [])) await visit(join(path, name));
  };
  for (const folder of folders) await visit(folder);
  return { bytes, full: bytes > limits.diskBytes || files > (limits.files ?? DEFAULT_FILES) + folders.length };
}
