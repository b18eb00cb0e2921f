import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Programs of util-linux, coreutils and hostname, all of them part of every Debian. */
const needed = ['sh', 'unshare', 'mount', 'umount', 'pivot_root', 'setpriv', 'prlimit', 'setsid', 'hostname', 'mkdir'] as const;
/** bubblewrap, where somebody installed it; perl to load the filter of system calls without it. */
const optional = ['bwrap', 'perl'] as const;
export type ToolName = (typeof needed)[number] | (typeof optional)[number];

export interface MachineTools {
  /** Absolute paths. */
  readonly paths: ReadonlyMap<ToolName, string>;
  /** Of those that every level needs. */
  readonly missing: readonly ToolName[];
  /** For the setup stage, which knows no other environment. */
  readonly searchPath: string;
}

/** Where the system keeps its own programs. PATH of the daemon is not asked: it may hold folders that others can write. */
export const systemFolders: readonly string[] = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export async function findTools(folders: readonly string[] = systemFolders): Promise<MachineTools> {
  const paths = new Map<ToolName, string>();
  for (const name of [...needed, ...optional]) {
    const path = await firstExecutable(folders.map((folder) => join(folder, name)));
    if (path !== undefined) paths.set(name, path);
  }
  const missing = needed.filter((name) => !paths.has(name));
  return { paths, missing, searchPath: folders.join(':') };
}

export async function firstExecutable(candidates: readonly string[]): Promise<string | undefined> {
  for (const path of candidates) {
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // not here: the next one
    }
  }
  return undefined;
}

/** @throws RangeError when the caller did not look at `missing` first */
export function toolPath(tools: MachineTools, name: ToolName): string {
  const path = tools.paths.get(name);
  if (path === undefined) throw new RangeError(`${name} was not found on this machine`);
  return path;
}
