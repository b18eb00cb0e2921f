import { readIndex } from '../../catalog/ledger-index.js';
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
export async function listTasks(context: Pick<ReaderContext, 'ledger'>, demander?: Address): Promise<readonly TaskListing[]> {
  const index = await readIndex(context.ledger);
  const jobs = [...index.jobs.values()];
  return [...index.tasks.values()]
    .filter((task) => demander === undefined || task.demander === demander)
    .map(({ id, name, description, open, demander: by }) => ({
      id,
      name,
      description,
      open,
      demander: by,
      demanderName: index.organizations.get(by)?.name,
      jobs: jobs.filter(({ task }) => task === id).length,
    }));
}
