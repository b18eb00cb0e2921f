import chalk from 'chalk';
import type { Explanation } from '../catalog/explanation.js';
import { markOf, paintState } from './render-state.js';
import { printable, printableLines, shortId } from './render-text.js';

/** One screen: what happened where, what shows it, what to do, and how the other shares stand. */
export function renderExplanation(
  { job, status, code, cause, at, evidence, next, others }: Explanation & { readonly job: bigint },
  again: (command: string) => string,
): string {
  const where =
    at === undefined ? '' : ` at ${chalk.bold(printable(at.ownerName))}  ${printable(at.asset)}  ${chalk.dim(shortId(at.token))}`;
  const text = next.command === undefined ? printable(next.text) : `${printable(next.text)}\n      ${again(printable(next.command))}`;
  return [
    `Job ${job}: ${paintState(status)}${where}`,
    `${markOf(status)} ${printableLines(cause).join('\n  ')} ${chalk.dim(printable(code))}`,
    ...evidence.flatMap(printableLines).map((line) => chalk.dim(`    ${line}`)),
    `  ${chalk.cyan('→')} ${text}`,
    ...(others.length === 0 ? [] : ['Beside it:']),
    ...others.map((share) => {
      const why = share.code === undefined ? '' : `  ${chalk.dim(printable(share.code))}`;
      return `  ${markOf(share.state)} ${printable(share.ownerName)}  ${printable(share.asset)}  ${paintState(share.state)}${why}`;
    }),
  ].join('\n');
}
