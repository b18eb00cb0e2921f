import { namesOutput, type OutputRule, type ReleaseTerms } from '../../documents/ddo/release-terms.js';
import { seatOf, tokensOf } from '../../documents/job/joint-group.js';
import { stepOf } from '../../documents/job/step-of.js';
import { approvalSubject, holdSubject } from '../../documents/receipt/owner-subject.js';
import type { ReadEvidence } from './given-evidence.js';
import type { JobDocuments } from './job-documents.js';
import { leadsFolder } from './verify-parts.js';

const at = (key: string): string => `receipt.json#/receipt/${key}`;

/** That the owner was asked where the asset says so, about these very bytes, that a no was kept, and that only what the asset declares left. */
export function verifyTerms(evidence: ReadEvidence, documents: JobDocuments | undefined): void {
  verifyAnswers(evidence);
  const { checks, signed, spec } = evidence;
  const { token, approval, exit, path } = signed.receipt;
  // A helper has no data, and so no terms of its own.
  if (exit === undefined || path.length <= 1) return;
  if (spec === undefined) return checks.skip('terms', at('token'), 'the job spec, which names the service of the asset');
  const service = termsOf(evidence, documents, token);
  if (service === undefined) return checks.skip('terms', at('token'), 'the document of the asset, which says what its owner asks for');
  if (service.approval !== undefined)
    checks.same(
      'terms',
      at('approval'),
      "approved: the asset asks for its owner's word",
      `${approval?.outcome ?? 'none'}: the asset asks for its owner's word`,
    );
  if (leadsFolder(evidence)) verifyOutputs(evidence, documents);
}

/** What the owner said binds, and is about what the receipt tells of. */
function verifyAnswers({ checks, signed, spec }: ReadEvidence): void {
  const { receipt } = signed;
  const { approval, hold, exit, outputs, input } = receipt;
  const step = spec && stepOf(spec, receipt.owner, receipt.token);
  if (approval !== undefined && approval.outcome !== 'approved')
    checks.holds(
      'terms',
      at('approval'),
      exit === undefined,
      'nothing ran that its owner had not approved',
      `${approval.outcome}, and it ran`,
    );
  if (approval?.outcome === 'approved') {
    if (step === undefined || input === undefined)
      checks.skip('terms', at('approval/subject'), 'the job spec, and the commitment to the data, which only a run has that began');
    else checks.same('terms', at('approval/subject'), approvalSubject(receipt.spec, step, input), approval.subject);
  } else if (approval !== undefined)
    checks.skip('terms', at('approval/subject'), 'the commitment to the data, which a request that was not approved does not have');
  if (hold === undefined) return;
  if (hold.outcome === 'approved') {
    const about = 'the outputs that it was about, which did not leave after all';
    if (receipt.outcome !== 'succeeded') checks.skip('terms', at('hold/subject'), about);
    else checks.same('terms', at('hold/subject'), holdSubject(receipt), hold.subject);
    return;
  }
  checks.holds('terms', at('hold'), outputs.length === 0, 'nothing left that its owner had not let out', `${outputs.length} outputs`);
  checks.skip('terms', at('hold/subject'), 'the outputs that it was about, which did not leave');
}

function termsOf({ spec }: ReadEvidence, documents: JobDocuments | undefined, token: string): ReleaseTerms | undefined {
  const step = spec?.steps.find((candidate) => candidate.token === token);
  return step && documents?.ddos.get(step.token)?.services.find(({ index }) => index === step.service);
}

/** What left keeps the rules of every leaf whose data was computed on here: names, sizes, and who may read it. */
function verifyOutputs(evidence: ReadEvidence, documents: JobDocuments | undefined): void {
  const { checks, signed, spec } = evidence;
  const { owner, token, hold, outputs, outcome, withheld } = signed.receipt;
  if (spec === undefined || outcome !== 'succeeded') return;
  const seat = seatOf(spec, owner, token)?.seat;
  const declaring: (readonly OutputRule[])[] = [];
  for (const leaf of seat === undefined ? [token] : tokensOf(spec, seat)) {
    const terms = termsOf(evidence, documents, leaf);
    if (terms === undefined) checks.skip('terms', at('outputs'), `the document of ${leaf}, whose data was computed on with its own`);
    else if (terms.outputs !== undefined) declaring.push(terms.outputs);
  }
  checks.same('terms', at('withheld'), declaring.length > 0 ? 'a number' : 'none', withheld === undefined ? 'none' : 'a number');
  outputs.forEach(({ name, sizeBytes, recipient = 'consumer' }, i) => {
    const named = declaring.map((rules) => rules.filter((rule) => namesOutput(rule, name)));
    const isDeclared = named.every((rules) => rules.length > 0);
    if (declaring.length > 0) checks.holds('terms', at(`outputs/${i}`), isDeclared, 'a file that the asset declares', name);
    const rules = named.flat();
    const most = Math.min(...rules.map(({ maxBytes = Number.POSITIVE_INFINITY }) => maxBytes));
    if (Number.isFinite(most))
      checks.holds('terms', at(`outputs/${i}/sizeBytes`), sizeBytes <= most, `at most ${most} bytes`, `${sizeBytes} bytes`);
    const reader = rules.some((rule) => rule.recipient === 'owner') ? 'owner' : 'consumer';
    checks.same('terms', at(`outputs/${i}/recipient`), reader, recipient);
    if (rules.some((rule) => rule.hold !== undefined))
      checks.holds('terms', at('hold'), hold?.outcome === 'approved', `the owner's yes to ${name}`, hold?.outcome ?? 'none');
  });
}
