import type { Verification } from '../../catalog/verify-evidence.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { LedgerEvent } from '../../ledger/ledger.js';
import type { ActionContext } from '../action-context.js';
import type { TraceNode, TraceVerdict } from './trace-lifecycle.js';
import { verifyJob } from './verify-job.js';

/** A trace with the verdict on every share of every job in it, from the evidence that the daemons hand out to the caller. @throws DT_CHAIN_* */
export async function verifyTrace(context: ActionContext, root: TraceNode): Promise<TraceNode> {
  const verdicts = new Map<string, (token: string) => TraceVerdict>();
  // One job after the other: each asks all its daemons at once.
  const events = await context.ledger.events();
  for (const job of jobsIn(root)) verdicts.set(job, verdictsOf(await attempt(context, job, events)));
  const of = (job: string, token: string): TraceVerdict => verdicts.get(job)?.(token) ?? {};
  const judged = (node: TraceNode): TraceNode => ({
    ...node,
    children: node.children.map(judged),
    jobs: node.jobs.map((job) => ({
      ...job,
      reports: job.reports.map((report) => ({ ...report, ...of(job.job, report.token) })),
      missing: job.missing.map((share) => ({ ...share, ...of(job.job, share.token) })),
    })),
    receipts: node.receipts.map((receipt) => ({ ...receipt, ...of(receipt.job, receipt.token) })),
  });
  return judged(root);
}

const jobsIn = (node: TraceNode): ReadonlySet<string> =>
  new Set([
    ...node.jobs.map(({ job }) => job),
    ...node.receipts.map(({ job }) => job),
    ...node.children.flatMap((child) => [...jobsIn(child)]),
  ]);

/** A job whose documents cannot be read any more does not hide the others. */
async function attempt(context: ActionContext, job: string, events: readonly LedgerEvent[]): Promise<Verification | string> {
  try {
    return await verifyJob(context, BigInt(job), { events });
  } catch (error) {
    const problem = toToolkitError(error);
    if (problem.code.startsWith('DT_CHAIN_')) throw problem;
    return problem.message;
  }
}

function verdictsOf(found: Verification | string): (token: string) => TraceVerdict {
  if (typeof found === 'string') return () => ({ verdict: 'failed', mismatch: found });
  return (token) => {
    const party = found.parties.find((one) => one.token === token);
    if (party === undefined) return { verdict: 'missing' };
    const first = found.checks.find((check) => check.party === party.party && check.state === 'failed');
    const mismatch = first && `${first.name} at ${first.at}: expected ${first.expected}, found ${first.found}`;
    return { verdict: party.verdict, ...(mismatch !== undefined && { mismatch }) };
  };
}
