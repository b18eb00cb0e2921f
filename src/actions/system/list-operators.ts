import { readIndex } from '../../catalog/ledger-index.js';
import { loadOperator } from '../../catalog/load-documents.js';
import type { OperatorDocument } from '../../documents/operator/operator.js';
import type { OperatorRecord } from '../../ledger/ledger.js';
import type { ReaderContext } from '../action-context.js';

export interface OperatorListing extends OperatorRecord {
  readonly ownerName: string | undefined;
  /** undefined: its document cannot be read from here. */
  readonly document: OperatorDocument | undefined;
}

/** All operators that were ever published, oldest first, with their current version. */
export async function listOperators(context: ReaderContext): Promise<readonly OperatorListing[]> {
  const index = await readIndex(context.ledger);
  return Promise.all(
    [...index.operators.values()].map(async (record) => ({
      ...record,
      ownerName: index.organizations.get(record.owner)?.name,
      document: await loadOperator(context.content, record).catch(() => undefined),
    })),
  );
}
