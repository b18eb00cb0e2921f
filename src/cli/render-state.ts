import chalk from 'chalk';
import { printable, renderTime } from './render-text.js';

/** The state of a run or of a report, coloured; unknown words of a newer daemon stay readable. */
export function paintState(state: string): string {
  const text = printable(state);
  if (state === 'succeeded') return chalk.green(text);
  if (state === 'failed' || state === 'refused') return chalk.red(text);
  if (state === 'canceled' || state === 'unreachable' || state === 'absent') return chalk.yellow(text);
  return chalk.cyan(text);
}

export function markOf(state: string): string {
  if (state === 'succeeded') return chalk.green('✓');
  if (state === 'failed' || state === 'refused') return chalk.red('✗');
  if (state === 'canceled' || state === 'unreachable' || state === 'absent') return chalk.yellow('!');
  return chalk.cyan('…');
}

/** A grant on an edge of a tree: live, with its end where it has one, expired, revoked or none. */
export function paintGrant(state: string, until: number | undefined): string {
  if (state === 'live') return chalk.green(until === undefined || until === 0 ? 'granted' : `granted until ${renderTime(until)}`);
  if (state === 'expired') return chalk.yellow(`expired ${renderTime(until)}`);
  if (state === 'revoked') return chalk.red('revoked');
  return chalk.yellow('not granted');
}
