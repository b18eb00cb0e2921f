import type { TokenId } from '../../documents/ids.js';
import { type ActionContext, step } from '../action-context.js';

/** The last step of composing, by itself: for a composite whose grants came after its minting. @throws DT_CHAIN_REVERTED naming the grant that is missing */
export async function activateAsset(context: ActionContext, composite: TokenId): Promise<void> {
  await step(context, 'Activate', () => context.ledger.activate(composite));
}
