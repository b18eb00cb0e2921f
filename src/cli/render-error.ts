import chalk from 'chalk';
import type { Clause } from '../documents/decision/decision.js';
import type { ToolkitError } from '../errors/toolkit-error.js';

/** What happened, each failed clause with what would pass, and what to do next. */
export function renderError(error: ToolkitError, withCause: boolean): string {
  const lines = [`${chalk.red.bold('✗')} ${error.message} ${chalk.dim(error.code)}`];
  const clauses = error.details['clauses'];
  if (Array.isArray(clauses)) {
    lines[0] = `${chalk.red.bold('✗')} ${clauses.length} of the conditions are not met. ${chalk.dim(error.code)}`;
    lines.push(...clauses.map((clause: Clause) => renderClause(clause)));
  }
  lines.push(`  ${chalk.cyan('→')} ${error.hint}`);
  if (withCause && error.cause instanceof Error) lines.push(chalk.dim(error.cause.stack ?? error.cause.message));
  return `${lines.join('\n')}\n`;
}

export function renderClause(clause: Clause): string {
  const show = (value: unknown): string => JSON.stringify(value);
  const mark = clause.passed ? chalk.green('  ✓') : chalk.red('  ✗');
  const of = clause.of.startsWith('dt:ownership:') ? `${clause.of.slice(0, 21)}…` : clause.of;
  const offered = clause.offered === undefined ? '' : ` offered ${show(clause.offered)}`;
  const required = clause.required === undefined ? '' : ` required ${show(clause.required)}`;
  const wish = clause.passed ? '' : chalk.yellow(` would pass: ${clause.wouldPass ?? '?'}`);
  return `${mark} ${clause.rule} ${chalk.dim(of)} ${clause.pointer}${required}${offered}${wish}`;
}
