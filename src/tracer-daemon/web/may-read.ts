import type { TokenId } from '../../documents/ids.js';
import type { LedgerReader, TokenRecord } from '../../ledger/ledger.js';
import type { Run } from '../store/run.js';
import type { Access } from './prove-access.js';

/** Of these runs those that the access shows: all, or those whose way from the algorithm down to their data leads through its scope. */
export async function mayRead(
  ledger: Pick<LedgerReader, 'tokenTree'>,
  access: Pick<Access, 'scope'> | undefined,
  runs: readonly Run[],
): Promise<readonly Run[]> {
  const scope = access?.scope;
  if (scope === undefined) return runs;
  const trees = new Map<TokenId, Promise<readonly TokenRecord[]>>();
  const treeOf = (algorithm: TokenId): Promise<readonly TokenRecord[]> => {
    const tree = trees.get(algorithm) ?? ledger.tokenTree(algorithm).then(({ tokens }) => tokens);
    trees.set(algorithm, tree);
    return tree;
  };
  const isIn = async ({ algorithm, token }: Run): Promise<boolean> => {
    if (token === scope || algorithm === scope) return true;
    const tokens = await treeOf(algorithm);
    return leadsTo(tokens, algorithm, scope) && leadsTo(tokens, scope, token);
  };
  const shown = await Promise.all(runs.map(isIn));
  return runs.filter((_, i) => shown[i]);
}

function leadsTo(tokens: readonly TokenRecord[], from: TokenId, to: TokenId): boolean {
  if (from === to) return true;
  return tokens.find(({ id }) => id === from)?.grants.some(({ child }) => leadsTo(tokens, child, to)) === true;
}
