import chalk from 'chalk';
import { failedClauses } from '../documents/decision/decision.js';
import type { HoldView, RunView } from '../peers/daemon-client.js';
import { renderFields } from './render-table.js';
import { printable, renderDone, renderTime, shortHash, shortId } from './render-text.js';

/** What waits for the owner, one block each: who asks, for what code with which arguments on which data, or which files would leave. */
export function renderHolds(holds: readonly HoldView[]): string {
  if (holds.length === 0) return 'Nothing waits for your word.';
  return holds.map(renderHold).join('\n\n');
}

function renderHold({ kind, run, subject, operator, approved, arguments: given, data, outputs, clauses, problem }: HoldView): string {
  const failed = failedClauses(clauses).length;
  const code = operator && `${printable(shortId(operator.id))} version ${operator.version}, code ${shortHash(operator.digest)}`;
  return [
    `${chalk.bold(kind === 'request' ? 'request to approve' : 'outputs to look at')}  ${run.id}`,
    renderFields([
      ['job', `${printable(run.job)} on ${printable(shortId(run.token))}`],
      ['for', run.consumer],
      ['until', renderTime(run.deadlineAt)],
      ['operator', code],
      ['approved last', approved && operator && (approved.operator === operator.digest ? 'the same code' : chalk.yellow('other code'))],
      ['arguments', given && shorten(printable(JSON.stringify(given)))],
      ['data', data && shortHash(data)],
      ['conditions', `${clauses.length - failed} of ${clauses.length} met`],
      ...outputs.map(
        ({ name, sizeBytes, recipient }) =>
          ['file', `${printable(name)}, ${sizeBytes} bytes${recipient === 'owner' ? ', for you only' : ''}`] as const,
      ),
      ['subject', subject],
      ['problem', problem && chalk.red(printable(problem.message))],
    ]),
  ].join('\n');
}

export const renderAnswered = (runs: readonly RunView[]): string =>
  runs
    .map(({ id, approval, hold, state }) =>
      renderDone(
        state === 'refused' && approval?.outcome === 'approved'
          ? `${id} stays refused, but your no is withdrawn: a new job for the same asks you again`
          : `${id} ${(hold ?? approval)?.outcome ?? 'answered'}, now ${printable(state)}`,
      ),
    )
    .join('\n');

const LONGEST = 300;
const shorten = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
