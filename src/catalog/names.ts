import type { ContentStore } from '../content-store/content-store.js';
import type { Address, TokenId } from '../documents/ids.js';
import type { LedgerIndex, TokenLabel } from './ledger-index.js';

/** What tokens are called, each document read once in the life of the index; undefined where it cannot be read from here. */
export function tokenLabels(content: ContentStore, index: LedgerIndex): (id: TokenId) => Promise<TokenLabel | undefined> {
  const known = new Map<TokenId, Promise<TokenLabel | undefined>>();
  const read = async (id: TokenId): Promise<TokenLabel | undefined> => {
    const token = index.brief(id);
    if (token === undefined) return undefined;
    const noted = index.label(token.digest);
    if (noted !== undefined) return noted;
    // Documents come with their schemas, which whoever has all labels does without.
    const { loadDdo } = await import('./load-documents.js');
    const ddo = await loadDdo(content, token).catch(() => undefined);
    if (ddo === undefined) return undefined;
    const label = { name: ddo.metadata.main.name, type: ddo.metadata.main.type };
    index.noteLabel(token.digest, label);
    return label;
  };
  return (id) => {
    const label = known.get(id) ?? read(id);
    known.set(id, label);
    return label;
  };
}

/** What an organization is called; its address where it is not registered. */
export const organizationName = (index: LedgerIndex, address: Address | undefined): string =>
  (address && index.organization(address)?.name) ?? address ?? 'unknown';
