import type { Address } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';

export interface TaskListing {
  readonly id: bigint;
  readonly name: string;
  readonly description: string;
  readonly open: boolean;
  readonly demander: Address;
  readonly demanderName: string | undefined;
  readonly jobs: number;
}

/** All tasks of the chain, oldest first, or those of one demander. */
export async function listTasks(context: Pick<ReaderContext, 'index'>, demander?: Address): Promise<readonly TaskListing[]> {
  return context.index.read((index) =>
    index.tasks({ demander }).map((task) => ({ ...task, demanderName: index.organization(task.demander)?.name })),
  );
}
