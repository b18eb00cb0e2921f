import chalk from 'chalk';
import type { ListedReceipt } from '../actions/tracer/list-receipts.js';
import { paintState } from './render-state.js';
import { renderTable } from './render-table.js';
import { printable, renderNone, renderTime, shortHash, shortId } from './render-text.js';

export function renderReceipts(receipts: readonly ListedReceipt[]): string {
  if (receipts.length === 0) return renderNone('No receipt on chain fits.', 'dt job list');
  return renderTable(receipts, [
    { title: 'job', cell: ({ job }) => String(job), align: 'right' },
    { title: 'organization', cell: ({ reporterName }) => printable(reporterName) },
    { title: 'on', cell: ({ name, token }) => printable(name ?? shortId(token)) },
    { title: 'outcome', cell: ({ state, isReplaced }) => (isReplaced ? chalk.dim(`${state}, replaced`) : paintState(state)) },
    { title: 'time', cell: ({ time }) => renderTime(time) },
    { title: 'receipt', cell: ({ receipt }) => shortHash(receipt) },
    { title: 'transaction', cell: ({ transaction }) => shortHash(transaction) },
  ]);
}
