import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes32, TokenId } from '../../documents/ids.js';
import type { JointRecord } from '../../documents/receipt/receipt.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import type { AuthorizedJob } from '../pipeline/stages.js';

export interface JointResult {
  readonly record: JointRecord;
  readonly exit: SandboxExit;
}

/** What is left of an execution whose operator has ended well, while it is not sure yet that all parties got so far. */
export interface FinishedState extends JointResult {
  /** Digests of what it was computed on here, by token: it is the result of no other data. */
  readonly data: Readonly<Record<TokenId, Bytes32>>;
}

const fileOf = (folder: string): string => join(folder, 'finished.json');

/** Survives a kill from here on: the outputs beside it may be released once all peers have the same. */
export async function writeFinished(folder: string, state: FinishedState): Promise<void> {
  // That of a run which brought its data to another one of its seat has no other files.
  await mkdir(folder, { recursive: true, mode: 0o700 });
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
  try {
    return text === undefined ? undefined : (JSON.parse(text) as FinishedState);
  } catch {
    return undefined; // it was written whole: the disk has damaged it, and what it told is lost
  }
}

/** The same, if it was computed on the data that these runs would be given now. The owner may hold other data by now. */
export async function readFinishedOn(folder: string, runs: readonly AuthorizedJob[]): Promise<FinishedState | undefined> {
  const finished = await readFinished(folder);
  return runs.every(({ step, data }) => finished?.data?.[step.token] === data) ? finished : undefined;
}

export const forgetFinished = (folder: string): Promise<void> => rm(fileOf(folder), { force: true });
