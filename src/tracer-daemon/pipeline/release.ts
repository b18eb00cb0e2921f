import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { collectOutputs } from '../../sandbox/outputs.js';
import { type GateVerdict, passGate } from './release-gate.js';
import { brand, type ExecutedJob, type LeafTerms, type ReleasedJob } from './stages.js';

/** Where released outputs lie in a job folder; nothing but this stage writes there. */
export const RELEASED = 'released';

/** All names together. Each of them stands in the receipt, in every answer about the run and in the index of its reader. */
const LONGEST_NAMES_BYTES = 256 * 1024;

/** What would be released of this job folder. @throws DT_JOB_OUTPUT_REFUSED, DT_POLICY_OUTPUT */
export async function releasable(folder: string, terms: readonly LeafTerms[]): Promise<GateVerdict> {
  const found = await collectOutputs(folder);
  const namesBytes = found.reduce((sum, { name }) => sum + Buffer.byteLength(name), 0);
  if (namesBytes <= LONGEST_NAMES_BYTES) return passGate(folder, found, terms);
  const reason = `the names of all outputs are longer than ${LONGEST_NAMES_BYTES} bytes together`;
  throw new ToolkitError('DT_JOB_OUTPUT_REFUSED', { name: found[0]?.name, reason });
}

/**
 * Stage 6. What may leave: plain files that the operator left in outputs/ and that the leaves' owners let out, checked without following any
 * link, moved out of its reach. One file that may not leave refuses all of them; one that nobody declared stays behind.
 * @throws DT_JOB_OUTPUT_REFUSED, DT_POLICY_OUTPUT, DT_SANDBOX_LIMIT
 */
export async function releaseOutputs(job: ExecutedJob): Promise<ReleasedJob> {
  const { folder, authorized } = job.staged;
  const { leaving, ...rest } = await releasable(folder, authorized.terms);
  const target = join(folder, RELEASED);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { mode: 0o700 });
  for (const { name } of leaving) {
    await mkdir(dirname(join(target, name)), { recursive: true });
    await rename(join(folder, 'outputs', name), join(target, name));
  }
  return brand<ReleasedJob>({ executed: job, outputs: leaving, ...rest });
}

/**
 * A release that a kill has broken off is begun again from where its files were, if all that was to be released is still there: in
 * outputs/ what had not been moved, in released/ what had.
 */
export async function recallOutputs(folder: string): Promise<void> {
  const from = join(folder, RELEASED);
  const found = await readdir(from, { withFileTypes: true, recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
  for (const entry of found) {
    if (!entry.isFile()) continue;
    const name = relative(from, join(entry.parentPath, entry.name));
    await mkdir(dirname(join(folder, 'outputs', name)), { recursive: true });
    await rename(join(from, name), join(folder, 'outputs', name));
  }
}
