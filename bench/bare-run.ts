import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { echoArguments, echoFile } from './echo-market.js';
import { timeNode } from './timed-process.js';

/** Milliseconds of the echo operator as a plain process of node: what a job is compared with. */
export async function runBare(folder: string): Promise<number> {
  const place = await stageEcho(folder);
  const ms = await timeNode(['operator/operator.mjs', '--config', 'args.json'], { cwd: place });
  await rm(place, { recursive: true, force: true });
  return ms;
}

/** A job folder as the daemon stages it, in `folder`. */
export async function stageEcho(folder: string): Promise<string> {
  const place = await mkdtemp(join(folder, 'job-'));
  for (const part of ['inputs', 'operator', 'outputs', 'logs']) await mkdir(join(place, part), { mode: 0o755 });
  await writeFile(join(place, 'operator/operator.mjs'), await readFile(echoFile), { mode: 0o444 });
  await writeFile(join(place, 'args.json'), JSON.stringify(echoArguments), { mode: 0o444 });
  return place;
}
