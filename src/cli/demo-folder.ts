import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolkitError } from '../errors/toolkit-error.js';
import { LOCK_FILES, lockFolder } from '../ledger/embedded-chain/folder-lock.js';

/**
 * An empty folder for one demo at a time: what an earlier one left goes, what a running one uses stays. The lock is the kernel's, so that of
 * a demo that was killed is gone with it. @returns what gives the folder back @throws DT_DEMO_BUSY before anything is removed
 */
export async function takeDemoFolder(folder: string): Promise<() => void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = lockDemo(folder);
  for (const name of await readdir(folder)) if (!LOCK_FILES.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  return () => lock.release();
}

function lockDemo(folder: string): ReturnType<typeof lockFolder> {
  try {
    return lockFolder(folder);
  } catch (error) {
    if (!(error instanceof ToolkitError) || error.code !== 'DT_CHAIN_FOLDER_BUSY') throw error;
    throw new ToolkitError('DT_DEMO_BUSY', error.details, error);
  }
}
