import chalk from 'chalk';
import type { SimulatedShare } from '../actions/job/simulate-job.js';
import type { LogListener } from '../actions/job/simulated-process.js';
import { type Column, renderTable } from './render-table.js';
import { printable, renderDuration, renderSize } from './render-text.js';

const paints = [chalk.cyan, chalk.magenta, chalk.yellow, chalk.blue, chalk.green] as const;

/** What nobody who simulates may overlook. */
export const renderSimulationWarning = (): string =>
  [
    chalk.yellow.bold('! Simulation: no sandbox, no chain, no constraints, no keys.'),
    chalk.yellow('  The operator runs as you, with your files and your network, and all seats are on this machine.'),
    chalk.yellow('  For authors, on data of their own: not for the data of others, and not for operators that you have not read.'),
  ].join('\n');

/** Each line of each seat as it comes. */
export const simulationListener =
  (write: (line: string) => void): LogListener =>
  (seat, stream, line) => {
    const paint = paints[Number(seat) % paints.length] ?? chalk.cyan;
    const text = printable(line);
    write(`${paint(`seat ${seat}`)} ${chalk.dim('│')} ${stream === 'stderr' ? chalk.dim(text) : text}`);
  };

export function renderSimulation(shares: readonly SimulatedShare[]): string {
  const columns: Column<SimulatedShare>[] = [
    { title: 'seat', cell: ({ seat }) => seat },
    { title: 'name', cell: ({ name }) => printable(name) },
    { title: 'exit', cell: exitOf },
    ...shares.map(({ seat: to }) => ({
      title: `sent to ${to}`,
      cell: (share: SimulatedShare) => sentTo(share, to),
      align: 'right' as const,
    })),
    { title: 'transcript', cell: transcriptOf },
    { title: 'memory', cell: ({ peakMemoryBytes }) => (peakMemoryBytes === undefined ? '' : renderSize(peakMemoryBytes)), align: 'right' },
    { title: 'time', cell: ({ wallMs }) => renderDuration(wallMs), align: 'right' },
  ];
  const outputs = shares.flatMap(({ seat, outputs: files }) =>
    files.map(
      ({ name, sizeBytes, file }) => `  seat ${seat}  ${printable(file ?? `outputs/${name}`)}  ${chalk.dim(renderSize(sizeBytes))}`,
    ),
  );
  const causes = shares.flatMap(({ seat, cause }) =>
    cause === undefined
      ? []
      : [`  seat ${seat}  ${chalk.red(printable(cause.message))} ${chalk.dim(printable(cause.code ?? ''))}`.trimEnd()],
  );
  return [renderTable(shares, columns), ...outputs, ...causes].join('\n');
}

const exitOf = ({ exitCode, exitSignal }: SimulatedShare): string =>
  exitCode === 0 ? chalk.green('0') : chalk.red(exitSignal ?? String(exitCode));

function sentTo({ sent }: SimulatedShare, to: string): string {
  const link = sent.find((each) => each.to === to);
  return link === undefined ? '' : `${renderSize(link.bytes)} in ${link.messages}`;
}

function transcriptOf({ sent }: SimulatedShare): string {
  const cut = sent.filter(({ arrived }) => !arrived).map(({ to }) => to);
  return cut.length === 0 ? 'agrees' : chalk.red(`cut to ${cut.join(', ')}`);
}
