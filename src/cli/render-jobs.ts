import chalk from 'chalk';
import type { JobListing } from '../actions/job/list-jobs.js';
import type { TaskListing } from '../actions/job/list-tasks.js';
import { markOf, paintState } from './render-state.js';
import { renderTable } from './render-table.js';
import { printable, renderTime, shortId } from './render-text.js';

export function renderJobs(jobs: readonly JobListing[]): string {
  return renderTable(jobs, [
    { title: 'JOB', cell: ({ id }) => String(id), align: 'right' },
    { title: 'TASK', cell: ({ task, taskName }) => `${task} ${printable(taskName ?? '')}`.trimEnd() },
    { title: 'ALGORITHM', cell: ({ algorithm, algorithmName }) => printable(algorithmName ?? shortId(algorithm)) },
    { title: 'FOR', cell: ({ demander, demanderName }) => printable(demanderName ?? demander) },
    { title: 'ADDED', cell: ({ addedAt }) => renderTime(addedAt) },
    { title: 'REPORTED', cell: reported },
  ]);
}

/** `✓ 2 succeeded  ✗ 1 failed` */
function reported({ reports }: JobListing): string {
  if (reports.length === 0) return chalk.dim('nothing yet');
  const counts = new Map<string, number>();
  for (const { state } of reports) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${markOf(state)} ${count} ${paintState(state)}`).join('  ');
}

export function renderTasks(tasks: readonly TaskListing[]): string {
  return renderTable(tasks, [
    { title: 'TASK', cell: ({ id }) => String(id), align: 'right' },
    { title: 'NAME', cell: ({ name }) => printable(name) },
    { title: 'OF', cell: ({ demander, demanderName }) => printable(demanderName ?? demander) },
    { title: 'STATE', cell: ({ open }) => (open ? chalk.green('open') : chalk.dim('closed')) },
    { title: 'JOBS', cell: ({ jobs }) => String(jobs), align: 'right' },
    { title: 'ABOUT', cell: ({ description }) => printable(description) },
  ]);
}
