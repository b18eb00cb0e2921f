import type { Bytes32, TokenId } from '../../documents/ids.js';
import { type InputOpening, parseInputOpening } from '../../documents/receipt/evidence.js';
import { inputCommitment } from '../../documents/receipt/input-commitment.js';
import type { ReadEvidence } from './given-evidence.js';

const AT = 'opening.json';

/** That what came with the evidence opens the commitment to the data. Without it nobody can tell what the data was, which is its purpose. */
export function verifyInput({ given, checks, signed }: ReadEvidence): void {
  const { input } = signed.receipt;
  const { opening: bytes } = given.documents;
  if (bytes !== undefined) {
    const opening = checks.attempt('input', AT, 'what opens the commitment', () => parse(bytes));
    if (opening !== undefined) checks.same('input', AT, input, inputCommitment(opening.salt, opening.sha256));
  } else if (input !== undefined && openingOf({ given, signed }) === undefined)
    checks.skip('input', AT, "what opens the commitment to the data: its owner's to give");
}

/**
 * That one of the commitments is to this very data.
 * @returns which, with what opens it
 */
export function verifyData(
  all: readonly ReadEvidence[],
  data: Bytes32,
): { readonly token: TokenId; readonly opening: InputOpening } | undefined {
  const opened = all.flatMap((evidence) => {
    const opening = openingOf(evidence);
    return opening === undefined ? [] : [{ evidence, opening }];
  });
  const found = opened.find(({ opening }) => opening.sha256 === data);
  if (found !== undefined) {
    const { checks, signed } = found.evidence;
    checks.same('input', `${AT}#/sha256`, data, found.opening.sha256);
    return { token: signed.receipt.token, opening: found.opening };
  }
  for (const { evidence, opening } of opened) evidence.checks.same('input', `${AT}#/sha256`, opening.sha256, data);
  // What was to be compared was not: that is no success.
  const first = all.find(({ signed }) => signed.receipt.input !== undefined) ?? all[0];
  if (opened.length === 0) first?.checks.holds('input', AT, false, 'what opens the commitment to the data', 'none that does');
  return undefined;
}

/** What opens the commitment of this receipt, of what came with it or was offered. */
function openingOf({ given, signed }: Pick<ReadEvidence, 'given' | 'signed'>): InputOpening | undefined {
  for (const bytes of [given.documents.opening, given.offered]) {
    if (bytes === undefined) continue;
    try {
      const opening = parse(bytes);
      if (inputCommitment(opening.salt, opening.sha256) === signed.receipt.input) return opening;
    } catch {
      // Of what came with it, it is a failed check; of what was only offered, it opens nothing.
    }
  }
  return undefined;
}

const parse = (bytes: Uint8Array): InputOpening => parseInputOpening(JSON.parse(Buffer.from(bytes).toString('utf8')));
