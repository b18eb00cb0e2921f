import { namesOutput } from '../../documents/ddo/release-terms.js';
import { stepOf } from '../../documents/job/step-of.js';
import type { ReadEvidence } from './given-evidence.js';
import type { JobDocuments } from './job-documents.js';

/** That the owner was asked where the asset says so, that a no was kept, and that nothing left which the asset does not declare. */
export function verifyTerms({ checks, signed, spec }: ReadEvidence, documents: JobDocuments | undefined): void {
  const { receipt } = signed;
  const { approval, hold, exit, outputs } = receipt;
  const at = (key: string): string => `receipt.json#/receipt/${key}`;
  if (approval !== undefined && approval.outcome !== 'approved')
    checks.holds(
      'terms',
      at('approval'),
      exit === undefined,
      'nothing ran that its owner had not approved',
      `${approval.outcome}, and it ran`,
    );
  if (hold !== undefined && hold.outcome !== 'approved')
    checks.holds('terms', at('hold'), outputs.length === 0, 'nothing left that its owner had not let out', `${outputs.length} outputs`);
  const step = spec && stepOf(spec, receipt.owner, receipt.token);
  const service = documents?.ddos.get(receipt.token)?.services.find(({ index }) => index === step?.service);
  if (service === undefined || exit === undefined) return;
  if (service.approval !== undefined)
    checks.same(
      'terms',
      at('approval'),
      "approved: the asset asks for its owner's word",
      `${approval?.outcome ?? 'none'}: the asset asks for its owner's word`,
    );
  const { outputs: rules } = service;
  if (rules === undefined) return;
  outputs.forEach(({ name, sizeBytes }, i) => {
    const named = rules.filter((rule) => namesOutput(rule, name));
    checks.holds('terms', at(`outputs/${i}`), named.length > 0, 'a file that the asset declares', name);
    const most = Math.min(...named.map(({ maxBytes = Number.POSITIVE_INFINITY }) => maxBytes));
    checks.holds('terms', at(`outputs/${i}/sizeBytes`), sizeBytes <= most, `at most ${most} bytes`, `${sizeBytes} bytes`);
    if (named.some((rule) => rule.hold !== undefined))
      checks.holds('terms', at('hold'), hold?.outcome === 'approved', `the owner's yes to ${name}`, hold?.outcome ?? 'none');
  });
}
