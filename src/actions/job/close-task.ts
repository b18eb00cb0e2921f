import { type ActionContext, step } from '../action-context.js';

/** No further job can be added, and no share that has not started yet starts. @throws DT_CHAIN_REVERTED */
export async function closeTask(context: ActionContext, task: bigint): Promise<void> {
  await step(context, `Close task ${task}`, () => context.ledger.closeTask(task));
}
