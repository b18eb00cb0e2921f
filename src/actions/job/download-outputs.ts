import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { documentsOf } from '../../catalog/verify/given-file.js';
import { parseSignedReceipt } from '../../documents/receipt/receipt.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type ActionContext, step } from '../action-context.js';
import { EVIDENCE_SUFFIX } from '../tracer/read-given-evidence.js';
import { checkReceipt } from './check-receipt.js';
import { fetchOutputs } from './fetch-outputs.js';
import { type Party, type PartyRun, runsOf } from './job-parties.js';
import type { JobSelection } from './job-status.js';
import { type ShareView, viewShare } from './share-view.js';

export interface DownloadedShare extends ShareView {
  /** Paths of what was written, in the order of `outputs`. */
  readonly files: readonly string[];
}

/**
 * Downloads what every share released, each share into a folder of its own below `folder`. A share that cannot be fetched does not keep
 * the others back. @throws as `runsOf` and `refuseOtherJobs`
 */
export async function downloadOutputs(
  context: ActionContext,
  { job, only, folder }: JobSelection & { readonly folder: string },
): Promise<{ readonly job: bigint; readonly folder: string; readonly shares: readonly DownloadedShare[] }> {
  await refuseOtherJobs(folder, job);
  const runs = await runsOf(context, job, only);
  const shares = await Promise.all(runs.map((party) => downloadShare(context, party, join(folder, shareFolder(party, runs)))));
  return { job, folder, shares };
}

async function downloadShare(context: ActionContext, party: PartyRun, folder: string): Promise<DownloadedShare> {
  const { run } = party;
  if (run === undefined) return { ...viewShare(party, run, party.problem), files: [] };
  try {
    const files = await step(
      context,
      `Outputs of ${party.ownerName}: ${party.assetName}`,
      async () => {
        if (run.receipt !== undefined) {
          await checkReceipt(context.ledger.ref, party, run);
          await writeEvidence(await party.client.evidence(run.id), folder + EVIDENCE_SUFFIX);
        }
        return fetchOutputs(party, run, folder);
      },
      (all) => `${all.length} ${all.length === 1 ? 'file' : 'files'}`,
    );
    return { ...viewShare(party, run, undefined), files };
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error;
    return { ...viewShare(party, run, error), files: [] };
  }
}

/**
 * Outputs of two jobs in one folder would mix, and what is verified there later would blame an owner that has done nothing wrong.
 * @param job undefined: one that is still to come
 * @throws DT_INPUT_OTHER_JOB
 */
export async function refuseOtherJobs(folder: string, job: bigint | undefined): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names.filter((each) => each.endsWith(EVIDENCE_SUFFIX))) {
    const other = await readFile(join(folder, name, 'receipt.json'), 'utf8').then(jobOf, () => undefined);
    if (other !== undefined && other !== String(job)) throw new ToolkitError('DT_INPUT_OTHER_JOB', { path: folder, job: other });
  }
}

function jobOf(text: string): string | undefined {
  try {
    return String(parseSignedReceipt(JSON.parse(text)).receipt.job);
  } catch {
    return undefined; // no receipt: it is nobody's evidence
  }
}

/** The documents as they are, for `dt tracer verify`: what was no evidence then is found to be none. */
async function writeEvidence(evidence: unknown, folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, bytes] of Object.entries(documentsOf(evidence))) await writeFile(join(folder, `${name}.json`), bytes);
  } catch (error) {
    if (error instanceof ToolkitError) throw error;
    throw new ToolkitError('DT_INPUT_FILE', { path: folder, reason: `it cannot be written: ${(error as Error).message}` }, error);
  }
}

/** A folder named for the asset, with its owner or a piece of its token id where two shares would share it. */
export function shareFolder(party: Party, all: readonly Party[]): string {
  const candidates: readonly ((of: Party) => string)[] = [
    ({ assetName }) => slugOf(assetName),
    ({ assetName, ownerName }) => slugOf(`${ownerName} ${assetName}`),
  ];
  const isUnique = (name: (of: Party) => string): boolean =>
    name(party) !== '' && all.every((other) => other.token === party.token || name(other) !== name(party));
  const found = candidates.find(isUnique);
  return found?.(party) ?? `${slugOf(party.assetName)}-${party.token.slice(13, 21)}`.replace(/^-/, '');
}

const slugOf = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
