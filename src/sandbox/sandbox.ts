import type { Duplex } from 'node:stream';

/**
 * Levels from weak to strong. `process`: a child process with a clean environment and rlimits, nothing else.
 * `namespaces`: util-linux unshare, own mount, pid, ipc, uts, user and network namespaces, and where perl is
 * there to load it a seccomp filter. `bubblewrap`: the same through bwrap, and always with the filter.
 */
export const sandboxLevels = ['process', 'namespaces', 'bubblewrap'] as const;
export type SandboxLevel = (typeof sandboxLevels)[number];

export interface SandboxLimits {
  readonly wallMs: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Threads count, as they do for the kernel: Node alone has about a dozen. */
  readonly processes: number;
  /** Everything that the job may write together: outputs/ and its scratch space. */
  readonly diskBytes: number;
  /** Files and folders in outputs/ and scratch space together; default 10 000. */
  readonly files?: number;
  readonly logBytes: number;
}

/** Of one job. */
export const MAX_CHANNELS = 32;

export type Runtime = 'node' | 'python3';

export interface SandboxReport {
  readonly level: SandboxLevel;
  /** Which layers really held, by name: 'network', 'filesystem', 'pid', 'seccomp', 'memory-cgroup', 'memory-watchdog', … */
  readonly layers: readonly string[];
  readonly limits: SandboxLimits;
}

export interface SandboxRun {
  /** Root of the job folder: inputs/ operator/ args.json outputs/ logs/ lie in it. Absolute path. */
  readonly folder: string;
  /** File name of the operator inside operator/. */
  readonly operatorFile: string;
  readonly runtime: Runtime;
  readonly limits: SandboxLimits;
  /** Each line of stdout and stderr as it comes, already cut to the log limit. */
  readonly onLog: (stream: 'stdout' | 'stderr', text: string) => void;
  /** Ends the whole process tree: SIGTERM, then SIGKILL after a grace time. */
  readonly signal: AbortSignal;
  /** Whether the reason of an abort leaves the operator no grace time. */
  readonly endsAtOnce?: (reason: unknown) => boolean;
  /**
   * How many channels the operator gets, 0 to MAX_CHANNELS: connected Unix stream sockets, whose numbers it finds in DT_CHANNELS: "4,5".
   * Their other ends go to `onChannels`.
   */
  readonly channels?: number;
  /**
   * The daemon's ends, in the order of DT_CHANNELS; called once, before the operator may start, and never when it does not start. From then
   * on they are the callee's: each direction ends by itself, 'end' comes when the operator has shut its half down or is gone, and what is
   * written to one that is gone goes nowhere. They outlive the run until what the operator wrote has been read, and close then; whoever does
   * not read to the end destroys them. Without a callee the operator finds its channels ended.
   */
  readonly onChannels?: (streams: readonly Duplex[]) => void;
  /**
   * Open descriptors of this process that the operator gets too, after the channels; it finds their numbers in DT_SOCKETS. They must be
   * connected sockets, and the level must have the layer `seccomp` or be `process`: without the filter a job could connect them elsewhere.
   */
  readonly sockets?: readonly number[];
}

export interface SandboxExit {
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  /** Which limit ended it, if one did. */
  readonly limitHit: 'wall' | 'cpu' | 'memory' | 'processes' | 'disk' | 'log' | undefined;
  readonly aborted: boolean;
  readonly wallMs: number;
  readonly cpuMs: number | undefined;
  readonly peakMemoryBytes: number | undefined;
  readonly report: SandboxReport;
}

export interface Sandbox {
  readonly level: SandboxLevel;
  readonly layers: readonly string[];
  run(run: SandboxRun): Promise<SandboxExit>;
  /** Ends every process of every run, for daemon stop. Resolves when none is left. */
  stop(): Promise<void>;
}
