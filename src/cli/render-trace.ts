import chalk from 'chalk';
import type { TracedJob, TracedStep } from '../actions/tracer/trace-job.js';
import type { TraceJob, TraceNode, TraceReport, TraceVerdict } from '../actions/tracer/trace-lifecycle.js';
import { markOf, paintGrant, paintState } from './render-state.js';
import { printable, renderTime, shortHash, shortId } from './render-text.js';
import { renderTree, type TreeItem } from './render-tree.js';

/** A token's tree with its grants on the edges, and below the algorithms their jobs with what each owner reported. */
export const renderTrace = (root: TraceNode, detailed: boolean): string => renderTree(itemOf(root, detailed));

function itemOf(node: TraceNode, detailed: boolean): TreeItem {
  const name = node.name === undefined ? chalk.yellow('(document not readable)') : chalk.bold(printable(node.name));
  const type = node.type === undefined ? '' : chalk.dim(printable(node.type));
  const grant = node.grant === undefined ? '' : `[${paintGrant(node.grant.state, node.grant.until)}]`;
  const id = chalk.dim(detailed ? node.token : shortId(node.token));
  const seen = node.repeated ? chalk.dim('↑ shown above') : '';
  const line = [name, detailed ? '' : id, `${chalk.dim('of')} ${printable(node.ownerName)}`, type, grant, seen];
  const text = line.filter((part) => part !== '').join('  ');
  return {
    text: detailed ? `${text}\n${id}` : text,
    below: [
      ...node.jobs.map((job) => jobItem(job, detailed)),
      ...node.receipts.map((receipt) => ({ text: `${chalk.cyan(`job ${receipt.job}`)}  ${reportLine(receipt, detailed)}`, below: [] })),
      ...node.children.map((child) => itemOf(child, detailed)),
    ],
  };
}

function jobItem(job: TraceJob, detailed: boolean): TreeItem {
  const title = `${chalk.cyan(`job ${job.job}`)} of task ${job.task} ${JSON.stringify(printable(job.taskName))}`;
  return {
    text: `${title}  ${chalk.dim('for')} ${printable(job.demanderName)}  ${chalk.dim(renderTime(job.addedAt))}`,
    below: [
      ...job.reports.map((report) => ({ text: reportLine(report, detailed), below: [] })),
      ...job.missing.map((share) => ({ text: missingLine(share), below: [] })),
    ],
  };
}

function reportLine(report: TraceReport, detailed: boolean): string {
  const line = `${markOf(report.state)} ${printable(report.reporterName)}  ${paintState(report.state)}${verdictOf(report)}`;
  const time = chalk.dim(renderTime(report.time));
  if (!detailed) return `${line}  ${chalk.dim(`on ${shortId(report.token)}  receipt ${shortHash(report.receipt)}`)}${mismatchOf(report)}`;
  return `${line}  ${time}\n${chalk.dim(`on ${report.token}`)}\n${chalk.dim(`receipt ${report.receipt}`)}${mismatchOf(report)}`;
}

const missingLine = (share: TraceJob['missing'][number]): string =>
  `${markOf('pending')} ${printable(share.ownerName)}  ${chalk.dim(`not reported yet, on ${shortId(share.token)}`)}${verdictOf(share)}${mismatchOf(share)}`;

function verdictOf({ verdict }: TraceVerdict): string {
  if (verdict === undefined) return '';
  if (verdict === 'verified') return `  ${chalk.green('verified')}`;
  return verdict === 'failed' ? `  ${chalk.red('does not match')}` : `  ${chalk.yellow('no receipt')}`;
}

const mismatchOf = ({ mismatch }: TraceVerdict): string => (mismatch === undefined ? '' : `\n${chalk.red(printable(mismatch))}`);

/** One job with its shares. */
export function renderTracedJob(traced: TracedJob): string {
  const { algorithm, task } = traced;
  const below = traced.shares.map((share): TreeItem => {
    const { report } = share;
    const seat = share.seat === undefined ? '' : chalk.dim(` on seat ${share.seat}`);
    const asset = printable(share.name ?? '(document not readable)');
    const name = `${markOf(report?.state ?? 'pending')} ${printable(share.ownerName)}${seat}: ${asset}`;
    if (report === undefined) return { text: `${name}  ${chalk.dim('not reported yet')}\n${chalk.dim(share.token)}`, below: [] };
    const by = report.reporterName === share.ownerName ? '' : `  ${chalk.dim('by')} ${printable(report.reporterName)}`;
    return {
      text: `${name}  ${paintState(report.state)}${by}  ${chalk.dim(renderTime(report.time))}\n${chalk.dim(share.token)}\n${chalk.dim(`receipt ${report.receipt}`)}`,
      below: [],
    };
  });
  const steps = traced.steps.map((step, i): TreeItem => ({ text: stepLine(step, i + 1), below: [] }));
  const helpers = traced.helpers.map(({ seat, name }): TreeItem => {
    const text = `${printable(name)}${chalk.dim(` on seat ${seat}`)}: helps, brings no data`;
    return {
      text: `${chalk.dim('·')} ${text}  ${chalk.dim(`no report; its receipt is below an anchored root: dt tracer verify ${traced.job}`)}`,
      below: [],
    };
  });
  const title = `${chalk.cyan(`job ${traced.job}`)} of task ${task.id} ${JSON.stringify(printable(task.name))}${task.open ? '' : chalk.dim(' (closed)')}`;
  const runs = `${chalk.dim('runs')} ${printable(algorithm.name ?? shortId(algorithm.token))} ${chalk.dim('of')} ${printable(algorithm.ownerName)}`;
  const asked = `${chalk.dim('for')} ${printable(traced.demanderName)}  ${chalk.dim(renderTime(traced.addedAt))}`;
  return renderTree({ text: `${title}  ${asked}\n${runs}  ${chalk.dim(algorithm.token)}`, below: [...steps, ...below, ...helpers] });
}

/** What a join tells is said with it: it is part of what the owners agreed to. */
function stepLine({ seats, join, operator }: TracedStep, number: number): string {
  const step = chalk.cyan(`step ${number}`);
  const on = `seats ${seats.join(seats.length > 2 ? ', ' : ' and ')}`;
  if (join === undefined)
    return `${step} ${printable(operator.name ?? shortId(operator.token))} ${chalk.dim(`version ${operator.version}, ${on}`)}`;
  const name = typeof join.on === 'string' ? join.on : JSON.stringify(join.on);
  const rule =
    join.normalize === 'none' ? '' : `, after ${typeof join.normalize === 'string' ? join.normalize : JSON.stringify(join.normalize)}`;
  const least = join.leastCommon > 0 ? `, at least ${join.leastCommon} in common` : '';
  const told = `${on}: each learns how many ids the other has, and which of its own rows are common`;
  return `${step} join on ${printable(name + rule + least)}\n${chalk.dim(told)}`;
}
