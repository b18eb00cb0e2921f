import chalk from 'chalk';
import type { Check } from '../catalog/verify/checks.js';
import type { Verification, VerifiedParty } from '../catalog/verify-evidence.js';
import { inTotoStatement } from '../documents/exports/in-toto-statement.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { paintState } from './render-state.js';
import { printable, renderTime, shortHash } from './render-text.js';
import { renderTree, type TreeItem } from './render-tree.js';

/** Party by party: what was verified, what did not match, and what could not be checked from here. */
export function renderVerification({ job, parties, checks }: Verification, detailed: boolean): string {
  const passed = checks.filter(({ state }) => state === 'passed').length;
  const failed = checks.filter(({ state }) => state === 'failed').length;
  const skipped = checks.length - passed - failed;
  const counts = [`${passed} checks passed`, failed > 0 ? chalk.red(`${failed} failed`) : '', skipped > 0 ? `${skipped} not made` : ''];
  return renderTree({
    text: `${job === undefined ? 'no job' : chalk.cyan(`job ${job}`)}  ${counts.filter((part) => part !== '').join(', ')}`,
    below: parties.map((party) => partyItem(party, checks, detailed)),
  });
}

const marks = { verified: chalk.green('✓'), failed: chalk.red('✗'), missing: chalk.yellow('!') } as const;
const words = { verified: chalk.green('verified'), failed: chalk.red('does not match'), missing: chalk.yellow('no receipt') } as const;

function partyItem(party: VerifiedParty, checks: readonly Check[], detailed: boolean): TreeItem {
  const { outcome, receipt, signed, verdict } = party;
  const own = checks.filter((check) => check.party === party.party);
  const facts = [outcome === undefined ? '' : paintState(outcome), receipt === undefined ? '' : chalk.dim(`receipt ${shortHash(receipt)}`)];
  const line = [`${marks[verdict]} ${printable(party.party)}`, words[verdict], ...facts, chalk.dim(renderTime(signed?.receipt.finishedAt))];
  const failed = own.filter(({ state }) => state === 'failed');
  const needs = new Set(own.flatMap(({ needs: what }) => (what === undefined ? [] : [what])));
  const below = detailed ? own.map(checkItem) : [...failed.map(checkItem), ...[...needs].map(needItem)];
  return { text: line.filter((part) => part !== '').join('  '), below };
}

function checkItem({ name, at, state, expected, found, needs }: Check): TreeItem {
  const where = `${name} ${chalk.dim(printable(at))}`;
  if (state === 'passed') return { text: `${chalk.green('✓')} ${where}`, below: [] };
  if (state === 'skipped') return { text: `${chalk.yellow('·')} ${where}  needs ${printable(needs ?? '')}`, below: [] };
  return { text: `${chalk.red('✗')} ${where}\n  expected ${printable(expected ?? '')}\n  found    ${printable(found ?? '')}`, below: [] };
}

const needItem = (what: string): TreeItem => ({ text: chalk.yellow(`· not checked in full: it needs ${printable(what)}`), below: [] });

/** What a command ends with when anything failed. */
export function verificationError({ first, checks }: Verification): ToolkitError | undefined {
  if (first === undefined) return undefined;
  const { name, party, at, expected, found } = first;
  const failed = checks.filter(({ state }) => state === 'failed').length;
  return new ToolkitError('DT_RECEIPT_UNVERIFIED', { failed, count: checks.length, name, party, at, expected, found });
}

/** JSON lines, as attestations are bundled: what was not verified is attested to by nobody. */
export const renderStatements = ({ parties }: Verification): string =>
  parties
    .flatMap(({ verdict, signed }) => (verdict === 'verified' && signed !== undefined ? [JSON.stringify(inTotoStatement(signed))] : []))
    .join('\n');
