import type { SandboxLevel } from './sandbox.js';

/** What stands between an operator and the machine. A report names a layer only after evidence for it was read from that very run. */
export const layerNames = [
  'filesystem',
  'network',
  'pid',
  'ipc',
  'uts',
  'cgroup-namespace',
  'user',
  'capabilities',
  'no-new-privileges',
  'unprivileged-uid',
  'environment',
  'descriptors',
  'seccomp',
  'rlimits',
  'memory-cgroup',
  'memory-watchdog',
  'pids-cgroup',
  'pids-rlimit',
  'cpu-cgroup',
  'cpu-watchdog',
  'disk-tmpfs',
  'disk-watchdog',
] as const;
export type Layer = (typeof layerNames)[number];

export interface MissingLayer {
  readonly layer: Layer;
  /** For the owner of the machine: what to install or to switch on. */
  readonly reason: string;
}

const everywhere: readonly (readonly Layer[])[] = [
  ['environment'],
  ['rlimits'],
  ['no-new-privileges'],
  ['memory-cgroup', 'memory-watchdog'],
];

const isolated: readonly (readonly Layer[])[] = [
  ...everywhere,
  ['filesystem'],
  ['network'],
  ['pid'],
  ['ipc'],
  ['uts'],
  ['cgroup-namespace'],
  ['user'],
  ['capabilities'],
  ['unprivileged-uid'],
  ['pids-cgroup', 'pids-rlimit'],
  ['cpu-cgroup', 'cpu-watchdog'],
  ['disk-tmpfs'],
];

/** Each row is met by any one of its layers; a level with a row that is not met is not given. */
export const layersOfLevel: Readonly<Record<SandboxLevel, readonly (readonly Layer[])[]>> = {
  process: [...everywhere, ['disk-watchdog']],
  namespaces: isolated,
  bubblewrap: [...isolated, ['seccomp']],
};

/** The rows of a level that the layers do not meet, each as its alternatives. */
export function unmetRows(level: SandboxLevel, held: readonly Layer[]): readonly (readonly Layer[])[] {
  return layersOfLevel[level].filter((row) => !row.some((layer) => held.includes(layer)));
}
