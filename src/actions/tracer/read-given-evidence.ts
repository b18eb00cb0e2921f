import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FolderFiles, GivenEvidence } from '../../catalog/verify/given-evidence.js';
import { givenOfFile } from '../../catalog/verify/given-file.js';
import type { Bytes32 } from '../../documents/ids.js';
import { evidenceFiles, evidenceNames } from '../../documents/receipt/evidence.js';
import { fileProblem } from '../../errors/file-problem.js';
import { ToolkitError } from '../../errors/toolkit-error.js';

/** What `dt job outputs` calls the evidence that it writes beside a folder of outputs. */
export const EVIDENCE_SUFFIX = '.evidence';

export interface GivenFiles {
  readonly given: readonly GivenEvidence[];
  /** It is a folder for a whole job: every party has to be in it. */
  readonly isWholeJob: boolean;
}

/**
 * Evidence from disk: a receipt, an evidence file as a daemon hands it out, a job folder of a daemon, or a folder of downloads with the
 * evidence beside. Nothing of it is judged here. @throws DT_INPUT_FILE, DT_RECEIPT_NONE
 */
export async function readGivenEvidence(path: string): Promise<GivenFiles> {
  const stats = await reading(path, () => lstat(path));
  if (!stats.isDirectory()) return { given: [await readOneFile(path)], isWholeJob: false };
  const names = await reading(path, () => readdir(path));
  if (looksLikeShare(names)) return { given: [await readFolder(path)], isWholeJob: false };
  const given: GivenEvidence[] = [];
  for (const name of names.sort()) {
    const folder = join(path, name);
    const inside = await readdir(folder).catch(() => []);
    if (looksLikeShare(inside) || name.endsWith(EVIDENCE_SUFFIX)) given.push(await readFolder(folder));
  }
  if (given.length === 0) throw new ToolkitError('DT_RECEIPT_NONE', { path });
  return { given, isWholeJob: given.every(({ folder }) => folder?.kind === 'outputs') };
}

/** Of a file of any size. @throws DT_INPUT_FILE */
export const readDigest = async (path: string): Promise<Bytes32> => (await reading(path, () => digestOfFile(path))).sha256;

/** @throws DT_INPUT_FILE */
export const readOpening = (path: string): Promise<Uint8Array> => reading(path, () => readFile(path));

/** Also when its receipt is missing, which is then named. */
const looksLikeShare = (names: readonly string[]): boolean =>
  names.some((name) => evidenceFiles.includes(name)) || ['operator', 'released', 'logs'].every((name) => names.includes(name));

const readOneFile = async (path: string): Promise<GivenEvidence> => givenOfFile(path, await reading(path, () => readFile(path)));

async function readFolder(folder: string): Promise<GivenEvidence> {
  const isDownload = basename(folder).endsWith(EVIDENCE_SUFFIX);
  const own = await filesOf(folder);
  const documents = await Promise.all(
    evidenceNames.map(async (name) => {
      const file = `${name}.json`;
      return own.files.has(file) ? [[name, await reading(file, () => readFile(join(folder, file)))] as const] : [];
    }),
  );
  const outputs = isDownload ? await filesOf(folder.slice(0, -EVIDENCE_SUFFIX.length)) : own;
  const strangers = isDownload ? [...own.files.keys(), ...own.others].filter((name) => !evidenceFiles.includes(name)) : [];
  const others = [...outputs.others, ...strangers.map((name) => join(basename(folder), name))];
  const kind = isDownload ? 'outputs' : 'job';
  return { source: folder, documents: Object.fromEntries(documents.flat()), folder: { kind, files: outputs.files, others } };
}

/** All below a folder; none where it is not there. No link is followed. */
async function filesOf(root: string): Promise<Pick<FolderFiles, 'files' | 'others'>> {
  const files = new Map<string, { sizeBytes: number; sha256: Bytes32 }>();
  const others: string[] = [];
  const walk = async (folder: string, prefix: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new ToolkitError('DT_INPUT_FILE', { path: folder, reason: fileProblem(error) }, error);
    });
    for (const entry of entries) {
      const name = `${prefix}${entry.name}`;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await walk(path, `${name}/`);
      else if (entry.isFile()) files.set(name, await reading(path, () => digestOfFile(path)));
      else others.push(name);
    }
  };
  await walk(root, '');
  return { files, others };
}

async function digestOfFile(path: string): Promise<{ sizeBytes: number; sha256: Bytes32 }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sizeBytes, sha256: `0x${hash.digest('hex')}` as Bytes32 };
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: fileProblem(error) }, error);
  }
}
