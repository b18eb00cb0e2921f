import { readIndex } from '../../catalog/ledger-index.js';
import type { Organization } from '../../ledger/ledger.js';
import type { ReaderContext } from '../action-context.js';

/** All registered organizations, oldest first. */
export async function listOrganizations(context: Pick<ReaderContext, 'ledger'>): Promise<readonly Organization[]> {
  return [...(await readIndex(context.ledger)).organizations.values()];
}
