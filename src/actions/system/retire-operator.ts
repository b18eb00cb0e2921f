import type { TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type ActionContext, step } from '../action-context.js';

/** From now on nothing new may use it, and no job on it starts. It cannot be undone. @throws DT_OPERATOR_UNKNOWN, DT_OPERATOR_RETIRED, DT_CHAIN_REVERTED */
export async function retireOperator(context: ActionContext, tid: TokenId): Promise<void> {
  const [record] = (await context.ledger.operatorsAndOrganizations([tid], [])).operators;
  if (record === undefined) throw new ToolkitError('DT_OPERATOR_UNKNOWN', { id: tid });
  if (record.retired) throw new ToolkitError('DT_OPERATOR_RETIRED', { id: tid });
  await step(context, 'Retire the operator', () => context.ledger.retireOperator(tid));
}
