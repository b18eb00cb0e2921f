import { statfs } from 'node:fs/promises';
import type { CgroupUsage, JobCgroup } from './cgroup.js';
import { treeUsage } from './process-table.js';
import type { SandboxExit, SandboxLimits } from './sandbox.js';

export type LimitName = NonNullable<SandboxExit['limitHit']>;

export interface WatchInput {
  readonly limits: SandboxLimits;
  readonly cgroup: JobCgroup;
  readonly procFolder: string;
  /** At level `process` the root of the tree; otherwise all that procFolder shows. */
  readonly rootPid: number | undefined;
  readonly disk: () => Promise<DiskUsage>;
  readonly onLimit: (limit: LimitName) => void;
  /** It cannot be measured any more, so nothing holds what only the watchdog bounds. */
  readonly onBlind: (error: unknown) => void;
}

export interface DiskUsage {
  readonly bytes: number;
  readonly full: boolean;
}

export interface Peaks {
  readonly cpuMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly refusedForks: number;
  readonly oomKills: number;
  readonly diskFull: boolean;
}

/**
 * How often a running job is measured. What the kernel itself bounds (control groups, tmpfs, rlimits) holds in between; what only this
 * watchdog bounds can be overrun by as much as a job does in one interval.
 */
const INTERVAL_MS = 50;

/** Reading fails for a moment when the job ends while it is read; not time after time. */
const BLIND_AFTER = 4;

/** Measures a job at a bounded interval and calls `onLimit` once, with the first limit that it went over. */
export class LimitWatch {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #reported = false;
  #failures = 0;
  #peaks: Peaks = { cpuMs: undefined, memoryBytes: undefined, refusedForks: 0, oomKills: 0, diskFull: false };

  constructor(private readonly input: WatchInput) {}

  start(): void {
    this.#timer = setTimeout(() => void this.#tick(), INTERVAL_MS);
  }

  /** A last look, which finds what control groups and the scratch space still tell after the job has ended. */
  async finish(): Promise<Peaks> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#measure(true).catch(() => undefined);
    return this.#peaks;
  }

  async #tick(): Promise<void> {
    let limit: LimitName | undefined;
    try {
      limit = await this.#measure(false);
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === BLIND_AFTER && !this.#stopped) this.input.onBlind(error);
    }
    if (this.#stopped) return;
    if (limit !== undefined && !this.#reported) {
      this.#reported = true;
      this.input.onLimit(limit);
    }
    this.start();
  }

  async #measure(ended: boolean): Promise<LimitName | undefined> {
    const { limits, cgroup, procFolder, rootPid } = this.input;
    const [usage, disk] = await Promise.all([cgroup.usage(), this.input.disk()]);
    const needsTree = usage.memoryBytes === undefined || usage.cpuMs === undefined || usage.refusedForks === undefined;
    const tree = needsTree && !ended ? await treeUsage(procFolder, limits.memoryBytes, rootPid) : undefined;
    const memory = processMemory(usage, rootPid === undefined ? disk.bytes : 0) ?? tree?.memoryBytes;
    const cpuMs = usage.cpuMs ?? tree?.cpuMs;
    this.#peaks = {
      cpuMs: greater(this.#peaks.cpuMs, cpuMs),
      memoryBytes: greater(this.#peaks.memoryBytes, usage.peakMemoryBytes ?? memory),
      refusedForks: usage.refusedForks ?? 0,
      oomKills: usage.oomKills ?? 0,
      diskFull: disk.full,
    };
    if ((usage.oomKills ?? 0) > 0 || (memory ?? 0) > limits.memoryBytes) return 'memory';
    // Process 1 is not the operator's. A control group counts what it refused; an rlimit does not, and leaves room for one too many.
    const tasks = (tree?.tasks ?? 0) - (rootPid === undefined ? 1 : 0);
    if ((usage.refusedForks ?? 0) > 0 || (usage.refusedForks === undefined && tasks > limits.processes)) return 'processes';
    if ((cpuMs ?? 0) > limits.cpuSeconds * 1000) return 'cpu';
    return disk.full ? 'disk' : undefined;
  }
}

/** Files in the scratch tmpfs are memory to the kernel, but are the disk's here. Other shared memory is memory. */
function processMemory({ memoryBytes, sharedMemoryBytes = 0 }: CgroupUsage, scratchBytes: number): number | undefined {
  return memoryBytes === undefined ? undefined : memoryBytes + Math.max(0, sharedMemoryBytes - scratchBytes);
}

const greater = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);

/** Of the file system that an open folder lies in. */
export async function scratchUsage(folder: string): Promise<DiskUsage> {
  const { bsize, blocks, bfree, files, ffree } = await statfs(folder);
  return { bytes: (blocks - bfree) * bsize, full: bfree === 0 || (files > 0 && ffree === 0) };
}
