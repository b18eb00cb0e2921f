import type { TokenId } from '../documents/ids.js';
import type { LedgerIndex } from './ledger-index.js';

/** The leaves below a token, each once, in the order in which they are met. */
export function leavesOf(index: Pick<LedgerIndex, 'token'>, root: TokenId): readonly TokenId[] {
  const leaves: TokenId[] = [];
  const seen = new Set<TokenId>();
  const walk = (id: TokenId): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const children = index.token(id)?.children ?? [];
    if (children.length === 0) leaves.push(id);
    children.forEach(walk);
  };
  walk(root);
  return leaves;
}
