import type { TraceStats } from '../actions/tracer/trace-stats.js';
import { paintState } from './render-state.js';
import { renderFields, renderTable } from './render-table.js';
import { printable } from './render-text.js';

const counted = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

export function renderStats({ organizations, operators, tokens, tasks, jobs, byOrganization }: TraceStats): string {
  const shares = Object.entries(jobs.shares).map(([state, count]) => `${count} ${paintState(state)}`);
  const totals = renderFields([
    ['organizations', String(organizations)],
    ['operators', `${operators.published}${operators.retired === 0 ? '' : `, ${operators.retired} of them retired`}`],
    [
      'tokens',
      `${counted(tokens.leaves, 'leaf', 'leaves')}, ${counted(tokens.composites, 'composite', 'composites')} (${tokens.activated} activated)`,
    ],
    ['tasks', `${tasks.open} open, ${tasks.closed} closed`],
    ['jobs', `${jobs.added}${shares.length === 0 ? '' : `; shares reported: ${shares.join(', ')}`}`],
  ]);
  if (byOrganization.length === 0) return totals;
  const table = renderTable(byOrganization, [
    { title: 'ORGANIZATION', cell: ({ name }) => printable(name) },
    { title: 'TOKENS', cell: (row) => String(row.tokens), align: 'right' },
    { title: 'JOBS ASKED FOR', cell: ({ jobsAsked }) => String(jobsAsked), align: 'right' },
    { title: 'SHARES RUN', cell: ({ sharesRun }) => String(sharesRun), align: 'right' },
  ]);
  return `${totals}\n\n${table}`;
}
