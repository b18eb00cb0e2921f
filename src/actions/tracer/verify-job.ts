import type { GivenEvidence } from '../../catalog/verify/given-evidence.js';
import { type Verification, verifyEvidence } from '../../catalog/verify-evidence.js';
import type { ContentStore } from '../../content-store/content-store.js';
import type { Bytes32 } from '../../documents/ids.js';
import type { LedgerEvent, LedgerReader } from '../../ledger/ledger.js';
import type { ActionContext } from '../action-context.js';
import { gatherEvidence } from './gather-evidence.js';
import { readDigest, readGivenEvidence, readOpening } from './read-given-evidence.js';

/** The data that a commitment has to be about, as files. */
export interface ClaimedData {
  readonly data?: string;
  /** What its owner gave to open the commitment; an owner that verifies its own asks its daemon. */
  readonly opening?: string;
}

export interface VerifyJobOptions extends ClaimedData {
  readonly events?: readonly LedgerEvent[];
}

/**
 * What the daemons of all parties hand out about a job, against the chain and the documents.
 * @throws DT_JOB_UNKNOWN, DT_INPUT_FILE, DT_DOCUMENT_*, DT_CHAIN_*
 */
export async function verifyJob(context: ActionContext, job: bigint, options: VerifyJobOptions = {}): Promise<Verification> {
  const { ledger, content } = context;
  const { events } = options;
  const claimed = await readClaimed(options);
  const openings = options.data !== undefined && options.opening === undefined;
  const given = withOpening(await gatherEvidence(context, job, { openings }), claimed.opening);
  return verifyEvidence(given, { ledger, content, isWholeJob: true, job: job.toString(), ...(events && { events }), ...dataOf(claimed) });
}

/** The same of a file or folder; without a ledger only what the documents say of each other. @throws DT_INPUT_FILE, DT_RECEIPT_NONE, DT_CHAIN_* */
export async function verifyFiles(
  context: { readonly content: ContentStore; readonly ledger?: LedgerReader },
  path: string,
  options: ClaimedData = {},
): Promise<Verification> {
  const claimed = await readClaimed(options);
  const { given, isWholeJob } = await readGivenEvidence(path);
  return verifyEvidence(withOpening(given, claimed.opening), { ...context, isWholeJob, ...dataOf(claimed) });
}

interface ReadClaim {
  readonly data: Bytes32 | undefined;
  readonly opening: Uint8Array | undefined;
}

async function readClaimed({ data, opening }: ClaimedData): Promise<ReadClaim> {
  return {
    data: data === undefined ? undefined : await readDigest(data),
    opening: opening === undefined ? undefined : await readOpening(opening),
  };
}

const dataOf = ({ data }: ReadClaim): { readonly data?: Bytes32 } => (data === undefined ? {} : { data });

/** For every party that has none of its own: which commitment it opens, if any, is found by verifying. */
const withOpening = (given: readonly GivenEvidence[], offered: Uint8Array | undefined): readonly GivenEvidence[] =>
  offered === undefined ? given : given.map((one) => ({ ...one, offered }));
