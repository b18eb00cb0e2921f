import chalk from 'chalk';
import { clausesIn } from '../documents/decision/clauses-in.js';
import type { Clause } from '../documents/decision/decision.js';
import type { ToolkitError } from '../errors/toolkit-error.js';
import { printable, printableLines, shortId } from './render-text.js';

/** What happened, each failed clause with what would pass, and what to do next. */
export function renderError(error: ToolkitError, withCause: boolean): string {
  const clauses = clausesIn(error.details['clauses']);
  const count = clauses.length === 1 ? 'One condition is not met.' : `${clauses.length} conditions are not met.`;
  const message = clauses.length === 0 ? printableLines(error.message) : [count];
  // Behind the last of several lines it would look like a part of what an operator wrote.
  const code = `${message.length > 1 ? '\n  ' : ' '}${chalk.dim(error.code)}`;
  const lines = [
    `${chalk.red.bold('✗')} ${message.join('\n  ')}${code}`,
    ...clauses.map((clause) => renderClause(clause)),
    `  ${chalk.cyan('→')} ${printable(error.hint)}`,
  ];
  if (withCause && error.cause instanceof Error) lines.push(chalk.dim(error.cause.stack ?? error.cause.message));
  return `${lines.join('\n')}\n`;
}

export function renderClause(clause: Clause): string {
  const mark = clause.passed ? chalk.green('  ✓') : chalk.red('  ✗');
  const required = clause.required === undefined ? '' : ` required ${show(clause.required)}`;
  const offered = clause.offered === undefined ? '' : ` offered ${show(clause.offered)}`;
  const wish = clause.passed ? '' : chalk.yellow(` would pass: ${printable(String(clause.wouldPass ?? '?'))}`);
  return `${mark} ${printable(clause.rule)} ${chalk.dim(printable(shortId(clause.of)))} ${printable(clause.pointer)}${required}${offered}${wish}`;
}

const LONGEST = 160;

function show(value: unknown): string {
  const text = printable(JSON.stringify(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
