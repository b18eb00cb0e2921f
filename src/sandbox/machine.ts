import { execFile } from 'node:child_process';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type CgroupHome, findCgroups } from './cgroup.js';
import type { BindMount } from './job-tree.js';
import { LOAD_FILTER } from './launch-scripts.js';
import { findTools, type MachineTools, systemFolders, toolPath } from './machine-tools.js';
import { type SeccompArch, seccompArch, seccompFilter } from './seccomp-filter.js';

/** What was found out once about this machine; plain data, shared by all runs. */
export interface Machine {
  readonly tools: MachineTools;
  /** The daemon is root and may make mounts: jobs then get a user id of their own that owns nothing. */
  readonly root: boolean;
  readonly jobIds: { readonly first: number; readonly count: number };
  readonly cgroups: CgroupHome;
  /** Libraries, devices and the few programs of the setup stage that stay visible. */
  readonly systemBinds: readonly BindMount[];
  /** World-readable parts of /proc that describe the machine, as far as this kernel has them. */
  readonly procMasks: readonly { readonly name: string; readonly folder: boolean }[];
  /** Perl can load the filter of system calls at level `namespaces`: on this processor and with this kernel. */
  readonly loadsFilter: boolean;
  /** bubblewrap from 0.8 on. */
  readonly disableUserns: boolean;
  /** Hard limits of the daemon by their names in /proc/self/limits: no job can be given more. */
  readonly hardLimits: ReadonlyMap<string, number>;
  /** Descriptors above 2 that whoever started the daemon left open: programs that the daemon starts would get them. */
  readonly inherited: readonly number[];
}

const run = promisify(execFile);

export async function inspectMachine(toolFolders: readonly string[] = systemFolders): Promise<Machine> {
  const tools = await findTools(toolFolders);
  const [root, jobIds, cgroups, systemBinds, procMasks, hardLimits, inherited, loadsFilter] = await Promise.all([
    mayMount(tools),
    freeIds(),
    findCgroups(),
    systemTree(tools),
    masksOfProc(),
    ownHardLimits(),
    inheritedDescriptors(),
    tryFilter(tools),
  ]);
  const help = tools.paths.has('bwrap') ? await run(toolPath(tools, 'bwrap'), ['--help']).catch(() => ({ stdout: '' })) : { stdout: '' };
  return {
    tools,
    root,
    jobIds,
    cgroups,
    systemBinds,
    procMasks,
    loadsFilter,
    disableUserns: help.stdout.includes('--disable-userns'),
    hardLimits,
    inherited,
  };
}

async function mayMount(tools: MachineTools): Promise<boolean> {
  if (process.geteuid?.() !== 0 || tools.missing.length > 0) return false;
  return run(toolPath(tools, 'unshare'), ['--mount', '--', toolPath(tools, 'sh'), '-c', ':'], { env: {} }).then(
    () => true,
    () => false,
  );
}

/** Arguments of perl that load the filter and go on with a program. */
export const filterLoader = (arch: SeccompArch): readonly string[] => [
  ...['-e', LOAD_FILTER, '--', arch === 'x64' ? '157' : '167'],
  seccompFilter(arch).toString('hex'),
];

async function tryFilter(tools: MachineTools): Promise<boolean> {
  const arch = seccompArch();
  if (arch === undefined || !tools.paths.has('perl') || tools.missing.length > 0) return false;
  const load = [toolPath(tools, 'perl'), ...filterLoader(arch), toolPath(tools, 'sh'), '-c', ':'];
  return run(toolPath(tools, 'setpriv'), ['--no-new-privs', '--', ...load], { env: {} }).then(
    () => true,
    () => false,
  );
}

/** Far above the ids of people, services and containers; where a container of the daemon maps fewer, the highest that it has. */
async function freeIds(): Promise<{ readonly first: number; readonly count: number }> {
  const wanted = { first: 1_900_000_000, count: 1 << 24 };
  const map = await readFile('/proc/self/uid_map', 'utf8').catch(() => '');
  const ranges = map
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/).map(Number));
  if (ranges.some(([first = 0, , count = 0]) => first <= wanted.first && wanted.first + wanted.count <= first + count)) return wanted;
  const last = Math.max(...ranges.map(([first = 0, , count = 0]) => first + count - 1), 1);
  return { first: Math.min(last, 65_533), count: 1 };
}

/** Libraries at both of their places: some systems keep /lib apart, most have a link to /usr/lib there. */
async function systemTree(tools: MachineTools): Promise<readonly BindMount[]> {
  const binds: BindMount[] = [];
  for (const path of ['lib', 'lib32', 'lib64', 'libx32'].flatMap((name) => [`/usr/${name}`, `/${name}`])) {
    const source = await realpath(path).catch(() => undefined);
    if (source !== undefined) binds.push({ source, target: path, kind: 'folder', executable: true });
  }
  for (const [path, kind] of [
    ['/usr/share/zoneinfo', 'folder'],
    ['/etc/alternatives', 'folder'], // numeric libraries are chosen through it
    ['/etc/ld.so.cache', 'file'],
  ] as const) {
    const source = await realpath(path).catch(() => undefined);
    if (source !== undefined) binds.push({ source, target: path, kind, executable: false });
  }
  for (const name of ['null', 'zero', 'full', 'random', 'urandom']) {
    binds.push({ source: `/dev/${name}`, target: `/dev/${name}`, kind: 'device', executable: false });
  }
  for (const name of ['sh', 'prlimit', 'setpriv', 'unshare', 'perl'] as const) {
    const path = tools.paths.get(name);
    if (path !== undefined) binds.push({ source: await realpath(path), target: `/usr/bin/${name}`, kind: 'file', executable: true });
  }
  return binds;
}

const tellsOfTheHost = new Set(
  'acpi asound bus cmdline config.gz driver fs interrupts irq kallsyms kcore key-users keys kmsg latency_stats locks modules'
    .split(' ')
    .concat('pressure sched_debug schedstat scsi swaps sys sysrq-trigger timer_list tty version'.split(' ')),
);

async function masksOfProc(): Promise<Machine['procMasks']> {
  const entries = await readdir('/proc', { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => tellsOfTheHost.has(entry.name) && !entry.isSymbolicLink())
    .map((entry) => ({ name: entry.name, folder: entry.isDirectory() }));
}

async function ownHardLimits(): Promise<ReadonlyMap<string, number>> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  return new Map(
    [...text.matchAll(/^(Max [a-z ]+?)\s{2,}\S+\s+(\S+)/gm)].map(([, name = '', hard = '']) => [
      name,
      hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard),
    ]),
  );
}

/** Whatever Node opens closes itself when another program starts; what lacks that flag came from outside. */
async function inheritedDescriptors(): Promise<readonly number[]> {
  const closesOnExec = 0o2000000;
  const found: number[] = [];
  for (const name of await readdir('/proc/self/fdinfo').catch(() => [])) {
    const text = await readFile(`/proc/self/fdinfo/${name}`, 'utf8').catch(() => undefined); // closed meanwhile
    const flags = /^flags:\s*([0-7]+)$/m.exec(text ?? '')?.[1];
    if (Number(name) > 2 && flags !== undefined && (Number.parseInt(flags, 8) & closesOnExec) === 0) found.push(Number(name));
  }
  return found;
}
