import { ToolkitError } from '../errors/toolkit-error.js';
import { digestOf } from './canonical.js';
import type { Bytes32 } from './ids.js';

/** Ties a document together by itself; what ties it to its owner is the digest of the whole on chain. */
export interface Proof {
  /** ISO 8601, UTC. */
  readonly created: string;
  /** Digest of the document without `proof`. */
  readonly checksum: Bytes32;
}

export const proofSchema = {
  type: 'object',
  required: ['created', 'checksum'],
  additionalProperties: false,
  properties: { created: { type: 'string', maxLength: 40 }, checksum: { type: 'string', pattern: '^0x[0-9a-f]{64}$' } },
} as const;

export function withProof<T extends object>(body: T, created: Date): T & { proof: Proof } {
  return { ...body, proof: { created: created.toISOString(), checksum: digestOf(body) } };
}

/** @throws DT_DOCUMENT_INVALID when the checksum is of another body */
export function checkProof(kind: string, document: { readonly proof: Proof }): void {
  const { proof, ...body } = document;
  if (digestOf(body) !== proof.checksum)
    throw new ToolkitError('DT_DOCUMENT_INVALID', { kind, pointer: '/proof/checksum', reason: 'it is the checksum of another document' });
}
