import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JointRecord } from '../../documents/receipt/receipt.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';

/** What is left of an execution whose operator has ended well, while it is not sure yet that all parties got so far. */
export interface FinishedState {
  readonly record: JointRecord;
  readonly exit: SandboxExit;
}

const fileOf = (folder: string): string => join(folder, 'finished.json');

/** Survives a kill from here on: the outputs beside it may be released once all peers have the same. */
export async function writeFinished(folder: string, state: FinishedState): Promise<void> {
  const file = fileOf(folder);
  const aside = `${file}.tmp`;
  const handle = await open(aside, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(state));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(aside, file);
}

export async function readFinished(folder: string): Promise<FinishedState | undefined> {
  const text = await readFile(fileOf(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  return text === undefined ? undefined : (JSON.parse(text) as FinishedState);
}

export const forgetFinished = (folder: string): Promise<void> => rm(fileOf(folder), { force: true });
