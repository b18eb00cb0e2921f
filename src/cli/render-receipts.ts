import chalk from 'chalk';
import type { ListedReceipt } from '../actions/tracer/list-receipts.js';
import { paintState } from './render-state.js';
import { renderTable } from './render-table.js';
import { printable, renderNone, renderTime, shortHash, shortId } from './render-text.js';

export function renderReceipts(receipts: readonly ListedReceipt[]): string {
  if (receipts.length === 0) return renderNone('No receipt on chain fits.', 'dt job list');
  return renderTable(receipts, [
    { title: 'JOB', cell: ({ job }) => String(job), align: 'right' },
    { title: 'ORGANIZATION', cell: ({ reporterName }) => printable(reporterName) },
    { title: 'ON', cell: ({ name, token }) => printable(name ?? shortId(token)) },
    { title: 'OUTCOME', cell: ({ state, isReplaced }) => (isReplaced ? chalk.dim(`${state}, replaced`) : paintState(state)) },
    { title: 'TIME', cell: ({ time }) => renderTime(time) },
    { title: 'RECEIPT', cell: ({ receipt }) => shortHash(receipt) },
    { title: 'TRANSACTION', cell: ({ transaction }) => shortHash(transaction) },
  ]);
}
