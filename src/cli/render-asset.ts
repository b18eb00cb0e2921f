import chalk from 'chalk';
import type { AssetListing } from '../actions/asset/list-assets.js';
import type { AssetDetails } from '../actions/asset/show-asset.js';
import { isAlgorithm } from '../documents/ddo/ddo.js';
import { isLiveGrant } from '../documents/job/job-facts.js';
import { paintGrant } from './render-state.js';
import { renderFields, renderTable } from './render-table.js';
import { renderTerms } from './render-terms.js';
import { printable } from './render-text.js';

const kindOf = ({ children, ddo }: Pick<AssetListing, 'children' | 'ddo'>): string => {
  if (children.length === 0) return 'leaf';
  return ddo !== undefined && isAlgorithm(ddo) ? 'algorithm' : 'union';
};

export function renderAssets(assets: readonly AssetListing[], names: Readonly<Record<string, string>>): string {
  const nameOf = new Map(Object.entries(names).map(([name, id]) => [id, `@${name}`]));
  return renderTable(assets, [
    { title: 'NAME', cell: ({ ddo }) => printable(ddo?.metadata.main.name ?? '(document not readable)') },
    { title: '@', cell: ({ id }) => nameOf.get(id) ?? '' },
    { title: 'KIND', cell: kindOf },
    { title: 'OWNER', cell: ({ owner, ownerName }) => printable(ownerName ?? owner) },
    { title: 'STATE', cell: ({ activated }) => (activated ? '' : chalk.yellow('not activated')) },
    { title: 'ID', cell: ({ id }) => id },
  ]);
}

/** One token: what it is, its services with their constraints, and its grants in both directions. */
export function renderAsset({ token, ownerName, ddo, grantedTo, grantedFrom }: AssetDetails, now: number): string {
  const { name, type } = ddo.metadata.main;
  const state = (until: number | undefined): string =>
    paintGrant(until === undefined ? 'revoked' : isLiveGrant(until, now) ? 'live' : 'expired', until);
  const lines = [
    chalk.bold(printable(name)),
    renderFields([
      ['id', token.id],
      ['type', `${printable(type)}, ${kindOf({ children: token.children, ddo })}${token.activated ? '' : chalk.yellow(', not activated')}`],
      ['owner', `${ownerName === undefined ? '' : `${printable(ownerName)}  `}${token.owner}`],
    ]),
  ];
  for (const service of ddo.services) {
    const { index, endpoint, descriptor, attributes } = service;
    const demand = 'template' in descriptor ? descriptor : undefined;
    lines.push(
      `\n${chalk.bold('service')} ${printable(index)}`,
      renderFields([
        ['operator', demand && `${demand.template} version ${demand.version ?? 1}`],
        ['endpoint', typeof endpoint === 'string' ? printable(endpoint) : ''],
        ['attributes', Object.keys(attributes).length === 0 ? '' : printable(JSON.stringify(attributes))],
      ]),
      ...('template' in descriptor ? renderTerms(service) : []),
      ...(demand
        ? [indented('constraint', demand.constraint)]
        : 'workflow' in descriptor
          ? [indented('workflow', descriptor.workflow)]
          : []),
    );
  }
  const grants = (title: string, rows: readonly string[]): string[] => (rows.length === 0 ? [] : [`\n${chalk.bold(title)}`, ...rows]);
  lines.push(
    ...grants(
      'granted to',
      grantedTo.map(({ composite, until }) => `  ${composite}  ${state(until)}`),
    ),
    ...grants(
      'made of',
      token.children.map((child) => {
        const grant = grantedFrom.find((candidate) => candidate.child === child);
        return `  ${child}  ${grant === undefined ? paintGrant('none', undefined) : state(grant.until)}`;
      }),
    ),
  );
  return lines.filter((line) => line !== '').join('\n');
}

const indented = (title: string, value: unknown): string =>
  `  ${chalk.dim(title)}\n${JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) => `    ${printableJson(line)}`)
    .join('\n')}`;

/** JSON escapes what is below a blank; the rest of the control characters go here. The indentation stays. */
const printableJson = (line: string): string => line.replace(/^( *)(.*)$/s, (_, blanks: string, rest: string) => blanks + printable(rest));
