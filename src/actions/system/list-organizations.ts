import type { Organization } from '../../ledger/ledger.js';
import type { ReaderContext } from '../action-context.js';

/** All registered organizations, oldest first. */
export async function listOrganizations(context: Pick<ReaderContext, 'index'>): Promise<readonly Organization[]> {
  return context.index.read((index) => index.organizations());
}
