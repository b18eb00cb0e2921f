import type { JobCgroup } from './cgroup.js';
import type { LaunchedJob } from './launch-job.js';
import type { Layer } from './layers.js';
import type { DiskUsage } from './limit-watch.js';

/** Files and folders that a job may make when its limits do not say. */
export const DEFAULT_FILES = 10_000;

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
