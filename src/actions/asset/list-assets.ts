import type { ListedToken } from '../../catalog/ledger-index.js';
import { loadDdo } from '../../catalog/load-documents.js';
import type { Ddo } from '../../documents/ddo/ddo.js';
import type { Address } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';

export interface AssetListing extends ListedToken {
  readonly ownerName: string | undefined;
  /** undefined: its document cannot be read from here. */
  readonly ddo: Ddo | undefined;
}

/** All tokens of the chain, oldest first, or those of one owner. */
export async function listAssets(context: ReaderContext, owner?: Address): Promise<readonly AssetListing[]> {
  return context.index.read((index) =>
    Promise.all(
      index.tokens({ owner }).map(async (token) => ({
        ...token,
        ownerName: index.organization(token.owner)?.name,
        ddo: await loadDdo(context.content, token).catch(() => undefined),
      })),
    ),
  );
}
