import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DaemonDeps } from '../deps.js';
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

export async function readEnding(deps: FolderDeps, runId: string): Promise<Ending | undefined> {
  const text = await readFile(endingFile(deps, runId), 'utf8').catch(() => undefined);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Ending);
  } catch {
    return undefined; // torn by the kill: the state had not been settled from it
  }
}
