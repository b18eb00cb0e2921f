import type { LedgerStatistics } from '../../catalog/ledger-index.js';
import type { ReaderContext } from '../action-context.js';

export interface InspectedIndex {
  /** null: in memory. */
  readonly path: string | null;
  readonly sizeBytes: number;
  /** The block that it knows the chain up to. */
  readonly block: number;
  readonly blockHash: string;
  /** `whole`: every row was read and fits. `rebuilt`: it was damaged, or this was asked for. */
  readonly state: 'whole' | 'rebuilt';
  readonly rows: {
    readonly organizations: number;
    readonly operators: number;
    readonly tokens: number;
    readonly tasks: number;
    readonly jobs: number;
  };
}

/** The index of the chain on this machine, brought up to the chain's head and read as a whole, or built again first. */
export async function inspectIndex({ index }: Pick<ReaderContext, 'index'>, { rebuild }: { rebuild: boolean }): Promise<InspectedIndex> {
  if (rebuild) await index.rebuild();
  const isWhole = await index.check();
  const { organizations, operators, tokens, tasks, jobs } = await index.read((found): LedgerStatistics => found.statistics());
  const { path = null, sizeBytes, upTo } = index.status();
  return {
    path,
    sizeBytes,
    block: upTo?.block ?? 0,
    blockHash: upTo?.hash ?? '',
    state: isWhole && !rebuild ? 'whole' : 'rebuilt',
    rows: {
      organizations,
      operators: operators.published,
      tokens: tokens.leaves + tokens.composites,
      tasks: tasks.open + tasks.closed,
      jobs,
    },
  };
}
