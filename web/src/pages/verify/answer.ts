import type { Address, Bytes32, TokenId } from '../../../../src/documents/ids.js';

export interface Check {
  readonly party: string;
  readonly name: string;
  readonly at: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly expected?: string;
  readonly found?: string;
  readonly needs?: string;
}

export interface VerifiedParty {
  readonly party: string;
  readonly source: string;
  readonly token?: TokenId;
  readonly owner?: Address;
  readonly outcome?: string;
  readonly receipt?: Bytes32;
  readonly finishedAt?: string;
  readonly verdict: 'verified' | 'failed' | 'missing';
}

/** POST /v1/verify. */
export interface Verification {
  readonly job?: string;
  readonly verified: boolean;
  readonly first?: Check;
  readonly parties: readonly VerifiedParty[];
  readonly checks: readonly Check[];
}
