import type { ListedEdge, ListedToken } from '../../catalog/ledger-index.js';
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
  readonly grantedTo: readonly AssetGrant[];
  /** What it was granted itself. */
  readonly grantedFrom: readonly AssetGrant[];
}

export interface AssetGrant {
  readonly child: TokenId;
  readonly composite: TokenId;
  /** 0: without an end; undefined: revoked. */
  readonly until: number | undefined;
}

/** One token with its document and grants. @throws DT_ASSET_UNKNOWN, DT_DOCUMENT_* */
export async function showAsset(context: ReaderContext, dt: TokenId): Promise<AssetDetails> {
  const { token, ...found } = await context.index.read((index) =>
    index.snapshot(() => {
      const known = index.token(dt);
      return {
        token: known,
        ownerName: known && index.organization(known.owner)?.name,
        grantedTo: grantsIn(index.wentInto(dt)),
        grantedFrom: grantsIn(index.madeOf(dt)),
      };
    }),
  );
  if (token === undefined) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: dt });
  return { token, ...found, ddo: await loadDdo(context.content, token) };
}

const grantsIn = (edges: readonly ListedEdge[]): readonly AssetGrant[] =>
  edges
    .filter(({ grant }) => grant !== 'none')
    .map(({ child, composite, grant, until }) => ({ child, composite, until: grant === 'revoked' ? undefined : until }));
