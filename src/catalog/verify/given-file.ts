import { canonicalBytes, isObject } from '../../documents/canonical.js';
import { type EvidenceName, evidenceNames, parseEvidence } from '../../documents/receipt/evidence.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { GivenEvidence } from './given-evidence.js';

/** A single file: a receipt, or an evidence file as a daemon hands it out. Nothing of it is judged here. */
export function givenOfFile(source: string, bytes: Uint8Array): GivenEvidence {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return { source, documents: { receipt: bytes } };
  }
  const holdsMore = isObject(value) && isObject(value['receipt']) && 'receipt' in value['receipt'];
  if (!holdsMore) return { source, documents: { receipt: bytes } };
  try {
    const isCanonical = Buffer.compare(canonicalBytes(value), bytes) === 0;
    return { source, documents: documentsOf(value), ...(!isCanonical && { flaw: 'it is not the canonical bytes of its JSON' }) };
  } catch (error) {
    return { source, documents: { receipt: bytes }, flaw: toToolkitError(error).message };
  }
}

/** The documents of an evidence file, each in its canonical bytes. @throws DT_DOCUMENT_INVALID */
export function documentsOf(value: unknown): Partial<Record<EvidenceName, Uint8Array>> {
  const evidence = parseEvidence(value);
  return Object.fromEntries(
    evidenceNames.flatMap((name) => {
      const document = evidence[name];
      return document === undefined ? [] : [[name, canonicalBytes(document)]];
    }),
  );
}
