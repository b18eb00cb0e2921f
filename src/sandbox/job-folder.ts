import { chmod, lstat, readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { BindMount } from './job-tree.js';
import { forgetRefusal } from './outputs.js';
import { MAX_CHANNELS, type SandboxRun } from './sandbox.js';

const counts = ['wallMs', 'cpuSeconds', 'memoryBytes', 'processes', 'diskBytes', 'logBytes'] as const;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * What a run names is there and is what it should be: the parts of the folder, none of them a link; outputs/ is empty.
 * @returns the folder by its real path
 * @throws DT_INPUT_INVALID
 */
export async function checkJobFolder(run: SandboxRun): Promise<string> {
  const { operatorFile, limits } = run;
  const folder = await realpath(run.folder).catch(() => undefined);
  if (folder === undefined || !isAbsolute(run.folder)) throw invalid('The job folder', 'it must be an absolute path that exists');
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(operatorFile)) throw invalid('The operator file', 'it must be a plain file name');
  for (const name of counts) {
    if (!(limits[name] > 0)) throw invalid(`The limit ${name}`, 'it must be a number above 0');
  }
  if (limits.wallMs > LONGEST_TIMER_MS) throw invalid('The limit wallMs', `it must be at most ${LONGEST_TIMER_MS}`);
  const { channels = 0 } = run;
  if (!Number.isInteger(channels) || channels < 0 || channels > MAX_CHANNELS) {
    throw invalid('The number of channels', `it must be from 0 to ${MAX_CHANNELS}`);
  }
  const joint = await lstat(join(folder, JOINT_FILE)).catch(() => undefined);
  if (joint !== undefined && !joint.isFile()) throw invalid(`The job folder ${folder}`, `${JOINT_FILE} is no plain file`);
  for (const [name, kind] of [
    ['inputs', 'isDirectory'],
    ['operator', 'isDirectory'],
    ['outputs', 'isDirectory'],
    ['args.json', 'isFile'],
    [join('operator', operatorFile), 'isFile'],
  ] as const) {
    const stats = await lstat(join(folder, name)).catch(() => undefined);
    if (!stats?.[kind]()) throw invalid(`The job folder ${folder}`, `${name} is missing or of another kind`);
  }
  if ((await readdir(join(folder, 'outputs'))).length > 0) throw invalid(`The job folder ${folder}`, 'outputs/ is not empty');
  await forgetRefusal(folder);
  return folder;
}

/** Of a joint job only: who the other parties are. */
const JOINT_FILE = 'joint.json';

export async function hasJointFile(folder: string): Promise<boolean> {
  return (await lstat(join(folder, JOINT_FILE)).catch(() => undefined)) !== undefined;
}

/** The parts of a job folder that a job sees; logs/ and whatever else lies there it does not. */
export function jobBinds(folder: string, joint: boolean): readonly BindMount[] {
  return [
    { source: join(folder, 'inputs'), target: '/job/inputs', kind: 'folder', executable: false },
    { source: join(folder, 'operator'), target: '/job/operator', kind: 'folder', executable: false },
    { source: join(folder, 'args.json'), target: '/job/args.json', kind: 'file', executable: false },
    ...(joint ? [{ source: join(folder, JOINT_FILE), target: `/job/${JOINT_FILE}`, kind: 'file', executable: false } as const] : []),
  ];
}

/**
 * A daemon that is root runs each job under an id that owns nothing, so what it staged must be readable by everybody; the job folder's own
 * mode keeps everybody away from it. A file with a second name may lie elsewhere too, and there its mode is not ours to change.
 * @throws DT_INPUT_INVALID
 */
export async function letOthersRead(folder: string): Promise<void> {
  const visit = async (path: string): Promise<void> => {
    const stats = await lstat(path);
    const wanted = stats.isDirectory() ? 0o555 : 0o444;
    if ((stats.isDirectory() || stats.isFile()) && (stats.mode & wanted) !== wanted) {
      if (stats.isFile() && stats.nlink > 1) throw invalid(path, 'it is a hard link that the job may not read; copy the file instead');
      await chmod(path, (stats.mode & 0o7777) | wanted);
    }
    if (stats.isDirectory()) for (const name of await readdir(path)) await visit(join(path, name));
  };
  for (const part of ['inputs', 'operator', 'args.json', ...((await hasJointFile(folder)) ? [JOINT_FILE] : [])])
    await visit(join(folder, part));
}

const invalid = (what: string, reason: string): ToolkitError => new ToolkitError('DT_INPUT_INVALID', { what, reason });
