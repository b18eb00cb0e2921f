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
  return context.index.read((index) =>
    Promise.all(
      index.operators().map(async (record) => ({
        ...record,
        ownerName: index.organization(record.owner)?.name,
        document: await loadOperator(context.content, record).catch(() => undefined),
      })),
    ),
  );
}
