import { buildJobSpec, checkJob } from '../../constraints/check-facts.js';
import { canonicalBytes } from '../../documents/canonical.js';
import { type Clause, failedClauses, summarize } from '../../documents/decision/decision.js';
import { digestOfSpec } from '../../documents/job/job-spec.js';
import type { ReadEvidence } from './given-evidence.js';
import { factsIn, type JobDocuments } from './job-documents.js';
import { type JobHistory, statesAround } from './job-history.js';

/** What a decision says of itself, and whether the end of the run follows from it. */
export function verifyDecision({ checks, signed, decision, request, spec }: ReadEvidence): void {
  const { receipt } = signed;
  if (spec !== undefined) {
    checks.same('spec', 'spec.json#/job', receipt.job, spec.job);
    checks.same('spec', 'spec.json#/consumer', receipt.consumer, spec.consumer);
    checks.same('spec', 'spec.json#/algorithm/token', receipt.algorithm, spec.algorithm.token);
    checks.same('spec', 'spec.json#/chain', nameOf(receipt.chain), nameOf(spec.chain));
  }
  if (request !== undefined) {
    const asked = request.request;
    checks.same('request', 'request.json#/signature', receipt.consumer, request.signer);
    checks.same('request', 'request.json#/request/job', receipt.job, asked.job.toString());
    checks.same('request', 'request.json#/request/algorithm', receipt.algorithm, asked.algorithm);
    checks.same('request', 'request.json#/request/dataToken', receipt.token, asked.dataToken);
    checks.same('request', 'request.json#/request/daemon', receipt.owner, asked.daemon);
    // A refusal may be just that: another spec was asked for.
    if (receipt.outcome !== 'refused') checks.same('request', 'request.json#/request/spec', receipt.spec, asked.spec);
  }
  if (decision === undefined) return;
  const at = (key: string): string => `decision.json#/${key}`;
  checks.same('decision', at('daemon'), receipt.owner, decision.daemon);
  checks.same(
    'decision',
    at('subject'),
    `${receipt.job} ${receipt.token}`,
    `${'job' in decision.subject ? decision.subject.job : 'no job'} ${decision.subject.token}`,
  );
  checks.same('decision', at('spec'), receipt.spec, decision.spec);
  const failed = failedClauses(decision.clauses);
  checks.same('decision', at('allowed'), String(failed.length === 0), String(decision.allowed));
  const word = receipt.approval?.outcome ?? 'none';
  if (decision.clauses.some(({ rule }) => rule === 'approval'))
    checks.holds('decision', at('clauses'), word === 'refused' || word === 'expired', "the owner's no in the receipt", word);
  const ran = receipt.exit !== undefined || receipt.outcome === 'succeeded';
  checks.holds(
    'outcome',
    'receipt.json#/receipt/outcome',
    decision.allowed || !ran,
    'nothing ran that was not allowed',
    `${receipt.outcome}, although ${summarize(failed)}`,
  );
}

const nameOf = ({ chainId, market }: { readonly chainId: number; readonly market: string }): string => `${chainId} ${market}`;

/**
 * Job spec and decision once more, from the chain as it was then and the documents: every clause that the daemon says it checked must come
 * out the same.
 */
export function recompute(evidence: ReadEvidence, history: JobHistory, documents: JobDocuments): void {
  const { checks, signed, decision, request } = evidence;
  const { receipt } = signed;
  if (decision === undefined || request === undefined) return;
  const seconds = Math.floor(Date.parse(decision.decidedAt) / 1000);
  if (!Number.isFinite(seconds)) {
    checks.holds('decision', 'decision.json#/decidedAt', false, 'a time', decision.decidedAt);
    return;
  }
  // Whether the owner approves is its word, which the receipt has; no chain tells of it.
  const wanted = fingerprint(decision.clauses.filter(({ rule }) => rule !== 'approval'));
  // How many jobs came before is in the owner's store alone: whether the limit was reached is its word.
  const spent = decision.clauses.some(({ rule, passed }) => rule === 'runs' && !passed);
  const earlierRuns = spent ? Number.MAX_SAFE_INTEGER : 0;
  let spec: string | undefined;
  let nearest: readonly Clause[] | undefined;
  let specHolds = false;
  for (const state of statesAround(history, seconds)) {
    const facts = factsIn(history, state, documents, seconds);
    if (facts === undefined) continue;
    const resolved = buildJobSpec(facts);
    const resolvedSpec = digestOfSpec(resolved.spec);
    spec ??= resolvedSpec;
    if (resolvedSpec !== receipt.spec) continue;
    specHolds = true;
    for (const help of ['own', 'any', 'none'] as const) {
      const question = { token: receipt.token, signer: request.signer, daemon: receipt.owner, signedSpec: request.request.spec };
      const clauses = checkJob(facts, resolved, { ...question, resolvedSpec, help, earlierRuns });
      if (fingerprint(clauses) === wanted) {
        checks.holds('spec', 'spec.json', true, '', '');
        checks.holds('clauses', 'decision.json#/clauses', true, '', '');
        return;
      }
      nearest ??= clauses;
    }
  }
  if (spec === undefined) {
    checks.skip('clauses', 'decision.json#/clauses', 'all documents of the job');
    return;
  }
  if (!specHolds) {
    checks.holds('spec', 'spec.json', false, `${spec}, which chain and documents give`, receipt.spec);
    return;
  }
  const { at, expected, found } = difference(nearest ?? [], decision.clauses);
  checks.holds('clauses', at, false, expected, found);
}

/** Clauses as a set: which was checked first says nothing. */
const fingerprint = (clauses: readonly Clause[]): string =>
  clauses
    .map((clause) => Buffer.from(canonicalBytes(clause)).toString('utf8'))
    .sort()
    .join('\n');

function difference(expected: readonly Clause[], found: readonly Clause[]): { at: string; expected: string; found: string } {
  const known = new Set(expected.map((clause) => fingerprint([clause])));
  const i = found.findIndex((clause) => !known.has(fingerprint([clause])));
  const stated = new Set(found.map((clause) => fingerprint([clause])));
  const missing = expected.find((clause) => !stated.has(fingerprint([clause])));
  const say = (clause: Clause | undefined): string =>
    clause === undefined ? 'no such clause' : `${clause.rule} at ${clause.pointer} of ${clause.of} ${clause.passed ? 'passed' : 'failed'}`;
  return { at: i < 0 ? 'decision.json#/clauses' : `decision.json#/clauses/${i}`, expected: say(missing), found: say(found[i]) };
}
