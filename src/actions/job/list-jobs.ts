import { tokenLabels } from '../../catalog/names.js';
import type { Address, TokenId } from '../../documents/ids.js';
import type { ReaderContext } from '../action-context.js';

export interface JobFilter {
  readonly task?: bigint;
  readonly demander?: Address;
}

export interface JobListing {
  readonly id: bigint;
  readonly task: bigint;
  readonly taskName: string | undefined;
  readonly algorithm: TokenId;
  readonly algorithmName: string | undefined;
  readonly demander: Address;
  readonly demanderName: string | undefined;
  /** Seconds since 1970. */
  readonly addedAt: number;
  /** What the owners have reported on chain so far, one a share. */
  readonly reports: readonly { readonly token: TokenId; readonly state: string }[];
}

/** Jobs as the chain knows them, oldest first. */
export async function listJobs(context: ReaderContext, filter: JobFilter = {}): Promise<readonly JobListing[]> {
  return context.index.read((index) => {
    const labelOf = tokenLabels(context.content, index);
    return Promise.all(
      index.jobs(filter).map(async ({ id, task, algorithm, demander, addedAt, reports }) => ({
        id,
        task,
        taskName: index.task(task)?.name,
        algorithm,
        algorithmName: (await labelOf(algorithm))?.name,
        demander,
        demanderName: index.organization(demander)?.name,
        addedAt,
        reports: [...reports].map(([token, { state }]) => ({ token, state })),
      })),
    );
  });
}
