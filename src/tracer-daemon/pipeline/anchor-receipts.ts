import type { Bytes32 } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { JobReport } from '../../ledger/ledger.js';
import type { DaemonDeps } from '../deps.js';
import type { Run } from '../store/run.js';
import type { AnchorPlan } from '../store/store.js';
import { type FolderDeps, writeAnchor } from './evidence-folder.js';
import { readReceipt } from './settle.js';

export type AnchorDeps = Pick<DaemonDeps, 'ledger' | 'store' | 'records' | 'log'> & FolderDeps;

/**
 * Stage 7, second half: all receipts of a plan in one transaction, the daemon's only kind of chain write. A report that the chain refuses, as
 * when the leaf was sold meanwhile, holds nobody back, not even its own receipt: that is below the root all the same.
 * @throws DT_CHAIN_* ; the store hands the plan out again after a while
 */
export async function anchorReceipts(deps: AnchorDeps, { root, runs }: AnchorPlan): Promise<void> {
  const reports = (await Promise.all(runs.map((run) => reportOf(deps, run)))).filter((report) => report !== undefined);
  const send = (taken: readonly JobReport[]) => deps.ledger.anchorReceipts({ root, count: runs.length, reports: taken });
  let transaction: Bytes32;
  try {
    transaction = await send(reports).catch(async (error: unknown) => {
      if (revertOf(error) === undefined || revertOf(error) === 'ReceiptsAlreadyAnchored') throw error;
      const taken = await takenOf(deps, reports);
      if (taken.length === reports.length) throw error;
      return send(taken);
    });
  } catch (error) {
    if (revertOf(error) !== 'ReceiptsAlreadyAnchored') throw error;
    // By this daemon, before it was killed, or when it gave up waiting.
    const earlier = await deps.ledger.anchorOf(deps.ledger.signer, root);
    if (earlier === undefined) throw error;
    transaction = earlier.transaction;
  }
  for (const { runId, anchor } of runs)
    if (anchor !== undefined)
      await writeAnchor(deps, runId, { ...anchor, transaction }).catch((error) =>
        deps.log.warn({ err: error, run: runId }, 'the proof of an anchored receipt could not be written to its job folder'),
      );
  await deps.store.runs.markAnchored(root, transaction);
}

/** It is not there, or not what was written. What cannot be read just now is another matter. */
const LOST: readonly string[] = ['DT_RECEIPT_MISMATCH', 'DT_DOCUMENT_TAMPERED'];

/** What the chain is told of the share of a leaf. A helper of a joint job brings none: the path of its receipt is the algorithm alone. */
async function reportOf(deps: AnchorDeps, run: Run): Promise<JobReport | undefined> {
  const receipt = run.receiptDigest as Bytes32;
  try {
    const { path, outcome } = (await readReceipt(deps, run)).receipt;
    return path.length > 1 ? { jobId: run.jobId, path, state: outcome, receipt } : undefined;
  } catch (error) {
    if (!(error instanceof ToolkitError) || !LOST.includes(error.code)) throw error;
    deps.log.error({ err: error, run: run.runId }, 'a receipt is lost or damaged: its digest is anchored, its share is not reported');
    return undefined;
  }
}

/** Those that the chain takes, each asked about alone. */
async function takenOf(deps: AnchorDeps, reports: readonly JobReport[]): Promise<readonly JobReport[]> {
  const refusals = await deps.ledger.refusals(reports);
  return reports.filter(({ jobId, path }, index) => {
    const refusal = refusals[index];
    if (refusal === undefined) return true;
    deps.log.warn({ err: refusal, job: jobId, token: path.at(-1) }, 'the chain refuses a report: its receipt is anchored without it');
    return false;
  });
}

/** Name of the custom error of the contracts. */
function revertOf(error: unknown): string | undefined {
  return error instanceof ToolkitError && error.code === 'DT_CHAIN_REVERTED' ? String(error.details['name']) : undefined;
}

/**
 * A reorganization takes away what the chain had. Transactions of one sender have one order: where a later one is there, so are those before.
 * @throws DT_CHAIN_*
 */
export async function reopenLost({ ledger, store, log }: Pick<AnchorDeps, 'ledger' | 'store' | 'log'>): Promise<void> {
  for (const root of await store.runs.lastAnchored()) {
    if ((await ledger.anchorOf(ledger.signer, root)) !== undefined) return;
    log.warn({ root }, 'the chain has lost receipts that were anchored: they go there again');
    await store.runs.reopenAnchor(root);
  }
}
