import type { ContentStore } from '../content-store/content-store.js';
import type { Ddo } from '../documents/ddo/ddo.js';
import type { TokenId } from '../documents/ids.js';
import type { OperatorFact } from '../documents/job/job-facts.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { LedgerReader, OperatorRecord } from '../ledger/ledger.js';
import { loadDdo, loadOperator } from './load-documents.js';

/** The DDO of a token that was minted before, undefined when it was not. @throws DT_DOCUMENT_UNRESOLVED when its document is lost */
export async function publishedDdo(ledger: LedgerReader, store: ContentStore, dt: TokenId): Promise<Ddo | undefined> {
  try {
    const record = (await ledger.tokenTree(dt)).tokens[0];
    return record && (await loadDdo(store, record));
  } catch (error) {
    if (error instanceof ToolkitError && error.code === 'DT_ASSET_UNKNOWN') return undefined;
    throw error;
  }
}

/** `records` as the ledger gave them for `asked`. @throws DT_OPERATOR_UNKNOWN, DT_OPERATOR_RETIRED, DT_DOCUMENT_* */
export async function usableOperators(
  store: ContentStore,
  asked: readonly TokenId[],
  records: readonly (OperatorRecord | undefined)[],
): Promise<ReadonlyMap<TokenId, OperatorFact>> {
  const facts = asked.map(async (id, i) => {
    const record = records[i];
    if (record === undefined) throw new ToolkitError('DT_OPERATOR_UNKNOWN', { id });
    if (record.retired) throw new ToolkitError('DT_OPERATOR_RETIRED', { id });
    return [id, { record, document: await loadOperator(store, record) }] as const;
  });
  return new Map(await Promise.all(facts));
}
