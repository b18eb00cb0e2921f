import type { ContentStore } from '../content-store/content-store.js';
import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import type { JobSpec } from '../documents/job/job-spec.js';
import type { OperatorDocument } from '../documents/operator/operator.js';
import type { InputOpening } from '../documents/receipt/evidence.js';
import type { RunOutcome, SignedReceipt } from '../documents/receipt/receipt.js';
import type { LedgerEvent, LedgerReader } from '../ledger/ledger.js';
import { loadOperator } from './load-documents.js';
import { type Check, Checks, checkNames } from './verify/checks.js';
import type { GivenEvidence, ReadEvidence } from './verify/given-evidence.js';
import { type JobDocuments, readJobDocuments } from './verify/job-documents.js';
import { type JobHistory, jobHistory, stateAfter } from './verify/job-history.js';
import { readEvidence } from './verify/read-evidence.js';
import { recompute, verifyDecision } from './verify/verify-decision.js';
import { verifyData, verifyInput } from './verify/verify-input.js';
import { verifyJoint } from './verify/verify-joint.js';
import { verifyOnChain } from './verify/verify-on-chain.js';
import { verifyParts } from './verify/verify-parts.js';
import { verifyRun } from './verify/verify-run.js';
import { verifyTerms } from './verify/verify-terms.js';

export interface Against {
  /** Absent: only what the documents say of each other is checked. */
  readonly ledger?: LedgerReader;
  readonly content?: ContentStore;
  /** Of the ledger, where they have been read for many jobs. */
  readonly events?: readonly LedgerEvent[];
  /** Whether every party of the job has to be there. */
  readonly isWholeJob: boolean;
  /** Number of the job that was asked for: a receipt of another is none of it. */
  readonly job?: string;
  /** Digest of the data that one of the parties is to have computed on. */
  readonly data?: Bytes32;
}

export interface VerifiedParty {
  readonly party: string;
  readonly source: string;
  readonly token?: TokenId;
  readonly owner?: Address;
  readonly outcome?: RunOutcome;
  /** Digest of the signed receipt. */
  readonly receipt?: Bytes32;
  readonly signed?: SignedReceipt;
  readonly verdict: 'verified' | 'failed' | 'missing';
}

export interface Verification {
  readonly job?: string;
  /** Nothing failed. */
  readonly verified: boolean;
  /** The first that failed. */
  readonly first?: Check;
  /** What opens the commitment to the data that was given, where it is that. */
  readonly opened?: { readonly token: TokenId; readonly opening: InputOpening };
  readonly parties: readonly VerifiedParty[];
  readonly checks: readonly Check[];
}

/**
 * Verifies the evidence of one job, party by party, from the chain and the documents alone. Whatever fails stops nothing: all that does not
 * match is named, the first first.
 * @throws DT_CHAIN_* when the chain cannot be read
 */
export async function verifyEvidence(
  given: readonly GivenEvidence[],
  { ledger, content, events, isWholeJob, data, job: asked }: Against,
): Promise<Verification> {
  const read = given.map((one) => {
    const checks = new Checks(one.source);
    return { given: one, checks, evidence: readEvidence(one, checks) };
  });
  const all = read.flatMap(({ evidence }) => (evidence === undefined ? [] : [evidence]));
  const job = asked ?? all[0]?.signed.receipt.job;
  const history = ledger && job !== undefined ? jobHistory(ledger.ref, events ?? (await ledger.events()), BigInt(job)) : undefined;
  for (const one of read) nameAbsence(one.given, one.checks, history);
  const documents = await documentsOf(all, history, content);
  for (const evidence of all) {
    const { checks, signed } = evidence;
    verifyDecision(evidence);
    verifyParts(evidence);
    verifyRun(evidence, documents);
    verifyInput(evidence);
    verifyTerms(evidence, documents);
    checks.same('job', 'receipt.json#/receipt/job', job, signed.receipt.job);
    if (ledger === undefined) for (const name of onChain) checks.skip(name, 'receipt.json', 'the chain');
    else if (isOfChain(evidence, ledger) && signed.receipt.job === job) {
      if (history === undefined) {
        checks.holds('job', 'receipt.json#/receipt/job', false, 'a job that the chain has', signed.receipt.job);
        continue;
      }
      verifyOnChain(evidence, history);
      verifyDocuments(evidence, documents);
      if (documents !== undefined && evidence.decision !== undefined && evidence.request !== undefined)
        recompute(evidence, history, documents);
      else checks.skip('clauses', 'decision.json#/clauses', 'the decision, the request, and the documents of the job');
    }
  }
  verifyJoint(all);
  const opened = data === undefined ? undefined : verifyData(all, data);
  const missing = isWholeJob ? missingOf(all, given, history) : [];
  const nameOf = namer(history, documents);
  const parties = [...read.map((one) => partyOf(one, nameOf)), ...missing.map((one) => partyOf(one, nameOf))];
  const checks = [...read, ...missing].flatMap((one, i) =>
    one.checks.list
      .toSorted((a, b) => checkNames.indexOf(a.name) - checkNames.indexOf(b.name))
      .map((check) => ({ ...check, party: (parties[i] as VerifiedParty).party })),
  );
  const first = checks.find(({ state }) => state === 'failed');
  return {
    ...(job !== undefined && { job }),
    verified: first === undefined && all.length > 0,
    ...(first && { first }),
    ...(opened && { opened }),
    parties,
    checks,
  };
}

const onChain = ['chain', 'job', 'owner', 'documents', 'clauses', 'report', 'anchor', 'times'] as const;

function isOfChain({ checks, signed }: ReadEvidence, { ref }: LedgerReader): boolean {
  const { chainId, market } = signed.receipt.chain;
  return checks.same('chain', 'receipt.json#/receipt/chain', `${ref.chainId} ${ref.market}`, `${chainId} ${market}`);
}

/** Those that the chain anchors; without it those that the job spec names. */
async function documentsOf(
  all: readonly ReadEvidence[],
  history: JobHistory | undefined,
  content: ContentStore | undefined,
): Promise<JobDocuments | undefined> {
  if (content === undefined) return undefined;
  if (history !== undefined) return readJobDocuments(history, content);
  const steps = all.flatMap(({ spec }) => spec?.steps ?? []);
  const operators = new Map<Bytes32, OperatorDocument>();
  for (const { operator } of steps) {
    const document = await loadOperator(content, operator).catch(() => undefined);
    if (document !== undefined) operators.set(operator.digest, document);
  }
  return { ddos: new Map(), operators, problems: [] };
}

function verifyDocuments({ checks, signed }: ReadEvidence, documents: JobDocuments | undefined): void {
  if (documents === undefined) return checks.skip('documents', 'receipt.json', 'a place where documents come from');
  const { operator } = signed.receipt;
  const problems = documents.problems.filter(
    ({ of, digest }) => documents.ddos.has(of) === false && (operator?.id !== of || operator.digest === digest),
  );
  for (const { of, digest, reason } of problems) checks.holds('documents', of, false, `the document ${digest}`, reason);
  if (problems.length === 0) checks.holds('documents', 'receipt.json', true, '', '');
}

/** There is no receipt: whether its owner keeps it back is told by the chain. */
function nameAbsence({ documents, of, source, problem }: GivenEvidence, checks: Checks, history: JobHistory | undefined): void {
  if (documents.receipt !== undefined) return;
  const reported = of !== undefined && history?.reports.has(of.token);
  const found = `${reported ? 'withheld, while the chain has its report: ' : ''}${problem ?? `none in ${source}`}`;
  checks.holds('receipt', 'receipt.json', false, 'a receipt of every party', found);
}

/** Parties of the job spec of whom there is nothing. */
function missingOf(all: readonly ReadEvidence[], given: readonly GivenEvidence[], history: JobHistory | undefined) {
  const spec = all.find((evidence) => evidence.spec !== undefined)?.spec;
  const known = [...all.map(({ signed }) => signed.receipt), ...given.flatMap(({ of }) => (of === undefined ? [] : [of]))];
  return expectedOf(spec)
    .filter(({ token, owner }) => !known.some((one) => one.token === token && one.owner === owner))
    .map((of) => {
      const one: GivenEvidence = { source: of.owner, of, documents: {}, problem: 'it is not among what was given' };
      const checks = new Checks(of.owner);
      nameAbsence(one, checks, history);
      return { given: one, checks, evidence: undefined };
    });
}

/** Every owner with its token, and those who help in a joint job. */
export function expectedOf(spec: JobSpec | undefined): readonly { readonly token: TokenId; readonly owner: Address }[] {
  if (spec === undefined) return [];
  const helpers = (spec.joint ?? []).flatMap(({ seats }) => seats.filter(({ inputs }) => inputs.length === 0));
  return [
    ...spec.steps.map(({ token, owner }) => ({ token, owner })),
    ...helpers.map(({ organization }) => ({ token: spec.algorithm.token, owner: organization })),
  ];
}

type Namer = (owner: Address, token: TokenId) => string;

function namer(history: JobHistory | undefined, documents: JobDocuments | undefined): Namer {
  const organizations = history && stateAfter(history, history.events).organizations;
  return (owner, token) => {
    const name = organizations?.get(owner)?.name ?? owner;
    if (history?.job.algorithm === token) return `${name}: helper`;
    return `${name}: ${documents?.ddos.get(token)?.metadata.main.name ?? `${token.slice(0, 21)}…`}`;
  };
}

function partyOf(
  { given, checks, evidence }: { given: GivenEvidence; checks: Checks; evidence: ReadEvidence | undefined },
  nameOf: Namer,
): VerifiedParty {
  const { source, of } = given;
  const failed = checks.list.some(({ state }) => state === 'failed');
  if (evidence === undefined) {
    const verdict = given.documents.receipt === undefined ? 'missing' : 'failed';
    return { party: of === undefined ? source : nameOf(of.owner, of.token), source, ...of, verdict };
  }
  const { signed, digest } = evidence;
  const { token, owner, outcome } = signed.receipt;
  const verdict = failed ? 'failed' : 'verified';
  return { party: nameOf(owner, token), source, token, owner, outcome, receipt: digest, signed, verdict };
}
