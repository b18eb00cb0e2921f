import type { Bytes32, TokenId } from '../../documents/ids.js';
import { parseAnchorProof, parseEvidence } from '../../documents/receipt/evidence.js';
import { provenRoot } from '../../documents/receipt/merkle.js';
import type { JointRecord } from '../../documents/receipt/receipt.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ActionContext } from '../action-context.js';
import { checkReceipt } from './check-receipt.js';
import { type PartyRun, runsOf } from './job-parties.js';

/** What the receipts of a joint job say together, and where they say the same. */
export interface JointEvidence {
  /** What all parties agreed to before data moved; the same in all receipts. */
  readonly execution: string;
  readonly receipts: readonly {
    readonly seat: string;
    readonly ownerName: string;
    readonly asset: string;
    readonly token: TokenId;
    /** Digest of the signed receipt. */
    readonly receipt: Bytes32;
    /** Reported, or of a helper, since the chain takes reports of data only, below a root that it has anchored. */
    readonly anchored: 'on chain' | 'not yet';
    readonly isHelper: boolean;
  }[];
  /** One for each direction of each link. */
  readonly links: readonly {
    readonly from: string;
    readonly to: string;
    readonly bytes: number;
    readonly messages: number;
    /** SHA-256 (hex) over all messages in order, as the sender's side counted. */
    readonly sha256: string;
    /** Whether the receiver's side counted the same bytes, messages and hash. */
    readonly agrees: boolean;
  }[];
}

/**
 * The receipts of all parties of a joint job that has succeeded, each checked against its owner's signature, and laid side by side: every
 * link has two ends, in two receipts that two organizations signed.
 * @throws DT_RECEIPT_MISMATCH, DT_JOB_NOT_FINISHED, DT_PEER_*, DT_DOCUMENT_*, DT_INPUT_INVALID when the job is not a joint one
 */
export async function jointEvidence(context: ActionContext, job: bigint): Promise<JointEvidence> {
  const runs = await runsOf(context, job);
  const signed = await Promise.all(runs.map((party) => recordOf(context, job, party)));
  // After the receipts, so that nothing that they tell of is newer than what was read of the chain.
  const roots = await Promise.all(signed.map(async (one) => (one.isHelper ? await rootsOf(one) : [])));
  const onChain = await context.index.read((index) => {
    const reports = index.job(job)?.reports;
    return signed.map(({ party, receipt, isHelper }, i) =>
      isHelper
        ? (roots[i] ?? []).some((root) => index.anchor(party.owner, root) !== undefined)
        : reports?.get(party.token)?.receipt === receipt,
    );
  });
  const [first] = signed;
  const other = signed.find(({ record }) => record.execution !== first?.record.execution);
  if (other !== undefined || first === undefined)
    throw new ToolkitError('DT_RECEIPT_MISMATCH', {
      id: job,
      pointer: '/receipt/joint/execution',
      owner: other?.party.ownerName ?? 'no party',
    });
  return {
    execution: first.record.execution,
    receipts: signed.map(({ party, record, receipt, isHelper }, i) => ({
      seat: record.seat,
      ownerName: party.ownerName,
      asset: party.assetName,
      token: party.token,
      receipt,
      isHelper,
      anchored: onChain[i] === true ? 'on chain' : 'not yet',
    })),
    links: compareLinks(signed.map(({ record }) => record)),
  };
}

interface SignedRecord {
  readonly party: PartyRun;
  readonly record: JointRecord;
  readonly receipt: Bytes32;
  readonly isHelper: boolean;
}

async function recordOf(context: ActionContext, job: bigint, party: PartyRun): Promise<SignedRecord> {
  const { run, problem } = party;
  if (problem !== undefined) throw problem;
  if (run?.receipt === undefined) throw new ToolkitError('DT_JOB_NOT_FINISHED', { id: job, state: run?.state ?? 'absent' });
  const { receipt } = await checkReceipt(context.ledger.ref, party, run);
  if (receipt.joint === undefined)
    throw new ToolkitError('DT_INPUT_INVALID', { what: `Job ${job}`, reason: `the share of ${party.ownerName} was no joint computation` });
  return { party, record: receipt.joint, receipt: run.receipt, isHelper: receipt.token === receipt.algorithm };
}

/** Below which its receipt may stand: that of the receipt alone, and the one that its daemon has a proof for. */
async function rootsOf({ party, receipt }: SignedRecord): Promise<readonly Bytes32[]> {
  const alone = provenRoot(receipt, []);
  const { anchor } = party.run === undefined ? {} : parseEvidence(await party.client.evidence(party.run.id));
  if (anchor === undefined) return [alone];
  return [alone, provenRoot(receipt, parseAnchorProof(anchor).proof)];
}

/** Each direction of each link, from both of its ends. A party with several inputs has one record in several receipts. */
export function compareLinks(records: readonly JointRecord[]): JointEvidence['links'] {
  const seats = new Map(records.map((record) => [record.seat, record]));
  return [...seats].flatMap(([from, { peers }]) =>
    peers.map(({ seat: to, sent }) => {
      const received = seats.get(to)?.peers.find(({ seat }) => seat === from)?.received;
      const { bytes = 0, messages = 0, sha256 = '' } = sent ?? {};
      const agrees = sent !== undefined && received?.bytes === bytes && received.messages === messages && received.sha256 === sha256;
      return { from, to, bytes, messages, sha256, agrees };
    }),
  );
}
