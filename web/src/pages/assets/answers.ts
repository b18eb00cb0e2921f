import type { Json, JsonObject } from '../../../../src/documents/canonical.js';
import type { ReleaseTerms } from '../../../../src/documents/ddo/release-terms.js';
import type { Clause } from '../../../../src/documents/decision/decision.js';
import type { Address, Bytes32, TokenId } from '../../../../src/documents/ids.js';

export interface Description {
  readonly unreadable?: string;
  readonly format?: string;
  readonly columns?: readonly { readonly name: string; readonly type: 'integer' | 'number' | 'text' | 'empty' }[];
  readonly rows?: number;
}

export interface Grant {
  readonly composite: TokenId;
  readonly name?: string;
  readonly owner?: Address;
  readonly ownerName?: string;
  readonly state: 'none' | 'live' | 'expired' | 'revoked';
  readonly until?: string;
}

export interface AssetService extends ReleaseTerms {
  readonly index: string;
  readonly constraint?: Json;
  readonly operator?: {
    readonly id: TokenId;
    readonly name?: string;
    readonly agreed?: number | 'any';
    readonly version?: number;
    readonly retired?: boolean;
    readonly joint?: boolean;
  };
}

/** GET /v1/assets/{token}. */
export interface AssetAnswer {
  readonly token: TokenId;
  readonly name: string;
  readonly type: string;
  readonly metadata: JsonObject;
  readonly addedAt?: string;
  readonly path?: string;
  readonly sizeBytes?: number;
  readonly sha256?: Bytes32;
  /** Absent: the data is not held here. */
  readonly data?: Description;
  readonly services: readonly AssetService[];
  readonly grants: readonly Grant[];
}

export interface DataFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: string;
}

export interface Operator {
  readonly id: TokenId;
  readonly version: number;
  readonly name: string;
  readonly runtime: string;
  readonly params: JsonObject;
  readonly joint: boolean;
}

/** POST /v1/drafts/check. */
export interface DraftCheck {
  readonly ok: boolean;
  readonly published: boolean;
  readonly token?: TokenId;
  readonly clauses: readonly Clause[];
  readonly problem?: { readonly code: string; readonly message: string; readonly hint?: string; readonly pointer: string };
}
