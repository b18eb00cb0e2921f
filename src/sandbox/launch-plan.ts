import { randomInt } from 'node:crypto';
import type { JobTree } from './job-tree.js';
import { BUILD, ENTER, GATE, INIT } from './launch-scripts.js';
import { filterLoader, type Machine } from './machine.js';
import { toolPath } from './machine-tools.js';
import type { SandboxLevel, SandboxLimits } from './sandbox.js';
import { seccompArch } from './seccomp-filter.js';

/** Inside, every job has this one id, and no other exists. */
const INSIDE_ID = 65_534;
const MIB = 1 << 20;

export interface RlimitInput {
  readonly limits: SandboxLimits;
  /** RLIMIT_NPROC counts per user namespace here; elsewhere it would count all processes of the daemon's user. */
  readonly countsTasks: boolean;
  /** No control group bounds the memory: a bound on what one process can ask for, above what the watchdog allows all of them. */
  readonly boundsData: boolean;
}

export interface LaunchInput extends RlimitInput {
  readonly machine: Machine;
  readonly tree: JobTree;
  /** As seen from inside. */
  readonly command: readonly string[];
  /** Descriptor of the child from which bubblewrap reads the filter. */
  readonly seccompFd: number;
}

/** argv of the program to start. All of it becomes one process by exec, which then waits for process 1 of the job, its only child. */
export function isolatedLaunch(level: Exclude<SandboxLevel, 'process'>, input: LaunchInput): readonly string[] {
  const { machine, tree } = input;
  const tool = (name: Parameters<typeof toolPath>[1]): string => toolPath(machine.tools, name);
  const id = String(machine.jobIds.first + randomInt(machine.jobIds.count));
  const dieWithDaemon = [tool('setpriv'), '--pdeathsig', 'KILL'];
  const build = [tool('sh'), '-c', BUILD, 'build', tree.stage, tree.scratch, tree.folders, tree.files, tree.build, tree.enter];
  const enter = level === 'namespaces' ? byUnshare(input) : byBubblewrap(input);
  const arch = level === 'namespaces' && machine.loadsFilter ? seccompArch() : undefined;
  const filter = arch === undefined ? [] : ['/usr/bin/perl', ...filterLoader(arch)];
  const start = ['/usr/bin/prlimit', ...rlimits(machine, input), '--', ...filter, '/usr/bin/sh', '-c', INIT, 'init', ...input.command];
  if (machine.root) {
    // Changing the id clears the death signal, so it is set again.
    const dropRoot = [...dieWithDaemon, '--reuid', id, '--regid', id, '--clear-groups', '--inh-caps=-all', '--'];
    return [...dieWithDaemon, '--', tool('unshare'), '--mount', '--', ...build, ...dropRoot, ...enter, ...start];
  }
  return [...dieWithDaemon, '--', tool('unshare'), '--user', '--map-root-user', '--mount', '--', ...build, ...enter, ...start];
}

/** Two user namespaces: the outer one owns the mounts and all other namespaces, the job lives in the inner one and has no say over them. */
function byUnshare({ machine, tree }: LaunchInput): readonly string[] {
  const tool = (name: Parameters<typeof toolPath>[1]): string => toolPath(machine.tools, name);
  const outer = '--user --map-root-user --mount --pid --ipc --uts --net --cgroup --fork --kill-child'.split(' ');
  const inner = ['--user', `--map-user=${INSIDE_ID}`, `--map-group=${INSIDE_ID}`, '--keep-caps'];
  const drop = '--bounding-set=-all --ambient-caps=-all --inh-caps=-all --no-new-privs'.split(' ');
  return [
    ...[tool('unshare'), ...outer, '--', tool('setsid'), tool('sh'), '-c', ENTER, 'enter', tree.stage],
    ...['/usr/bin/unshare', ...inner, '--', '/usr/bin/setpriv', ...drop, '--'],
  ];
}

function byBubblewrap({ machine, tree, seccompFd }: LaunchInput): readonly string[] {
  const spaces = '--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-net --unshare-cgroup'.split(' ');
  const masks = machine.procMasks.flatMap(({ name, folder }) => [
    '--ro-bind',
    `${tree.stage}/${folder ? 'void' : 'blank'}`,
    `/proc/${name}`,
  ]);
  return [
    ...[toolPath(machine.tools, 'bwrap'), ...spaces, ...(machine.disableUserns ? ['--disable-userns'] : [])],
    ...['--uid', String(INSIDE_ID), '--gid', String(INSIDE_ID), '--hostname', 'job', '--cap-drop', 'ALL'],
    ...['--die-with-parent', '--new-session', '--as-pid-1', '--seccomp', String(seccompFd)],
    // dev-bind keeps the flags that the tree was mounted with; a plain bind would make its device nodes useless.
    ...['--dev-bind', `${tree.stage}/root`, '/', '--proc', '/proc', ...masks, '--remount-ro', '/', '--chdir', '/job', '--'],
  ];
}

/** Level `process`: the command itself on the machine itself, bounded. */
export function processLaunch(machine: Machine, command: readonly string[], input: RlimitInput): readonly string[] {
  const tool = (name: Parameters<typeof toolPath>[1]): string => toolPath(machine.tools, name);
  const guard = [tool('setpriv'), '--pdeathsig', 'KILL', '--no-new-privs', '--', tool('prlimit'), ...rlimits(machine, input), '--'];
  return [...guard, tool('sh'), '-c', GATE, 'gate', ...command];
}

function rlimits(machine: Machine, { limits, countsTasks, boundsData }: RlimitInput): readonly string[] {
  const cpu = Math.ceil(limits.cpuSeconds);
  const rows: readonly (readonly [string, string, number, number])[] = [
    ['core', 'Max core file size', 0, 0],
    // Per process and by whole ticks: behind the watchdog, which counts the job exactly.
    ['cpu', 'Max cpu time', cpu + 1, cpu + 3],
    ['fsize', 'Max file size', limits.diskBytes, limits.diskBytes],
    ['nofile', 'Max open files', 1024, 1024],
    ['memlock', 'Max locked memory', 64 * 1024, 64 * 1024],
    ['msgqueue', 'Max msgqueue size', 0, 0],
    // One for process 1, and one too many, by which the watchdog knows that the job wanted more than it may have.
    ...(countsTasks ? [['nproc', 'Max processes', limits.processes + 2, limits.processes + 2] as const] : []),
    ...(boundsData ? [['data', 'Max data size', limits.memoryBytes + 512 * MIB, limits.memoryBytes + 512 * MIB] as const] : []),
  ];
  return rows.map(([flag, name, soft, hard]) => {
    const most = machine.hardLimits.get(name) ?? Number.POSITIVE_INFINITY;
    return `--${flag}=${Math.min(soft, most)}:${Math.min(hard, most)}`;
  });
}
