import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { ToolkitError } from '../../errors/toolkit-error.js';

export interface FolderLock {
  /** What a second start says about the first. */
  describe(holder: string): void;
  release(): void;
}

const DATABASE = 'lock.db';
const HOLDER = 'holder.txt';

/** All that a lock puts into its folder; who empties the folder leaves them. */
export const LOCK_FILES: ReadonlySet<string> = new Set([DATABASE, `${DATABASE}-journal`, HOLDER]);

/**
 * One owner per folder. The lock is the kernel's (fcntl, through SQLite's exclusive transaction): it is gone with the process
 * that held it, however that ended, and no pid has to be guessed alive. @throws DT_CHAIN_FOLDER_BUSY
 */
export function lockFolder(folder: string): FolderLock {
  const holderFile = join(folder, HOLDER);
  const database = new DatabaseSync(join(folder, DATABASE));
  try {
    database.exec('PRAGMA busy_timeout = 0');
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new ToolkitError('DT_CHAIN_FOLDER_BUSY', { folder, holder: readHolder(holderFile) }, cause);
  }
  const describe = (holder: string) => writeFileSync(holderFile, `process ${process.pid}${holder}`);
  describe('');
  return {
    describe,
    release: () => {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, 200);
  } catch {
    return 'process unknown';
  }
}
