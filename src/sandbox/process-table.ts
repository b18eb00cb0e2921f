import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Of one process, as /proc tells it. Times in clock ticks. */
interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** Own time and that of children that have ended and were waited for. */
  readonly cpuTicks: number;
  readonly threads: number;
  readonly started: number;
}

export interface TreeUsage {
  readonly memoryBytes: number;
  readonly cpuMs: number;
  /** Threads count: the kernel counts them as it counts processes. */
  readonly tasks: number;
}

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const TICK_MS = 10;

/**
 * The processes that a /proc folder shows: those of a job when it is the one of its pid namespace. Numbers are those of that namespace.
 * @param root when given, only this process and what descends from it
 */
export async function readTree(procFolder: string, root?: number): Promise<readonly ProcessRow[]> {
  const names = (await readdir(procFolder)).filter((name) => /^\d+$/.test(name));
  const rows = (await Promise.all(names.map((name) => readRow(procFolder, Number(name))))).filter((row) => row !== undefined);
  if (root === undefined) return rows;
  const inTree = new Set([root]);
  // Parents do not always have the smaller number, so go round until nothing is added.
  for (let before = 0; before !== inTree.size; ) {
    before = inTree.size;
    for (const row of rows) if (inTree.has(row.parent)) inTree.add(row.pid);
  }
  return rows.filter((row) => inTree.has(row.pid));
}

/** proc(5): fields of /proc/<pid>/stat after the name in parentheses, which may itself hold anything. */
async function readRow(procFolder: string, pid: number): Promise<ProcessRow | undefined> {
  try {
    const text = await readFile(join(procFolder, String(pid), 'stat'), 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const at = (number: number): number => Number(fields[number - 3]);
    return { pid, parent: at(4), cpuTicks: at(14) + at(15) + at(16) + at(17), threads: at(20), started: at(22) };
  } catch {
    return undefined; // ended meanwhile
  }
}

/** In clock ticks since boot; with the pid it names one process for good. @throws when there is none */
export async function startTime(pid: number): Promise<number> {
  const row = await readRow('/proc', pid);
  if (row === undefined) throw new Error(`no process ${pid}`);
  return row.started;
}

/**
 * @param limitBytes from here on memory is counted exactly: shared pages once, which costs a walk through the page tables
 */
export async function treeUsage(procFolder: string, limitBytes: number, root?: number): Promise<TreeUsage> {
  const rows = await readTree(procFolder, root);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  let memoryBytes = sum(await Promise.all(rows.map((row) => residentBytes(procFolder, row.pid))));
  if (memoryBytes > limitBytes && rows.length > 1) {
    memoryBytes = sum(await Promise.all(rows.map((row) => proportionalBytes(procFolder, row.pid))));
  }
  return { memoryBytes, cpuMs: sum(rows.map((row) => row.cpuTicks)) * TICK_MS, tasks: sum(rows.map((row) => row.threads)) };
}

/** Without mapped files, which are the page cache's. Shared memory counts, whichever way it was asked for. */
const residentBytes = (procFolder: string, pid: number): Promise<number> =>
  kibOf(join(procFolder, String(pid), 'status'), ['RssAnon', 'RssShmem']);

/** Where the kernel does not tell, the larger number stands. */
const proportionalBytes = async (procFolder: string, pid: number): Promise<number> =>
  (await kibOf(join(procFolder, String(pid), 'smaps_rollup'), ['Pss_Anon', 'Pss_Shmem'])) || residentBytes(procFolder, pid);

async function kibOf(path: string, keys: readonly string[]): Promise<number> {
  try {
    const rows = (await readFile(path, 'utf8')).split('\n').map((row) => row.split(':'));
    return rows
      .filter(([key]) => keys.includes(key ?? ''))
      .reduce((total, [, value = '0']) => total + Number.parseInt(value, 10) * 1024, 0);
  } catch {
    return 0;
  }
}
