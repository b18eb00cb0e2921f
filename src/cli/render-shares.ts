import chalk from 'chalk';
import type { ShareView } from '../actions/job/share-view.js';
import { markOf, paintState } from './render-state.js';
import { printable, printableLines, renderDuration, renderSize, shortId } from './render-text.js';

/** One line a share, with what went wrong below it. */
export function renderShares(shares: readonly ShareView[]): string {
  return shares.flatMap((share) => [renderShare(share), ...renderFailure(share)]).join('\n');
}

function renderShare(share: ShareView): string {
  const parts = [
    `${markOf(share.state)} ${chalk.bold(printable(share.ownerName))}`,
    printable(share.asset),
    chalk.dim(shortId(share.token)),
    paintState(share.state),
    took(share),
    share.outputs.length === 0 ? '' : `${share.outputs.length} ${share.outputs.length === 1 ? 'output' : 'outputs'}`,
    (share.attempt ?? 1) > 1 ? chalk.dim(`attempt ${share.attempt}`) : '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function took({ startedAt, finishedAt }: ShareView): string {
  if (startedAt === undefined || finishedAt === undefined) return '';
  const ms = Date.parse(finishedAt) - Date.parse(startedAt);
  return Number.isNaN(ms) ? '' : chalk.dim(renderDuration(ms));
}

function renderFailure({ failure }: ShareView): readonly string[] {
  if (failure === undefined) return [];
  const [first = '', ...rest] = printableLines(failure.message);
  return [
    `    ${chalk.red(first)} ${chalk.dim(printable(failure.code))}`,
    ...rest.map((line) => `    ${line}`),
    `    ${chalk.cyan('→')} ${printable(failure.hint)}`,
  ];
}

/** What was released, a line a file; with `files` also where it lies now. */
export function renderOutputs(share: ShareView, files?: readonly string[]): string {
  return share.outputs
    .map(({ name, sizeBytes }, i) => {
      const place = files?.[i];
      return `    ${place ?? printable(name)}  ${chalk.dim(renderSize(sizeBytes))}`;
    })
    .join('\n');
}

type Paint = (text: string) => string;

/**
 * Names of parties before their lines, each in a colour of its own, in columns. Two shares of one owner are told apart by their assets.
 * One share alone needs no name.
 */
export function partyPrefixes(): (party: { readonly token: string; readonly ownerName: string; readonly assetName: string }) => string {
  const paints: readonly Paint[] = [chalk.cyan, chalk.magenta, chalk.yellow, chalk.blue, chalk.green];
  const known = new Map<string, Paint>();
  return ({ token, ownerName, assetName }) => {
    const paint = known.get(token) ?? paints[known.size % paints.length] ?? chalk.cyan;
    known.set(token, paint);
    return `${paint(`${printable(ownerName)}/${printable(assetName)}`)} ${chalk.dim('│')}`;
  };
}

/** Logs that are complete, each line after its party where there are several. */
export function renderLogs(shares: readonly (ShareView & { readonly log: string })[]): readonly string[] {
  const prefix = partyPrefixes();
  return shares.flatMap((share) => {
    if (share.log === '') return [];
    const lead = shares.length === 1 ? '' : `${prefix({ ...share, assetName: share.asset })} `;
    return printableLines(share.log).map((line) => lead + line);
  });
}
