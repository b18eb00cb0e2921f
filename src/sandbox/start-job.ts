import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createJobCgroup, type JobCgroup } from './cgroup.js';
import { type Evidence, gatherEvidence } from './evidence.js';
import { type BindMount, jobTree } from './job-tree.js';
import { FIRST_CHANNEL, type LaunchedJob, type LaunchOrder, launchJob } from './launch-job.js';
import { isolatedLaunch, processLaunch } from './launch-plan.js';
import { type Layer, type MissingLayer, unmetRows } from './layers.js';
import { scratchUsage } from './limit-watch.js';
import type { Machine } from './machine.js';
import { processJob } from './process-job.js';
import type { SandboxLevel, SandboxLimits } from './sandbox.js';
import { seccompArch, seccompFilter } from './seccomp-filter.js';
import { DEFAULT_FILES, type StartedJob } from './started-job.js';

export interface StartOrder {
  readonly level: SandboxLevel;
  readonly machine: Machine;
  readonly folder: string;
  /** On top of what every job sees. */
  readonly binds: readonly BindMount[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly channels: number;
  readonly sockets: readonly number[];
  /** Whether RLIMIT_NPROC counts the processes of one job only. */
  readonly countsTasks: boolean;
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
/** What shells add to any environment; process 1 takes it out again. */
const shellVariables = ['PATH', 'PWD', 'OLDPWD', 'SHLVL', '_'];

/** @throws MissingLayers, LaunchError */
export async function startJob(order: StartOrder): Promise<StartedJob> {
  const { level, machine, limits } = order;
  const isolated = level !== 'process';
  // The scratch space is memory to the kernel: the group bounds both together, the watchdog tells them apart.
  const memoryBytes = limits.memoryBytes + (isolated ? limits.diskBytes : 0);
  const [groups, launch] = await Promise.allSettled([
    createJobCgroup(machine.cgroups, { memoryBytes, tasks: limits.processes + 1 }),
    launchOrder(order).then(launchJob),
  ]);
  const cgroup = groups.status === 'fulfilled' ? groups.value : undefined;
  const launched = launch.status === 'fulfilled' ? launch.value : undefined;
  try {
    if (groups.status === 'rejected') throw groups.reason;
    if (launch.status === 'rejected') throw launch.reason;
    if (cgroup === undefined || launched === undefined) throw new RangeError('unreachable');
    const evidence = await gatherEvidence(
      launched.pid,
      [...Object.keys(order.environment), ...shellVariables],
      FIRST_CHANNEL + order.channels + order.sockets.length,
    );
    const layers = allLayers(order, cgroup, evidence);
    const unmet = unmetRows(level, layers);
    if (unmet.length > 0) throw new MissingLayers(missingOf(unmet, machine, evidence), layers);
    await cgroup.add(launched.pid);
    return isolated ? isolatedJob(launched, cgroup, layers) : processJob(launched, cgroup, layers, order.folder, limits);
  } catch (error) {
    if (launched !== undefined) {
      for (const channel of launched.channels) channel.destroy();
      launched.child.kill('SIGKILL');
      await launched.closed;
      await launched.close();
    }
    await cgroup?.remove();
    throw error;
  }
}

async function launchOrder(order: StartOrder): Promise<LaunchOrder> {
  const { level, machine, limits, channels, sockets, command } = order;
  const bounds = { limits, countsTasks: order.countsTasks, boundsData: !machine.cgroups.places.has('memory') };
  const common = {
    env: { ...order.environment, PATH: machine.tools.searchPath },
    channels,
    sockets,
    inherited: machine.inherited,
    setupTimeoutMs: SETUP_TIMEOUT_MS,
  };
  if (level === 'process') {
    await rm(join(order.folder, 'scratch'), { recursive: true, force: true }); // of a run that a killed daemon did not end
    await mkdir(join(order.folder, 'scratch'), { mode: 0o700 });
    const argv = processLaunch(machine, command, { ...bounds, countsTasks: false });
    return { ...common, argv, cwd: order.folder, isolated: false, seccomp: undefined };
  }
  const tree = jobTree({
    binds: [...machine.systemBinds, ...order.binds],
    diskBytes: limits.diskBytes,
    files: limits.files ?? DEFAULT_FILES,
    mountinfo: await readFile('/proc/self/mountinfo', 'utf8'),
  });
  const argv = isolatedLaunch(level, { ...bounds, machine, tree, command, seccompFd: FIRST_CHANNEL + channels + sockets.length });
  const arch = level === 'bubblewrap' ? seccompArch() : undefined;
  return { ...common, argv, cwd: '/', isolated: true, seccomp: arch && seccompFilter(arch) };
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
