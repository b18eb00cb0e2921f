import { resolveTree } from '../../catalog/resolve-facts.js';
import { checkAsset as checkFacts, checkGrants } from '../../constraints/check-facts.js';
import { type Clause, failedClauses } from '../../documents/decision/decision.js';
import type { TokenId } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';

export interface CheckAssetResult {
  readonly dt: TokenId;
  readonly allowed: boolean;
  readonly clauses: readonly Clause[];
}

/** A dry run of every constraint and grant of a token and all below it. Nothing is written and nobody is asked. */
export async function checkAsset(context: ReaderContext, dt: TokenId): Promise<CheckAssetResult> {
  const facts = await resolveTree(context.ledger, context.content, dt);
  const clauses = [...checkFacts(facts), ...checkGrants(facts)];
  return { dt, allowed: failedClauses(clauses).length === 0, clauses };
}
