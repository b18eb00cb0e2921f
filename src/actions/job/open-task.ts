import { type ActionContext, step } from '../action-context.js';

export interface OpenTaskParameters {
  readonly name: string;
  readonly description: string;
}

/** A task says what is to be solved; jobs are added to it. @throws DT_CHAIN_REVERTED without the role of an aggregator */
export async function openTask(context: ActionContext, { name, description }: OpenTaskParameters): Promise<bigint> {
  return step(context, `Open task ${name}`, () => context.ledger.createTask(name, description), String);
}
