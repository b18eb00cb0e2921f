import { organizationName, tokenLabels } from '../../catalog/names.js';
import type { Bytes32, TokenId } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';

export interface ReceiptFilter {
  readonly job?: bigint | undefined;
  /** Name or address of the organization that reported. */
  readonly organization?: string | undefined;
  readonly state?: string | undefined;
}

export interface ListedReceipt {
  readonly job: bigint;
  readonly token: TokenId;
  readonly name: string | undefined;
  readonly reporterName: string;
  readonly state: string;
  /** Digest of the signed receipt. */
  readonly receipt: Bytes32;
  /** Seconds since 1970. */
  readonly time: number;
  /** A later one of the same share has taken its place. */
  readonly isReplaced: boolean;
  /** Root of the Merkle tree that it was anchored with. */
  readonly anchor: Bytes32;
  readonly transaction: Bytes32;
}

/** The receipts that the chain holds of shares of data, newest first. @throws DT_CHAIN_* */
export async function listReceipts(context: ReaderContext, filter: ReceiptFilter): Promise<readonly ListedReceipt[]> {
  return context.index.read(async (index) => {
    const labelOf = tokenLabels(context.content, index);
    const wanted = filter.organization?.toLowerCase();
    const last = new Map<string, Bytes32>();
    const found = index.snapshot(() =>
      index
        .reports({ ...(filter.job !== undefined && { job: filter.job }), newestFirst: true })
        .map((report) => {
          const share = `${report.job} ${report.token}`;
          const isReplaced = last.has(share);
          if (!isReplaced) last.set(share, report.receipt);
          return { ...report, reporterName: organizationName(index, report.reporter), isReplaced };
        })
        .filter(({ reporter, reporterName }) => wanted === undefined || [reporter, reporterName.toLowerCase()].includes(wanted))
        .filter(({ state }) => filter.state === undefined || filter.state === state),
    );
    return Promise.all(
      found.map(async ({ job, token, reporterName, state, receipt, time, isReplaced, anchor, transaction }) => {
        const name = (await labelOf(token))?.name;
        return { job, token, name, reporterName, state, receipt, time, isReplaced, anchor, transaction };
      }),
    );
  });
}
