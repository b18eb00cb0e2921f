import chalk from 'chalk';
import type { ShareView } from '../actions/job/share-view.js';
import { markOf, paintState } from './render-state.js';
import { printable, printableLines, renderDuration, renderSize, shortId, widthOf } from './render-text.js';

/** One line a share, with what went wrong below it; not below `last`, whose error the command ends with. */
export function renderShares(shares: readonly ShareView[], last?: ShareView): string {
  return shares.flatMap((share) => [renderShare(share), ...(share === last ? [] : renderFailure(share))]).join('\n');
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
  const message = printableLines(failure.message).map((line) => chalk.red(line));
  return [`    ${message.join('\n    ')} ${chalk.dim(printable(failure.code))}`, `    ${chalk.cyan('→')} ${printable(failure.hint)}`];
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

interface NamedParty {
  readonly token: string;
  readonly ownerName: string;
  readonly assetName: string;
}

/**
 * The name of its party before each line, each party in a colour of its own, under each other as far as they are known. An owner with
 * several shares gets the asset behind its name.
 */
export function partyPrefixes(): (party: NamedParty) => string {
  const paints: readonly Paint[] = [chalk.cyan, chalk.magenta, chalk.yellow, chalk.blue, chalk.green];
  const known = new Map<string, NamedParty & { readonly paint: Paint }>();
  const nameOf = ({ ownerName, assetName }: NamedParty): string => {
    const owner = printable(ownerName);
    const shares = [...known.values()].filter((party) => party.ownerName === ownerName).length;
    return shares > 1 ? `${owner}/${printable(assetName)}`.slice(0, 40) : owner.slice(0, 40);
  };
  return (party) => {
    const { paint } = known.get(party.token) ?? { paint: paints[known.size % paints.length] ?? chalk.cyan };
    known.set(party.token, { ...party, paint });
    const name = nameOf(party);
    const widest = Math.max(...[...known.values()].map((each) => widthOf(nameOf(each))));
    return `${paint(name)}${' '.repeat(widest - widthOf(name))} ${chalk.dim('│')}`;
  };
}

/** Logs that are complete, each line after its party where there are several. */
export function renderLogs(shares: readonly (ShareView & { readonly log: string })[]): readonly string[] {
  const prefix = partyPrefixes();
  const partyOf = (share: ShareView): NamedParty => ({ ...share, assetName: share.asset });
  // Once for all, so that the names stand under each other from the first line on.
  shares.map(partyOf).map(prefix);
  return shares.flatMap((share) => {
    if (share.log === '') return [];
    const lead = shares.length === 1 ? '' : `${prefix(partyOf(share))} `;
    return printableLines(share.log).map((line) => lead + line);
  });
}
