import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileProblem } from '../errors/file-problem.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { DaemonDeps } from './deps.js';

type Roots = Pick<DaemonDeps, 'config'>;

export interface DataFile {
  /** Symbolic links resolved. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
}

/** A file that the owner lets this daemon read. @throws DT_DATASET_FORBIDDEN outside of the configured folders, DT_INPUT_FILE */
export async function allowedFile({ config }: Roots, path: string): Promise<DataFile> {
  let file: DataFile;
  try {
    const real = await realpath(path);
    const found = await stat(real);
    if (!found.isFile()) throw new Error('it is not a file');
    file = { path: real, sizeBytes: found.size, modifiedAt: found.mtimeMs };
  } catch (error) {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: fileProblem(error) }, error);
  }
  const roots = await Promise.all(config.datasets.roots.map((root: string) => realpath(root).catch(() => undefined)));
  if (!roots.some((root) => root !== undefined && file.path.startsWith(root.endsWith(sep) ? root : root + sep)))
    throw new ToolkitError('DT_DATASET_FORBIDDEN');
  return file;
}

const LIMITS = { files: 500, entries: 20_000, depth: 6 } as const;

/** The plain files in the configured folders, as far as there are not too many. Links are not followed, and what cannot be read is not there. */
export async function listDataFiles({ config }: Roots): Promise<{ readonly files: readonly DataFile[]; readonly truncated: boolean }> {
  const files: DataFile[] = [];
  let entriesLeft: number = LIMITS.entries;
  let truncated = false;
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      entriesLeft -= 1;
      if (files.length >= LIMITS.files || entriesLeft < 0 || (entry.isDirectory() && depth === 0)) {
        truncated = true;
        continue;
      }
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await walk(path, depth - 1);
      const found = entry.isFile() ? await lstat(path).catch(() => undefined) : undefined;
      if (found?.isFile()) files.push({ path, sizeBytes: found.size, modifiedAt: found.mtimeMs });
    }
  };
  for (const root of config.datasets.roots) {
    const real = await realpath(root).catch(() => undefined);
    if (real !== undefined) await walk(real, LIMITS.depth);
  }
  return { files, truncated };
}
