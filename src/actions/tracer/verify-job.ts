import { type Verification, verifyEvidence } from '../../catalog/verify-evidence.js';
import type { ContentStore } from '../../content-store/content-store.js';
import type { LedgerEvent, LedgerReader } from '../../ledger/ledger.js';
import type { ActionContext } from '../action-context.js';
import { gatherEvidence } from './gather-evidence.js';
import { readGivenEvidence } from './read-given-evidence.js';

/** What the daemons of all parties hand out about a job, against the chain and the documents. @throws DT_JOB_UNKNOWN, DT_DOCUMENT_*, DT_CHAIN_* */
export async function verifyJob(context: ActionContext, job: bigint, events?: readonly LedgerEvent[]): Promise<Verification> {
  const { ledger, content } = context;
  return verifyEvidence(await gatherEvidence(context, job), { ledger, content, isWholeJob: true, ...(events && { events }) });
}

/** The same of a file or folder; without a ledger only what the documents say of each other. @throws DT_INPUT_FILE, DT_RECEIPT_NONE, DT_CHAIN_* */
export async function verifyFiles(
  context: { readonly content: ContentStore; readonly ledger?: LedgerReader },
  path: string,
): Promise<Verification> {
  const { given, isWholeJob } = await readGivenEvidence(path);
  return verifyEvidence(given, { ...context, isWholeJob });
}
