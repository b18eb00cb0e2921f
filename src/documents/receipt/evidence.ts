import { ToolkitError } from '../../errors/toolkit-error.js';
import { isObject, type Json, type JsonObject } from '../canonical.js';
import type { Bytes32 } from '../ids.js';
import { documentParser, patterns } from '../schema.js';

/** Where a receipt stands on the chain: its digest is a leaf of the Merkle tree whose root the chain holds under `anchor`. */
export interface AnchorProof {
  readonly anchor: string;
  readonly root: Bytes32;
  readonly proof: readonly Bytes32[];
  readonly transaction: Bytes32;
}

/** A receipt with all that it names by digest, for somebody who has nothing but the chain. Not parsed yet: it may be anyone's. */
export interface Evidence {
  /** A SignedReceipt. */
  readonly receipt: Json;
  /** A ComputeBody. */
  readonly request?: Json;
  /** A JobSpec. */
  readonly spec?: Json;
  /** A Decision. */
  readonly decision?: Json;
  /** An AnchorProof. */
  readonly anchor?: Json;
}

export const evidenceNames = ['receipt', 'request', 'spec', 'decision', 'anchor'] as const;
export type EvidenceName = (typeof evidenceNames)[number];

/** The same as files: in a job folder, and beside downloaded outputs. Each holds the canonical bytes of its document. */
export const evidenceFiles: readonly string[] = evidenceNames.map((name) => `${name}.json`);

/** @throws DT_DOCUMENT_INVALID */
export function parseEvidence(value: unknown): Evidence {
  const invalid = (pointer: string, reason: string) => new ToolkitError('DT_DOCUMENT_INVALID', { kind: 'evidence', pointer, reason });
  if (!isObject(value)) throw invalid('/', 'it is no object');
  const stranger = Object.keys(value).find((key) => !evidenceNames.some((name) => name === key));
  if (stranger !== undefined) throw invalid(`/${stranger.slice(0, 60)}`, 'it is not known here');
  const { receipt, ...rest } = value as JsonObject;
  if (receipt === undefined) throw invalid('/receipt', 'it is missing');
  return { ...rest, receipt };
}

/** @throws DT_DOCUMENT_INVALID */
export const parseAnchorProof = documentParser<AnchorProof>('anchor', {
  type: 'object',
  required: ['anchor', 'root', 'proof', 'transaction'],
  additionalProperties: false,
  properties: {
    anchor: { type: 'string', pattern: '^[1-9][0-9]{0,18}$' },
    root: { type: 'string', pattern: patterns.bytes32 },
    proof: { type: 'array', maxItems: 64, items: { type: 'string', pattern: patterns.bytes32 } },
    transaction: { type: 'string', pattern: patterns.bytes32 },
  },
});
