import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobCgroup } from './cgroup.js';
import type { LaunchedJob } from './launch-job.js';
import type { Layer } from './layers.js';
import type { DiskUsage } from './limit-watch.js';
import { readTree } from './process-table.js';
import type { SandboxLimits } from './sandbox.js';
import { DEFAULT_FILES, type StartedJob } from './started-job.js';

/** How long the streams of an operator that has ended may stay open. */
const STRAY_MS = 1000;

/** Nothing keeps the processes of this level together: those that left the group and the tree are found only with a control group. */
export function processJob(
  launched: LaunchedJob,
  cgroup: JobCgroup,
  layers: readonly Layer[],
  folder: string,
  limits: SandboxLimits,
): StartedJob {
  const scratch = join(folder, 'scratch');
  let ended = false;
  const killAll = async (): Promise<void> => {
    // Once the operator has been reaped, its number may become another program's.
    if (!ended) {
      const tree = await readTree('/proc', launched.pid).catch(() => []);
      if (!ended) signalAll([-launched.pid, ...tree.map((row) => row.pid)], 'SIGKILL');
    }
    await cgroup.forbidForks();
    for (let pids = await cgroup.pids(); pids.length > 0; pids = await cgroup.pids()) {
      signalAll(pids, 'SIGKILL');
      await delay(10); // the kernel takes a moment to reap; the group has no other way of telling
    }
  };
  launched.child.once('exit', () => {
    signalAll([-launched.pid], 'SIGKILL');
    ended = true;
    void killAll().catch(() => undefined); // cleanUp does it again, and tells
    // A stray that left the group and holds the streams open must not hold the daemon.
    setTimeout(() => {
      for (const stream of launched.child.stdio) stream?.destroy();
    }, STRAY_MS).unref();
  });
  return {
    launched,
    cgroup,
    layers,
    rootPid: launched.pid,
    disk: async () => folderUsage([join(folder, 'outputs'), scratch], limits),
    terminate: () => signalAll(ended ? [] : [-launched.pid], 'SIGTERM'),
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
