import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { unescaped } from './job-tree.js';
import type { Layer, MissingLayer } from './layers.js';
import { startTime } from './process-table.js';

type Resource = 'memory' | 'pids' | 'cpu';
const resources: readonly Resource[] = ['memory', 'pids', 'cpu'];
export const cgroupLayers: Readonly<Record<Resource, Layer>> = { memory: 'memory-cgroup', pids: 'pids-cgroup', cpu: 'cpu-cgroup' };
/** What a controller is called in version 1. In version 2 every group counts its CPU time without one. */
const versionOne: Readonly<Record<Resource, string>> = { memory: 'memory', pids: 'pids', cpu: 'cpuacct' };

interface Place {
  readonly version: 1 | 2;
  readonly folder: string;
}

/** The control groups of this process, below which groups of jobs are made, so that whatever bounds the daemon bounds its jobs too. */
export interface CgroupHome {
  readonly places: ReadonlyMap<Resource, Place>;
  readonly missing: readonly MissingLayer[];
}

export interface CgroupLimits {
  readonly memoryBytes: number;
  readonly tasks: number;
}

export interface CgroupUsage {
  readonly memoryBytes?: number;
  readonly sharedMemoryBytes?: number;
  readonly peakMemoryBytes?: number;
  readonly oomKills?: number;
  readonly refusedForks?: number;
  readonly cpuMs?: number;
}

export interface JobCgroup {
  readonly layers: readonly Layer[];
  /** Moves a process in; what it starts afterwards is born inside. */
  add(pid: number): Promise<void>;
  pids(): Promise<readonly number[]>;
  /** From now on nothing inside can start a process; for killing all of them without racing against new ones. */
  forbidForks(): Promise<void>;
  usage(): Promise<CgroupUsage>;
  remove(): Promise<void>;
}

const PREFIX = 'dt-job-';

/** Looks for writable groups by making one of each kind, and removes what a killed daemon left behind. */
export async function findCgroups(): Promise<CgroupHome> {
  const places = new Map<Resource, Place>();
  const missing: MissingLayer[] = [];
  for (const resource of resources) {
    try {
      const place = await placeOf(resource);
      await sweep(place.folder);
      const trial = join(place.folder, await freshName());
      await mkdir(trial);
      try {
        await limit(resource, { version: place.version, folder: trial }, { memoryBytes: 1 << 30, tasks: 64 });
      } finally {
        await rmdir(trial);
      }
      places.set(resource, place);
    } catch (error) {
      missing.push({ layer: cgroupLayers[resource], reason: reasonOf(resource, error) });
    }
  }
  return { places, missing };
}

const reasonOf = (resource: Resource, error: unknown): string => {
  const { code, path, message } = error as NodeJS.ErrnoException;
  const why = code === undefined || path === undefined ? message : `${code} in ${dirname(path)}`;
  return `no ${resource} control group can be made below the daemon's own, which needs root or a delegated group (systemd: Delegate=yes): ${why}`;
};

async function placeOf(resource: Resource): Promise<Place> {
  const [mounts, own] = await Promise.all([readFile('/proc/self/mountinfo', 'utf8'), readFile('/proc/self/cgroup', 'utf8')]);
  const rows = mounts.split('\n').map((row) => {
    const [head = '', tail = ''] = row.split(' - ');
    const fields = head.split(' ');
    const [type, , superOptions = ''] = tail.split(' ');
    return { root: unescaped(fields[3] ?? ''), target: unescaped(fields[4] ?? ''), type, controllers: superOptions.split(',') };
  });
  const groups = own.split('\n').map((row) => {
    const [, controllers = '', ...path] = row.split(':');
    return { controllers: controllers.split(','), path: path.join(':') };
  });
  const old = rows.find((row) => row.type === 'cgroup' && row.controllers.includes(versionOne[resource]));
  if (old !== undefined) {
    const group = groups.find((entry) => entry.controllers.includes(versionOne[resource]));
    return { version: 1, folder: below(old, group?.path ?? '/') };
  }
  const unified = rows.find((row) => row.type === 'cgroup2');
  if (unified === undefined) throw new Error('no cgroup file system is mounted');
  const group = groups.find((entry) => entry.controllers.join('') === '');
  const folder = below(unified, group?.path ?? '/');
  if (resource !== 'cpu') await delegate(folder, resource);
  return { version: 2, folder };
}

const below = (mount: { readonly root: string; readonly target: string }, path: string): string =>
  join(mount.target, mount.root !== '/' && path.startsWith(mount.root) ? path.slice(mount.root.length) : path);

/**
 * Version 2: a group gives controllers to its children only while it holds no process itself. A daemon that is alone in its group, as a
 * systemd service with Delegate=yes is, moves into a child of it; any other is left where it is, and the layer is missing.
 */
async function delegate(folder: string, controller: string): Promise<void> {
  const words = async (file: string): Promise<readonly string[]> => (await readFile(join(folder, file), 'utf8')).trim().split(/\s+/);
  if ((await words('cgroup.subtree_control')).includes(controller)) return;
  if (!(await words('cgroup.controllers')).includes(controller)) throw new Error(`controller ${controller} is not in ${folder}`);
  const members = await words('cgroup.procs');
  if (members.join() === String(process.pid)) {
    const leaf = join(folder, 'dt-daemon');
    await mkdir(leaf, { recursive: true });
    await writeFile(join(leaf, 'cgroup.procs'), String(process.pid));
  } else if (members.join() !== '') throw new Error(`${folder} holds other processes too`);
  await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`);
}

/** A name tells whose it is: a pid alone could by now be another program's, so the start time of the process goes with it. */
async function freshName(): Promise<string> {
  return `${PREFIX}${process.pid}-${await startTime(process.pid)}-${randomBytes(8).toString('hex')}`;
}

async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid, started] = /^dt-job-(\d+)-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || (await startTime(Number(pid)).catch(() => undefined)) === Number(started)) continue;
    await rmdir(join(folder, name)).catch(() => undefined);
  }
}

async function limit(resource: Resource, { version, folder }: Place, limits: CgroupLimits): Promise<void> {
  const set = (file: string, value: number | string): Promise<void> => writeFile(join(folder, file), String(value));
  if (resource === 'pids') await set('pids.max', limits.tasks);
  if (resource !== 'memory') return;
  if (version === 1) {
    await set('memory.limit_in_bytes', limits.memoryBytes);
    // Absent where the kernel does not count swap.
    await set('memory.memsw.limit_in_bytes', limits.memoryBytes).catch(ignoreAbsent);
    return;
  }
  await set('memory.max', limits.memoryBytes);
  await set('memory.swap.max', 0).catch(ignoreAbsent);
  await set('memory.oom.group', 1).catch(ignoreAbsent);
}

const isGone = (error: unknown): boolean => ['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '');

const ignoreAbsent = (error: unknown): void => {
  if (!isGone(error)) throw error;
};

/** One group per hierarchy for one job. Whatever cannot be made although the machine gave it before is an error, never left out. */
export async function createJobCgroup(home: CgroupHome, limits: CgroupLimits): Promise<JobCgroup> {
  const name = await freshName();
  const groups = new Map<Resource, Place>();
  for (const [resource, place] of home.places) groups.set(resource, { version: place.version, folder: join(place.folder, name) });
  const folders = [...new Set([...groups.values()].map((place) => place.folder))];
  const remove = async (): Promise<void> => {
    await Promise.all(folders.map(removeGroup));
  };
  try {
    await Promise.all(folders.map((folder) => mkdir(folder)));
    await Promise.all([...groups].map(([resource, place]) => limit(resource, place, limits)));
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    layers: [...groups.keys()].map((resource) => cgroupLayers[resource]),
    add: async (pid) => {
      await Promise.all(folders.map((folder) => writeFile(join(folder, 'cgroup.procs'), String(pid))));
    },
    pids: async () => {
      const [folder] = folders;
      if (folder === undefined) return [];
      const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(emptyWhenRemoved);
      return text.split('\n').filter(Boolean).map(Number);
    },
    forbidForks: async () => {
      const pids = groups.get('pids');
      if (pids !== undefined) await writeFile(join(pids.folder, 'pids.max'), '0').catch(ignoreAbsent);
    },
    usage: () => usageOf(groups),
    remove,
  };
}

const emptyWhenRemoved = (error: unknown): string => {
  if (isGone(error)) return '';
  throw error;
};

/** The kernel lets go of a group some moments after its last process: the only waiting that the file system offers is to ask again. */
async function removeGroup(folder: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY') throw error;
      await delay(10);
    }
  }
}

async function usageOf(groups: ReadonlyMap<Resource, Place>): Promise<CgroupUsage> {
  const memory = groups.get('memory');
  const pids = groups.get('pids');
  const cpu = groups.get('cpu');
  const [ofMemory, ofPids, ofCpu] = await Promise.all([
    memory === undefined ? {} : memoryUsage(memory),
    pids === undefined ? {} : keyed(join(pids.folder, 'pids.events')).then((events) => ({ refusedForks: events.get('max') ?? 0 })),
    cpu === undefined ? {} : cpuUsage(cpu),
  ]);
  return { ...ofMemory, ...ofPids, ...ofCpu };
}

async function memoryUsage({ version, folder }: Place): Promise<CgroupUsage> {
  const [stat, events, peak] = await Promise.all([
    keyed(join(folder, 'memory.stat')),
    keyed(join(folder, version === 1 ? 'memory.oom_control' : 'memory.events')),
    readFile(join(folder, version === 1 ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8').catch(() => undefined),
  ]);
  return {
    memoryBytes: stat.get(version === 1 ? 'total_rss' : 'anon') ?? 0,
    sharedMemoryBytes: stat.get(version === 1 ? 'total_shmem' : 'shmem') ?? 0,
    oomKills: events.get('oom_kill') ?? 0,
    ...(peak !== undefined && { peakMemoryBytes: Number(peak) }),
  };
}

async function cpuUsage({ version, folder }: Place): Promise<CgroupUsage> {
  if (version === 1) return { cpuMs: Number(await readFile(join(folder, 'cpuacct.usage'), 'utf8')) / 1e6 };
  return { cpuMs: ((await keyed(join(folder, 'cpu.stat'))).get('usage_usec') ?? 0) / 1e3 };
}

async function keyed(path: string): Promise<ReadonlyMap<string, number>> {
  const rows = (await readFile(path, 'utf8')).trim().split('\n');
  return new Map(rows.map((row): [string, number] => [row.slice(0, row.indexOf(' ')), Number(row.slice(row.indexOf(' ') + 1))]));
}
