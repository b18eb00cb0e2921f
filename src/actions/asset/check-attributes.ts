import { usableOperators } from '../../catalog/published.js';
import { operatorsOf, resolveBefore } from '../../catalog/resolve-facts.js';
import { checkAsset, documentsOf } from '../../constraints/check-facts.js';
import { checkLeaf } from '../../constraints/check-tree.js';
import { type AssetAttributes, buildDdo, type Ddo, isLeaf, saltOfAsset } from '../../documents/ddo/ddo.js';
import { type Clause, failedClauses } from '../../documents/decision/decision.js';
import type { Address } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';
import type { CheckAssetResult } from './check-asset.js';

/**
 * What minting would check of an attribute file, without minting: a leaf against the templates of its operators, a composite against
 * everything below it. Grants are not asked for yet. Nothing is written.
 * @throws DT_OPERATOR_UNKNOWN, DT_OPERATOR_RETIRED, DT_ASSET_UNKNOWN, DT_DOCUMENT_*
 */
export async function checkAttributes(context: ReaderContext, attributes: AssetAttributes, creator: Address): Promise<CheckAssetResult> {
  const dt = context.ledger.deriveId('token', creator, saltOfAsset(attributes));
  const clauses = await clausesOf(context, buildDdo(attributes, dt, creator, new Date()));
  return { dt, allowed: failedClauses(clauses).length === 0, clauses };
}

async function clausesOf(context: ReaderContext, ddo: Ddo): Promise<readonly Clause[]> {
  if (!isLeaf(ddo)) return checkAsset(await resolveBefore(context.ledger, context.content, ddo));
  const ids = operatorsOf([ddo]);
  const { operators } = await context.ledger.operatorsAndOrganizations(ids, []);
  return checkLeaf(ddo, documentsOf(await usableOperators(context.content, ids, operators)));
}
