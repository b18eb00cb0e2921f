import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { OutputView, RunView } from '../../peers/daemon-client.js';
import type { Party } from './job-parties.js';
import { isFinalState } from './share-view.js';

/**
 * Downloads what a share released into `folder`, each file checked against the digest in the receipt. A download that broke goes on where
 * it stopped. @throws DT_JOB_NOT_FINISHED, DT_PEER_ANSWER when bytes are not those of the receipt
 */
export async function fetchOutputs(party: Party, run: RunView, folder: string): Promise<readonly string[]> {
  if (!isFinalState(run.state)) throw new ToolkitError('DT_JOB_NOT_FINISHED', { id: run.job, state: run.state });
  const files: string[] = [];
  for (const output of run.outputs) {
    // Its owner has kept it; the receipt names it.
    if (output.recipient === 'owner') continue;
    const file = join(folder, safeName(output.name, party));
    try {
      await mkdir(dirname(file), { recursive: true });
      await fetchOne(party, run, output, file);
    } catch (error) {
      if (error instanceof ToolkitError) throw error;
      throw new ToolkitError('DT_INPUT_FILE', { path: file, reason: `it cannot be written: ${(error as Error).message}` }, error);
    }
    files.push(file);
  }
  return files;
}

/** A daemon may lie: its names never lead out of the folder, and deceive nobody who reads them. */
function safeName(name: string, party: Party): string {
  const isSafe = (part: string): boolean =>
    !['', '.', '..'].includes(part) && !/[\\\p{C}]/u.test(part) && Buffer.byteLength(part) <= LONGEST_PART_BYTES;
  const parts = name.split('/');
  if (parts.length <= MOST_PARTS && parts.every(isSafe)) return join(...parts);
  throw new ToolkitError('DT_PEER_ANSWER', { url: party.client.url, reason: `an output is called ${JSON.stringify(name.slice(0, 200))}` });
}

const LONGEST_PART_BYTES = 255;
const MOST_PARTS = 17;

async function fetchOne(party: Party, run: RunView, output: OutputView, file: string): Promise<void> {
  // Named for its content, so that no other output is taken for its beginning.
  const part = join(dirname(file), `.${output.sha256.slice(2, 34)}.part`);
  const have = (await stat(part).catch(() => undefined))?.size ?? 0;
  const offset = have < output.sizeBytes ? have : 0;
  const response = await party.client.output(run.id, output.name, offset);
  const isContinued = offset > 0 && response.status === 206;
  const how = isContinued ? constants.O_APPEND : constants.O_TRUNC;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | how;
  const target = await open(part, flags, 0o600);
  await pipeline(bounded(response, party, output, output.sizeBytes - (isContinued ? offset : 0)), target.createWriteStream());
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  if (`0x${hash.digest('hex')}` === output.sha256) return rename(part, file);
  await rm(part, { force: true });
  throw wrong(party, output);
}

/** @throws DT_PEER_ANSWER when more comes than was announced, DT_PEER_UNREACHABLE when it breaks off */
async function* bounded(response: Response, party: Party, output: OutputView, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > limit) throw wrong(party, output);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ToolkitError) throw error;
    throw new ToolkitError('DT_PEER_UNREACHABLE', { url: party.client.url, reason: (error as Error).message }, error);
  }
}

const wrong = (party: Party, { name }: OutputView): ToolkitError =>
  new ToolkitError('DT_PEER_ANSWER', { url: party.client.url, reason: `output ${name} is not what the receipt says` });
