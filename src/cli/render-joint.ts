import chalk from 'chalk';
import type { JointEvidence } from '../actions/job/joint-evidence.js';
import type { JointFigures } from './demo-joint.js';
import { printable, renderDuration, renderSize, shortHash, widthOf } from './render-text.js';

/** What two banks gained by one model, what crossed between the parties for it, and what shows that no row was in it. For 80 columns. */
export const renderJoint = (figures: JointFigures): string =>
  [...renderGain(figures), '', ...renderLinks(figures), '', ...renderGrounds(figures.evidence)].join('\n');

/** Width of a bar for all of what can be gained over guessing. */
const BAR = 92;

function renderGain({ auc, rows, join, columns, steps, trainMs }: JointFigures): readonly string[] {
  const bar = (value: number): string => '█'.repeat(Math.max(1, Math.round((value - 0.5) * BAR)));
  const line = (name: string, value: number, rest: string): string => `  ${name.padEnd(14)}${chalk.bold(value.toFixed(4))}  ${rest}`;
  const difference = `${auc.difference < 0 ? '' : '+'}${auc.difference.toFixed(4)}`;
  return [
    `  Found by id, in private: ${join.common} common customers of ${join.a} and ${join.b} ${chalk.dim(`(${join.protocol})`)}`,
    `  AUC on customers that no model has seen ${chalk.dim('(0.5 is guessing, 1 is perfect)')}`,
    line('Bank A alone', auc.alone, chalk.dim(bar(auc.alone))),
    line('both banks', auc.joint, `${chalk.green(bar(auc.joint))} ${chalk.bold(difference)}`),
    chalk.dim(`  ${columns.a} + ${columns.b} columns, ${rows.train} rows to train on, ${steps} steps in ${renderDuration(trainMs)}`),
    chalk.dim(`  tested on ${rows.alone.test} of bank A's customers, and on ${rows.test} of the common ones`),
  ];
}

const BOX = 24;
const GAP = 28;

/** The parties, and what went over each link both ways. */
function renderLinks({ columns, evidence }: JointFigures): readonly string[] {
  const link = (from: string, to: string) => evidence.links.find((each) => each.from === from && each.to === to);
  const size = (from: string, to: string): string => renderSize(link(from, to)?.bytes ?? 0);
  const across = (from: string, to: string): string => `${size(from, to)} in ${link(from, to)?.messages ?? 0} messages`;
  const name = (seat: string): string => chalk.bold(printable(nameOf(evidence, seat)));
  const box = (text: string, width = BOX): string => `│ ${fill(text, width - 4)} │`;
  const edge = (left: string, right: string, width = BOX): string => `${left}${'─'.repeat(width - 2)}${right}`;
  const dealt = (bank: string): string => fill(`▲ ${size('2', bank)}`, 12) + fill(`│ ${size(bank, '2')}`, 12);
  const wide = 2 * BOX + GAP;
  const lines = [
    `${edge('┌', '┐')}${' '.repeat(GAP)}${edge('┌', '┐')}`,
    `${box(name('0'))} ${arrow(across('0', '1'), '─', '▶')} ${box(name('1'))}`,
    `${box(`${columns.a} columns, the label`)} ${arrow(across('1', '0'), '◀', '─')} ${box(`${columns.b} columns`)}`,
    `${edge('└', '┘')}${' '.repeat(GAP)}${edge('└', '┘')}`,
    `  ${fill(dealt('0'), BOX + GAP)}${dealt('1')}`,
    `  ${fill('│           ▼', BOX + GAP)}│           ▼`,
    edge('┌', '┐', wide),
    box(`${name('2')}   no data: asks for the model, deals the random numbers`, wide),
    edge('└', '┘', wide),
  ];
  return lines.map((line) => `  ${line}`.trimEnd());
}

/** A line with words in its middle, from one box to the other. */
function arrow(text: string, from: string, to: string): string {
  const room = GAP - 2 - widthOf(text) - 4;
  const left = Math.max(1, Math.floor(room / 2) + 1);
  return `${from}${'─'.repeat(left - 1)} ${text} ${'─'.repeat(Math.max(1, room + 2 - left) - 1)}${to}`;
}

const fill = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

const nameOf = ({ receipts }: JointEvidence, seat: string): string => receipts.find((receipt) => receipt.seat === seat)?.ownerName ?? seat;

function renderGrounds(evidence: JointEvidence): readonly string[] {
  const { links, receipts } = evidence;
  const agreed = links.every(({ agrees }) => agrees);
  const toDealer = links.filter(({ to }) => to === '2').reduce((sum, { bytes }) => sum + bytes, 0);
  const dealer = printable(nameOf(evidence, '2'));
  const mark = (holds: boolean): string => (holds ? chalk.green('✓') : chalk.red('✗'));
  const bySeat = [...receipts].sort((one, other) => Number(one.seat) - Number(other.seat));
  const onChain = bySeat.filter(({ isHelper }) => !isHelper);
  const helpers = bySeat.filter(({ isHelper }) => isHelper);
  const owners = [...new Set(onChain.map(({ ownerName }) => ownerName))];
  const byOwner = owners.map((owner) =>
    [printable(owner), ...onChain.filter(({ ownerName }) => ownerName === owner).map(({ receipt }) => shortHash(receipt))].join(' '),
  );
  return [
    chalk.bold(agreed ? '  No row left its bank. What shows it:' : chalk.red('  The receipts contradict each other.')),
    `  ${mark(agreed)} both ends of each link counted and hashed the same messages, and signed it`,
    `  ${mark(true)} the banks sent ${dealer} ${renderSize(toDealer)}: the set-up and the figures asked for`,
    `  ${mark(onChain.every(({ anchored }) => anchored === 'on chain'))} receipts on chain: ${byOwner.join(', ')}`,
    ...helpers.map(({ ownerName, receipt, anchored }) => {
      const where = anchored === 'on chain' ? 'is below a root on chain' : 'is not on chain yet';
      return `  ${mark(anchored === 'on chain')} ${printable(ownerName)} brought no data; its receipt ${shortHash(receipt)} ${where}`;
    }),
    `  ${chalk.cyan('→')} what the banks sent each other is masked, and random to its receiver but for`,
    chalk.dim('    the shuffled scores of held-out rows: tests/unit/privacy/transcripts.test.ts'),
    `  ${chalk.cyan('→')} each bank learned how many customers the other has, and which of its own`,
    chalk.dim('    are common; the dealer how many these are'),
    `  ${chalk.cyan('→')} ${dealer} and one bank together could unmask the other: docs/THREAT-MODEL.md`,
  ];
}
