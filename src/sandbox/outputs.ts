import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Bytes32 } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';

export interface JobOutput {
  /** Path below outputs/, with / between folders. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Bytes32;
}

export interface OutputLimits {
  /** Files and folders together. */
  readonly maxEntries: number;
  /** Sum of the lengths of all files, holes in sparse files included. */
  readonly maxBytes: number;
}

const defaultLimits: OutputLimits = { maxEntries: 10_000, maxBytes: 64 * 2 ** 30 };
const MAX_DEPTH = 16;
const CHUNK = 1 << 20;
/** Beside outputs/, out of the operator's reach: why its outputs were not taken over from the scratch space. */
const REFUSAL_FILE = 'outputs-refused.json';

/** Thrown while walking; `tooMuch`: a limit of size or number, not a wrong kind of file. */
class Refusal extends Error {
  constructor(
    readonly entry: string,
    reason: string,
    readonly tooMuch = false,
  ) {
    super(reason);
  }
}

/**
 * The plain files that a job left in outputs/, sorted by name. One entry that may not leave refuses all of them: a link, a device, a pipe,
 * a socket, a file with a second name, a name with characters that deceive. No symbolic link is followed, in no part of any path.
 * @param folder root of the job folder
 * @throws DT_JOB_OUTPUT_REFUSED
 */
export async function collectOutputs(folder: string, limits: Partial<OutputLimits> = {}): Promise<readonly JobOutput[]> {
  const earlier = await recordedRefusal(folder);
  if (earlier !== undefined) throw new ToolkitError('DT_JOB_OUTPUT_REFUSED', earlier);
  const found: JobOutput[] = [];
  try {
    const root = await openFolder(join(folder, 'outputs'), 'outputs');
    try {
      await visit(root, { ...defaultLimits, ...limits }, async (file, name, sizeBytes) => {
        found.push({ name, sizeBytes, sha256: await digest(file, name, sizeBytes) });
      });
    } finally {
      await root.close();
    }
  } catch (error) {
    throw asToolkitError(error);
  }
  return found;
}

/**
 * An output for reading, opened folder by folder without following any link.
 * @param name as `collectOutputs` gave it
 * @throws DT_JOB_OUTPUT_REFUSED
 */
export async function openOutput(folder: string, name: string): Promise<FileHandle> {
  let parent: FileHandle | undefined;
  try {
    parent = await openFolder(join(folder, 'outputs'), 'outputs');
    const parts = name.split('/');
    for (const [index, part] of parts.entries()) {
      checkName(Buffer.from(part), name);
      const path = inside(parent, part);
      if (index === parts.length - 1) return (await openFile(path, name)).file;
      const next = await openFolder(path, name);
      await parent.close();
      parent = next;
    }
    throw new Refusal(name, 'it has no name');
  } catch (error) {
    throw asToolkitError(error);
  } finally {
    await parent?.close();
  }
}

/**
 * Copies what a job left in the scratch space into the outputs/ of its folder. Only plain files and folders are made there; if there is
 * anything else, nothing counts, and the reason is kept for `collectOutputs`.
 * @returns 'too-much' when the files are longer than their limit, as sparse ones can be without using the space
 */
export async function takeOverOutputs(scratch: FileHandle, folder: string, limits: OutputLimits): Promise<'done' | 'refused' | 'too-much'> {
  const target = join(folder, 'outputs');
  try {
    await visit(scratch, limits, async (file, name, sizeBytes) => {
      const path = join(target, name);
      await mkdir(posix.dirname(path), { recursive: true, mode: 0o700 });
      const copy = await open(path, 'wx', 0o600);
      try {
        await readAll(file, name, sizeBytes, async (chunk) => {
          await copy.writeFile(chunk);
        });
      } finally {
        await copy.close();
      }
    });
    return 'done';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await writeFile(join(folder, REFUSAL_FILE), JSON.stringify({ name: shown(error.entry), reason: error.message }), { mode: 0o600 });
    return error.tooMuch ? 'too-much' : 'refused';
  }
}

async function recordedRefusal(folder: string): Promise<{ readonly name: string; readonly reason: string } | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, REFUSAL_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { name, reason } = JSON.parse(text) as { readonly name?: unknown; readonly reason?: unknown };
  return { name: String(name), reason: String(reason) };
}

/** Before a run: what an earlier one left in the same folder says nothing about this one. */
export const forgetRefusal = (folder: string): Promise<void> => rm(join(folder, REFUSAL_FILE), { force: true });

type Visitor = (file: FileHandle, name: string, sizeBytes: number) => Promise<void>;

/** Linux has no openat in Node; a path through /proc/self/fd/<folder> starts at the open folder, whatever its name is by now. */
const inside = (folder: FileHandle, name = ''): string => `/proc/self/fd/${folder.fd}/${name}`;

async function visit(root: FileHandle, limits: OutputLimits, visitor: Visitor): Promise<void> {
  let entries = 0;
  let bytes = 0;
  const walk = async (folder: FileHandle, prefix: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) throw new Refusal(prefix, `folders lie deeper than ${MAX_DEPTH}`);
    const names = (await readdir(inside(folder), { encoding: 'buffer' })).sort(Buffer.compare);
    for (const raw of names) {
      const name = posix.join(prefix, raw.toString('utf8'));
      entries += 1;
      if (entries > limits.maxEntries) throw new Refusal(name, `there are more than ${limits.maxEntries} files`, true);
      checkName(raw, name);
      const path = inside(folder, raw.toString('utf8'));
      const stats = await lstat(path);
      if (stats.isDirectory()) {
        const below = await openFolder(path, name);
        try {
          await walk(below, name, depth + 1);
        } finally {
          await below.close();
        }
        continue;
      }
      const { file, sizeBytes } = await openFile(path, name);
      try {
        bytes += sizeBytes;
        if (bytes > limits.maxBytes) throw new Refusal(name, `the files are longer than ${limits.maxBytes} bytes together`, true);
        await visitor(file, name, sizeBytes);
      } finally {
        await file.close();
      }
    }
  };
  await walk(root, '', 1);
}

/** Letters of every script are fine; control, format and unassigned characters, separators of other systems and dot names are not. */
function checkName(raw: Buffer, name: string): void {
  const text = raw.toString('utf8');
  if (!Buffer.from(text).equals(raw)) throw new Refusal(name, 'its name is not UTF-8');
  if (text === '' || text === '.' || text === '..' || /[/\\\p{C}]/u.test(text))
    throw new Refusal(name, 'its name holds forbidden characters');
}

async function openFolder(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    throw new Refusal(name, `it is not a folder that can be read (${codeOf(error)})`);
  }
}

async function openFile(path: string, name: string): Promise<{ readonly file: FileHandle; readonly sizeBytes: number }> {
  const kind = await lstat(path);
  if (kind.isSymbolicLink()) throw new Refusal(name, 'it is a symbolic link');
  if (!kind.isFile()) throw new Refusal(name, 'it is not a plain file');
  let file: FileHandle;
  try {
    // Were it exchanged for a pipe by now, opening it would not hang either.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw new Refusal(name, `it cannot be read (${codeOf(error)})`);
  }
  const stats = await file.stat();
  if (!stats.isFile() || stats.nlink !== 1) {
    await file.close();
    throw new Refusal(name, stats.isFile() ? 'it has a second name (a hard link)' : 'it is not a plain file');
  }
  return { file, sizeBytes: stats.size };
}

async function digest(file: FileHandle, name: string, sizeBytes: number): Promise<Bytes32> {
  const hash = createHash('sha256');
  await readAll(file, name, sizeBytes, async (chunk) => {
    hash.update(chunk);
  });
  return `0x${hash.digest('hex')}` as Bytes32;
}

async function readAll(file: FileHandle, name: string, sizeBytes: number, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, sizeBytes + 1));
  let total = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, total);
    if (bytesRead === 0) break;
    total += bytesRead;
    if (total > sizeBytes) break;
    await take(buffer.subarray(0, bytesRead));
  }
  if (total !== sizeBytes) throw new Refusal(name, 'it changed while it was read');
}

const shown = (name: string): string => JSON.stringify(name).slice(1, -1).replace(/\p{C}/gu, '?');

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';

const asToolkitError = (error: unknown): unknown =>
  error instanceof Refusal ? new ToolkitError('DT_JOB_OUTPUT_REFUSED', { name: shown(error.entry), reason: error.message }) : error;
