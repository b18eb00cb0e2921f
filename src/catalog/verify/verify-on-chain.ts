import type { TokenId } from '../../documents/ids.js';
import { stepOf } from '../../documents/job/step-of.js';
import { parseAnchorProof } from '../../documents/receipt/evidence.js';
import { provenRoot } from '../../documents/receipt/merkle.js';
import { isWhole, type ReadEvidence } from './given-evidence.js';
import { CLOCK_SECONDS, type JobHistory, stateAfter, statesAround } from './job-history.js';

/** That the chain knows the job, the tokens and the owner as the receipt names them, and holds this very receipt. */
export function verifyOnChain(evidence: ReadEvidence, history: JobHistory): void {
  verifyJob(evidence, history);
  verifyReport(evidence, history);
  verifyAnchor(evidence, history);
  verifyTimes(evidence, history);
}

function verifyJob({ checks, signed, spec, decision }: ReadEvidence, history: JobHistory): void {
  const { receipt } = signed;
  const { job, tree } = history;
  const at = (key: string): string => `receipt.json#/receipt/${key}`;
  checks.same('job', at('algorithm'), job.algorithm, receipt.algorithm);
  checks.same('job', at('consumer'), job.demander, receipt.consumer);
  if (spec !== undefined) checks.same('job', 'spec.json#/task', job.task.toString(), spec.task);
  const last = stateAfter(history, history.events);
  const isChild = (token: TokenId, i: number): boolean =>
    i === 0
      ? token === job.algorithm
      : last.tokens.get(receipt.path[i - 1] as TokenId)?.grants.some(({ child }) => child === token) === true;
  const holds = receipt.path.every(isChild) && receipt.path.at(-1) === receipt.token && tree.includes(receipt.token);
  checks.holds(
    'path',
    at('path'),
    holds,
    'tokens from the algorithm down to its own, each a child of the one before',
    receipt.path.join(' > '),
  );
  const seconds = Math.floor(Date.parse(decision?.decidedAt ?? receipt.finishedAt) / 1000);
  const states = statesAround(history, seconds);
  if (receipt.token === job.algorithm) {
    const helps = spec !== undefined && stepOf(spec, receipt.owner, receipt.token) !== undefined;
    if (spec === undefined) checks.skip('owner', at('owner'), 'the job spec, which names the helpers');
    else
      checks.holds('owner', at('owner'), helps || receipt.outcome === 'refused', 'an organization that helps in this job', receipt.owner);
    return;
  }
  const owners = [...new Set(states.map(({ tokens }) => tokens.get(receipt.token)?.owner))];
  checks.holds('owner', at('owner'), owners.includes(receipt.owner), `the owner of the data token, ${owners.join(' or ')}`, receipt.owner);
}

/** A share of data is reported; a helper's receipt is anchored and no more. */
function verifyReport({ checks, signed, digest }: ReadEvidence, { reports }: JobHistory): void {
  const { receipt } = signed;
  if (receipt.path.length <= 1) return;
  const report = reports.get(receipt.token);
  if (report === undefined) {
    checks.holds('report', 'receipt.json', false, `a report of ${digest} on chain`, 'none yet');
    return;
  }
  checks.same('report', 'receipt.json', report.receipt, digest);
  checks.same('report', 'receipt.json#/receipt/outcome', report.state, receipt.outcome);
  checks.same('report', 'receipt.json#/receipt/owner', report.reporter, receipt.owner);
}

/** The receipt is below a root that its owner has anchored. */
function verifyAnchor({ given, checks, signed, digest }: ReadEvidence, { anchors }: JobHistory): void {
  const { anchor: bytes } = given.documents;
  if (bytes === undefined) {
    // Of a helper no report is on chain: without the proof nothing but its own signature would speak for it.
    if (isWhole(given) || signed.receipt.path.length <= 1) {
      const found = 'it is missing; its daemon has it once the chain has taken the receipt';
      checks.holds('anchor', 'anchor.json', false, 'the proof that the receipt is below a root on chain', found);
    } else checks.skip('anchor', 'anchor.json', 'the proof that the receipt is below a root on chain');
    return;
  }
  const proof = checks.attempt('anchor', 'anchor.json', 'a Merkle proof', () =>
    parseAnchorProof(JSON.parse(Buffer.from(bytes).toString('utf8'))),
  );
  if (proof === undefined) return;
  checks.same('anchor', 'anchor.json#/proof', proof.root, provenRoot(digest, proof.proof));
  const anchored = anchors.find(({ root, by }) => root === proof.root && by === signed.receipt.owner);
  if (!checks.holds('anchor', 'anchor.json#/root', anchored !== undefined, `a root that ${signed.receipt.owner} has anchored`, proof.root))
    return;
  checks.same('anchor', 'anchor.json#/transaction', anchored?.transaction, proof.transaction);
}

/** Nothing happened before the job was added or after it was reported, as far as clocks agree, and the daemon's own times are in order. */
function verifyTimes({ checks, signed, decision, digest }: ReadEvidence, { job, reports }: JobHistory): void {
  const { receipt } = signed;
  const of = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time) / 1000);
  const report = reports.get(receipt.token);
  const from = job.addedAt - CLOCK_SECONDS;
  const to = report?.receipt === digest ? report.time + CLOCK_SECONDS : Number.POSITIVE_INFINITY;
  const finished = of(receipt.finishedAt) as number;
  const say = (seconds: number): string => (Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString() : 'now');
  for (const [at, seconds] of [
    ['decision.json#/decidedAt', of(decision?.decidedAt)],
    ['receipt.json#/receipt/startedAt', of(receipt.startedAt)],
    ['receipt.json#/receipt/wipedAt', of(receipt.wipedAt)],
    ['receipt.json#/receipt/finishedAt', finished],
  ] as const) {
    if (seconds === undefined) continue;
    const holds = seconds >= from && seconds <= to && seconds <= finished;
    checks.holds('times', at, holds, `a time from ${say(from)} to ${say(Math.min(to, finished))}`, say(seconds));
  }
}
