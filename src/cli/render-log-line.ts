import { inspect } from 'node:util';
import chalk from 'chalk';
import { printable } from './render-text.js';

const LEVELS: Readonly<Record<number, string>> = {
  10: chalk.dim('trace'),
  20: chalk.dim('debug'),
  30: chalk.green('info '),
  40: chalk.yellow('warn '),
  50: chalk.red('error'),
  60: chalk.red('fatal'),
};

/** A line of the daemon's log as people read it: time, level, what happened, to what. Peers write parts of it. */
export function renderLogLine(json: string): string {
  const { level, time, pid: _pid, hostname: _hostname, msg, err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const { code, message, hint } = (err ?? {}) as Record<string, unknown>;
  const facts = err === undefined ? rest : { ...rest, code, problem: message, next: hint };
  const words = Object.entries(facts).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${plain(value)}`]));
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const tail = words.length === 0 ? '' : `  ${chalk.dim(words.join('  '))}`;
  return `${chalk.dim(clock)} ${LEVELS[Number(level)] ?? plain(level)} ${plain(msg)}${tail}\n`;
}

const plain = (value: unknown): string =>
  printable(typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY }));
