import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DaemonDeps } from '../deps.js';
import { forgetFinished } from '../joint/finished-state.js';
import { isFinal } from '../store/run-state.js';
import type { Ending } from './settle.js';

type FolderDeps = Pick<DaemonDeps, 'config'>;

export const endingFile = (deps: FolderDeps, runId: string): string => join(deps.config.jobs.folder, runId, 'ending.json');

/** Before the state says that the end is decided, so that a daemon killed in between still knows what to put into the receipt. */
export async function writeEnding(deps: FolderDeps, runId: string, ending: Ending): Promise<void> {
  const file = endingFile(deps, runId);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(ending, (_, value) => (typeof value === 'bigint' ? value.toString() : value)));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * A kill right after a run's end leaves what was kept for its receipt, which tells all of it now. It goes, since a job folder is verified
 * to hold what its receipt tells of and nothing else.
 */
export async function forgetEndings(deps: Pick<DaemonDeps, 'config' | 'store'>): Promise<void> {
  const { folder } = deps.config.jobs;
  for (const runId of await readdir(folder).catch(() => [])) {
    const left: readonly string[] = await readdir(join(folder, runId)).catch(() => []);
    if (!left.includes('ending.json') && !left.includes('finished.json')) continue;
    const run = await deps.store.runs.get(runId);
    if (run === undefined || !isFinal(run.state)) continue;
    await rm(endingFile(deps, runId), { force: true });
    // That of a run which did not succeed is for its rerun.
    if (run.state === 'succeeded') await forgetFinished(join(folder, runId));
  }
}

export async function readEnding(deps: FolderDeps, runId: string): Promise<Ending | undefined> {
  const text = await readFile(endingFile(deps, runId), 'utf8').catch(() => undefined);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Ending);
  } catch {
    return undefined; // torn by the kill: the state had not been settled from it
  }
}
