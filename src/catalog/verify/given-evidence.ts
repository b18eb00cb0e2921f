import type { Decision } from '../../documents/decision/decision.js';
import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import type { JobSpec } from '../../documents/job/job-spec.js';
import type { ComputeRequest } from '../../documents/job/wire.js';
import type { EvidenceName } from '../../documents/receipt/evidence.js';
import type { SignedReceipt } from '../../documents/receipt/receipt.js';
import type { Checks } from './checks.js';

/** The files of a folder by their path in it. */
export interface FolderFiles {
  /** `job`: a job folder, which holds exactly what its receipt tells of. `outputs`: what was downloaded, and nothing else. */
  readonly kind: 'job' | 'outputs';
  readonly files: ReadonlyMap<string, { readonly sizeBytes: number; readonly sha256: Bytes32 }>;
  /** What lies there and is no plain file. */
  readonly others: readonly string[];
}

/** What one party's evidence is verified from. Nothing of it is believed. */
export interface GivenEvidence {
  /** A file, a folder, a daemon: for people. */
  readonly source: string;
  /** Whose it was asked to be. */
  readonly of?: { readonly token: TokenId; readonly owner: Address };
  /** As they lay or came. */
  readonly documents: Partial<Readonly<Record<EvidenceName, Uint8Array>>>;
  readonly folder?: FolderFiles;
  /** What may open its commitment, or that of another party. */
  readonly offered?: Uint8Array;
  /** What is wrong with the file that holds all of it. */
  readonly flaw?: string;
  /** Why there is no receipt: its daemon could not be asked, or did not give it. */
  readonly problem?: string;
}

/** Evidence of one party, as far as it could be read. */
export interface ReadEvidence {
  readonly given: GivenEvidence;
  readonly checks: Checks;
  readonly signed: SignedReceipt;
  /** Of the signed receipt: what the chain holds. */
  readonly digest: Bytes32;
  readonly request: { readonly request: ComputeRequest; readonly signature: string; readonly signer: Address } | undefined;
  readonly spec: JobSpec | undefined;
  readonly decision: Decision | undefined;
}

/** A receipt alone leaves the rest to others; a folder, or what a daemon hands out, has all of it. */
export const isWhole = ({ documents, folder, of }: GivenEvidence): boolean =>
  folder !== undefined || of !== undefined || Object.keys(documents).length > 1;
