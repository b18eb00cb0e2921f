import { resolveTree } from '../../catalog/resolve-facts.js';
import { checkAsset } from '../../constraints/check-facts.js';
import { requireAll } from '../../documents/decision/decision.js';
import type { TokenId } from '../../documents/ids.js';
import type { ActionContext } from '../action-context.js';

export interface GrantParameters {
  readonly dt: TokenId;
  readonly composite: TokenId;
  /** Seconds since 1970; 0: without an end. */
  readonly until: number;
}

/** The owner grants by its own key, after the same checks that its daemon would make. @throws DT_POLICY_DENIED, DT_CHAIN_REVERTED */
export async function grantAsset(context: ActionContext, { dt, composite, until }: GrantParameters): Promise<void> {
  requireAll(composite, checkAsset(await resolveTree(context.ledger, context.content, composite)));
  await context.ledger.grant(dt, composite, until);
}

/** From the next check on, everything above `dt` in that composite is unusable, and jobs that run on it end. @throws DT_CHAIN_REVERTED */
export async function revokeAsset(context: ActionContext, { dt, composite }: Omit<GrantParameters, 'until'>): Promise<void> {
  await context.ledger.revoke(dt, composite);
}
