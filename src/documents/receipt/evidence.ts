import { ToolkitError } from '../../errors/toolkit-error.js';
import { isObject, type Json, type JsonObject } from '../canonical.js';
import type { Bytes32 } from '../ids.js';
import { documentParser, patterns } from '../schema.js';

/** Where a receipt stands on the chain: its digest is a leaf of the Merkle tree whose root its owner has anchored. */
export interface AnchorProof {
  readonly root: Bytes32;
  readonly proof: readonly Bytes32[];
  readonly transaction: Bytes32;
}

/** What opens the commitment to the data of one run: given by its owner, to whom it wants. */
export interface InputOpening {
  readonly salt: Bytes32;
  /** sha2-256 of the data. */
  readonly sha256: Bytes32;
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
  /** An InputOpening, where the owner gave one. */
  readonly opening?: Json;
}

export const evidenceNames = ['receipt', 'request', 'spec', 'decision', 'anchor', 'opening'] as const;
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

const bytes32 = { type: 'string', pattern: patterns.bytes32 } as const;

/** @throws DT_DOCUMENT_INVALID */
export const parseAnchorProof = documentParser<AnchorProof>('anchor', {
  type: 'object',
  required: ['root', 'proof', 'transaction'],
  additionalProperties: false,
  properties: { root: bytes32, proof: { type: 'array', maxItems: 64, items: bytes32 }, transaction: bytes32 },
});

/** @throws DT_DOCUMENT_INVALID */
export const parseInputOpening = documentParser<InputOpening>('opening', {
  type: 'object',
  required: ['salt', 'sha256'],
  additionalProperties: false,
  properties: { salt: bytes32, sha256: bytes32 },
});
