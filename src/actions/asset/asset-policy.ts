import type { JsonObject } from '../../documents/canonical.js';
import { odrlPolicy } from '../../documents/exports/odrl-policy.js';
import { isLiveGrant } from '../../documents/job/job-facts.js';
import type { ReaderContext } from '../action-context.js';
import type { AssetDetails } from './show-asset.js';

/** The policy of a token as ODRL, with its live grants. @throws DT_CHAIN_* */
export async function assetPolicy({ ledger }: ReaderContext, { token, ddo, grantedTo }: AssetDetails): Promise<JsonObject> {
  const now = (await ledger.head()).time;
  const live = grantedTo.filter(({ until }) => isLiveGrant(until, now));
  const grants = live.map(async ({ child, composite, until = 0 }) => {
    const { tokens } = await ledger.tokenTree(composite);
    return { child, composite, until, assignee: tokens[0]?.owner };
  });
  return odrlPolicy({ chainId: ledger.ref.chainId, owner: token.owner, ddo, grants: await Promise.all(grants) });
}
