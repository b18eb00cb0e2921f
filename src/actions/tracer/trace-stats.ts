import type { ReaderContext } from '../action-context.js';

export interface TraceStats {
  readonly organizations: number;
  readonly operators: { readonly published: number; readonly retired: number };
  readonly tokens: { readonly leaves: number; readonly composites: number; readonly activated: number };
  readonly tasks: { readonly open: number; readonly closed: number };
  readonly jobs: { readonly added: number; readonly shares: Readonly<Record<string, number>> };
  /** One row an organization, by name. */
  readonly byOrganization: readonly {
    readonly name: string;
    readonly address: string;
    readonly tokens: number;
    readonly jobsAsked: number;
    readonly sharesRun: number;
  }[];
}

/** What happened on the chain, in numbers, from its events alone. */
export async function traceStats(context: Pick<ReaderContext, 'index'>): Promise<TraceStats> {
  return context.index.read((index) => {
    const { organizations, operators, tokens, tasks, jobs, shares, byOrganization } = index.statistics();
    return {
      organizations,
      operators,
      tokens,
      tasks,
      jobs: { added: jobs, shares },
      byOrganization: [...byOrganization]
        .map(([address, counts]) => ({ name: index.organization(address)?.name ?? address, address, ...counts }))
        .sort((a, b) => a.name.localeCompare(b.name)),
    };
  });
}
