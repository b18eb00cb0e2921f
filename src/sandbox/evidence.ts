import { readdir, readFile, readlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { unescaped, writableTargets } from './job-tree.js';
import type { Layer, MissingLayer } from './layers.js';

export interface Evidence {
  readonly held: readonly Layer[];
  readonly missing: readonly MissingLayer[];
}

const namespaces: readonly (readonly [Layer, string])[] = [
  ['pid', 'pid'],
  ['ipc', 'ipc'],
  ['uts', 'uts'],
  ['cgroup-namespace', 'cgroup'],
  ['user', 'user'],
];

/**
 * What the kernel says about process 1 of a job, read from outside before the operator starts: the operator is born with just that.
 * @param environment names of the variables that were meant to be there
 * @param descriptors how many descriptors were meant to be there, from 0 on
 */
export async function gatherEvidence(pid: number, environment: readonly string[], descriptors: number): Promise<Evidence> {
  const folder = `/proc/${pid}`;
  const [status, mountinfo, limits, environ, devices] = await Promise.all(
    ['status', 'mountinfo', 'limits', 'environ', 'net/dev'].map((name) => readFile(`${folder}/${name}`, 'utf8')),
  );
  const held: Layer[] = [];
  const missing: MissingLayer[] = [];
  const judge = (layer: Layer, problem: string | undefined): void => {
    if (problem === undefined) held.push(layer);
    else missing.push({ layer, reason: problem });
  };

  for (const [layer, name] of namespaces) judge(layer, await sharedNamespace(folder, name));
  judge('network', (await sharedNamespace(folder, 'net')) ?? extraDevices(devices ?? ''));
  judge('filesystem', (await sharedNamespace(folder, 'mnt')) ?? mountProblem(mountinfo ?? ''));
  judge('disk-tmpfs', scratchProblem(mountinfo ?? ''));

  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status ?? '')?.[1]?.trim() ?? '';
  const capable = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].filter((name) => /[^0]/.test(field(name)) || field(name) === '');
  judge('capabilities', capable.length === 0 ? undefined : `the process keeps capabilities (${capable.join(', ')})`);
  judge('no-new-privileges', field('NoNewPrivs') === '1' ? undefined : 'the process can still gain privileges by starting a program');
  judge('seccomp', field('Seccomp') === '2' ? undefined : 'no filter of system calls is loaded');
  const uids = field('Uid').split(/\s+/);
  judge(
    'unprivileged-uid',
    uids.length === 4 && !uids.includes('0')
      ? undefined
      : 'outside of its namespace the process is root; run the daemon as an ordinary user',
  );

  judge('rlimits', /^Max core file size\s+0\s+0\s/m.test(limits ?? '') ? undefined : 'prlimit did not bound the process');
  const names = (environ ?? '').split('\0').filter(Boolean);
  const extra = names.map((entry) => entry.split('=')[0] ?? '').filter((name) => !environment.includes(name));
  judge('environment', extra.length === 0 ? undefined : `variables of the daemon reach the process: ${extra.join(', ')}`);
  judge('descriptors', await openDescriptors(folder, descriptors));
  return { held, missing };
}

async function openDescriptors(folder: string, expected: number): Promise<string | undefined> {
  const numbers = (await readdir(`${folder}/fd`)).map(Number).filter((number) => number >= expected);
  const links = await Promise.all(numbers.map((number) => readlink(`${folder}/fd/${number}`)));
  const open = links.filter((link) => link !== '/dev/null');
  return open.length === 0 ? undefined : `files of the daemon are open in the process: ${open.join(', ')}`;
}

async function sharedNamespace(folder: string, name: string): Promise<string | undefined> {
  const [theirs, ours] = await Promise.all([readlink(`${folder}/ns/${name}`), readlink(`/proc/self/ns/${name}`)]);
  return theirs === ours ? `the process shares the ${name} namespace of the daemon` : undefined;
}

const extraDevices = (text: string): string | undefined => {
  const names = text
    .split('\n')
    .filter((row) => row.includes(':'))
    .map((row) => row.slice(0, row.indexOf(':')).trim())
    // Devices that a kernel puts into every namespace, down and without an address.
    .filter((name) => name !== 'lo' && !/^(sit|tunl|ip6tnl|gre|gretap|erspan|ip_vti|ip6_vti|ip6gre)\d+$/.test(name));
  return names.length === 0 ? undefined : `network devices are visible: ${names.join(', ')}`;
};

interface Mount {
  readonly target: string;
  readonly flags: readonly string[];
  readonly type: string;
}

const mountsOf = (mountinfo: string): readonly Mount[] =>
  mountinfo
    .split('\n')
    .filter(Boolean)
    .map((row) => {
      const [head = '', tail = ''] = row.split(' - ');
      const fields = head.split(' ');
      return { target: unescaped(fields[4] ?? ''), flags: (fields[5] ?? '').split(','), type: tail.split(' ')[0] ?? '' };
    });

/** Nothing but the scratch space may be written to, and what is mounted on top of a path counts, not what lies below. */
function mountProblem(mountinfo: string): string | undefined {
  const top = new Map(mountsOf(mountinfo).map((mount) => [mount.target, mount]));
  if (top.get('/')?.type !== 'tmpfs') return 'the process sees the root of the machine';
  for (const { target, flags, type } of top.values()) {
    const proc = type === 'proc' && target === '/proc';
    if (!flags.includes('ro') && !proc && !writableTargets.includes(target)) return `${target} can be written to`;
    if (!flags.includes('nosuid')) return `${target} is mounted without nosuid`;
    const device = posix.dirname(target) === '/dev' && flags.includes('noexec');
    if (!flags.includes('nodev') && !device) return `${target} is mounted without nodev`;
  }
  return undefined;
}

function scratchProblem(mountinfo: string): string | undefined {
  const top = new Map(mountsOf(mountinfo).map((mount) => [mount.target, mount]));
  const bare = writableTargets.find((target) => top.get(target)?.type !== 'tmpfs');
  return bare === undefined ? undefined : `${bare} is not in the size-limited scratch space`;
}
