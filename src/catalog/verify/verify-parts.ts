import { leadToken, seatOf } from '../../documents/job/joint-group.js';
import type { Receipt } from '../../documents/receipt/receipt.js';
import type { ReadEvidence } from './given-evidence.js';

/** What the receipt of every run has that came to its end; of the one that had data, and of the one that had the job folder. */
const parts = {
  run: ['ddo', 'operator', 'sandbox', 'exit', 'usage', 'startedAt'],
  data: ['input'],
  folder: ['files', 'log'],
  both: ['wipedAt'],
} as const satisfies Record<string, readonly (keyof Receipt)[]>;

/**
 * That a receipt tells all that a run of its kind has to tell. What is absent cannot be compared with anything, so it is a failure of what
 * succeeded; a run that failed may have come less far, and then it is said what was not checked.
 */
export function verifyParts(evidence: ReadEvidence): void {
  const { checks, signed, spec } = evidence;
  const { receipt } = signed;
  const succeeded = receipt.outcome === 'succeeded';
  if (!succeeded && receipt.exit === undefined) return;
  const hasData = receipt.path.length > 1;
  const leads = leadsFolder(evidence);
  if (spec === undefined && receipt.joint !== undefined && receipt.files === undefined)
    checks.skip('outcome', at('files'), 'the job spec, which tells in whose job folder it was computed');
  const needed = [
    ...parts.run,
    ...(hasData ? parts.data : []),
    ...(leads ? parts.folder : []),
    // Data that was brought to another run of its seat goes with the folder of that one.
    ...(hasData && leads && (succeeded || receipt.input !== undefined) ? parts.both : []),
  ];
  for (const part of needed)
    if (receipt[part] === undefined) {
      if (succeeded) checks.holds('outcome', at(part), false, `${part} of a run that succeeded`, 'nothing');
      else checks.skip('outcome', at(part), `${part}, which the receipt of this run that ${receipt.outcome} does not have`);
    }
}

const at = (part: string): string => `receipt.json#/receipt/${part}`;

/** Whether the operator ran in this run's own job folder: in a joint job one run of a seat has that of all. Not known without the job spec. */
export function leadsFolder({ spec, signed }: ReadEvidence): boolean {
  const { owner, token, joint } = signed.receipt;
  if (spec === undefined) return joint === undefined;
  const place = seatOf(spec, owner, token);
  return place === undefined || leadToken(spec, place.seat) === token;
}
