import { readIndex } from '../../catalog/ledger-index.js';
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
export async function traceStats(context: Pick<ReaderContext, 'ledger'>): Promise<TraceStats> {
  const index = await readIndex(context.ledger);
  const tokens = [...index.tokens.values()];
  const tasks = [...index.tasks.values()];
  const jobs = [...index.jobs.values()];
  const operators = [...index.operators.values()];
  const reports = jobs.flatMap((job) => [...job.reports.values()]);
  const count = <T>(items: readonly T[], test: (item: T) => boolean): number => items.filter(test).length;
  const shares: Record<string, number> = {};
  for (const { state } of reports) shares[state] = (shares[state] ?? 0) + 1;
  return {
    organizations: index.organizations.size,
    operators: { published: operators.length, retired: count(operators, ({ retired }) => retired) },
    tokens: {
      leaves: count(tokens, ({ children }) => children.length === 0),
      composites: count(tokens, ({ children }) => children.length > 0),
      activated: count(tokens, ({ children, activated }) => children.length > 0 && activated),
    },
    tasks: { open: count(tasks, ({ open }) => open), closed: count(tasks, ({ open }) => !open) },
    jobs: { added: jobs.length, shares },
    byOrganization: [...index.organizations.values()]
      .map(({ name, address }) => ({
        name,
        address,
        tokens: count(tokens, ({ owner }) => owner === address),
        jobsAsked: count(jobs, ({ demander }) => demander === address),
        sharesRun: count(reports, ({ reporter }) => reporter === address),
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
  };
}
