import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { OutputView, RunView } from '../../peers/daemon-client.js';
import type { Party } from './job-parties.js';

/**
 * Downloads what a share released into `folder`, each file checked against the digest in the receipt. A download that broke goes on where
 * it stopped. @throws DT_JOB_NOT_FINISHED, DT_PEER_ANSWER when bytes are not those of the receipt
 */
export async function fetchOutputs(
  party: Party,
  run: RunView,
  folder: string,
  onFile?: (output: OutputView) => void,
): Promise<readonly string[]> {
  if (!['succeeded', 'failed', 'canceled', 'refused'].includes(run.state))
    throw new ToolkitError('DT_JOB_NOT_FINISHED', { id: run.job, state: run.state });
  const files: string[] = [];
  for (const output of run.outputs) {
    const file = join(folder, safeName(output.name, party));
    await mkdir(dirname(file), { recursive: true });
    await fetchOne(party, run, output, file);
    onFile?.(output);
    files.push(file);
  }
  return files;
}

/** A daemon may lie: its names never lead out of the folder. */
function safeName(name: string, party: Party): string {
  const clean = normalize(name);
  if (clean !== '' && !clean.startsWith('..') && !clean.startsWith(sep) && !/[\p{Cc}\\]/u.test(clean)) return clean;
  throw new ToolkitError('DT_PEER_ANSWER', { url: party.client.url, reason: `an output is called ${JSON.stringify(name)}` });
}

async function fetchOne(party: Party, run: RunView, output: OutputView, file: string): Promise<void> {
  const part = `${file}.part`;
  const have = (await stat(part).catch(() => undefined))?.size ?? 0;
  const offset = have < output.sizeBytes ? have : 0;
  const response = await party.client.output(run.id, output.name, offset);
  if (response.body !== null)
    await pipeline(
      Readable.fromWeb(response.body as never),
      createWriteStream(part, { flags: offset > 0 && response.status === 206 ? 'a' : 'w' }),
    );
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  if (`0x${hash.digest('hex')}` === output.sha256) return rename(part, file);
  await rm(part, { force: true });
  throw new ToolkitError('DT_PEER_ANSWER', { url: party.client.url, reason: `output ${output.name} is not what the receipt says` });
}
