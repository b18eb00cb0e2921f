import { type LedgerIndex, type ListedGrant, type ListedToken, readIndex } from '../../catalog/ledger-index.js';
import { loadDdo } from '../../catalog/load-documents.js';
import type { Ddo } from '../../documents/ddo/ddo.js';
import type { TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ReaderContext } from '../action-context.js';

export interface AssetDetails {
  readonly token: ListedToken;
  readonly ownerName: string | undefined;
  readonly ddo: Ddo;
  /** To whom it is granted. */
  readonly grantedTo: readonly ListedGrant[];
  /** What it was granted itself. */
  readonly grantedFrom: readonly ListedGrant[];
}

/** One token with its document and grants. @throws DT_ASSET_UNKNOWN, DT_DOCUMENT_* */
export async function showAsset(context: ReaderContext, dt: TokenId): Promise<AssetDetails> {
  const index = await readIndex(context.ledger);
  const token = index.tokens.get(dt);
  if (token === undefined) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: dt });
  return {
    token,
    ownerName: index.organizations.get(token.owner)?.name,
    ddo: await loadDdo(context.content, token),
    grantedTo: grantsOf(
      index,
      (index.parents.get(dt) ?? []).map((composite) => [dt, composite]),
    ),
    grantedFrom: grantsOf(
      index,
      token.children.map((child) => [child, dt]),
    ),
  };
}

const grantsOf = (index: LedgerIndex, pairs: readonly (readonly [TokenId, TokenId])[]): readonly ListedGrant[] =>
  pairs.map(([child, composite]) => index.grant(child, composite)).filter((grant) => grant !== undefined);
