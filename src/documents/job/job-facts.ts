import type { Ddo } from '../ddo/ddo.js';
import type { Address, Bytes32, TokenId } from '../ids.js';
import type { OperatorDocument } from '../operator/operator.js';

export interface TokenFact {
  readonly id: TokenId;
  readonly owner: Address;
  readonly digest: Bytes32;
  readonly activated: boolean;
  /** Empty for a leaf. `grantedUntil`: undefined without a grant, 0 without an end, else seconds since 1970. */
  readonly grants: readonly { readonly child: TokenId; readonly grantedUntil: number | undefined }[];
}

/** Whether a grant to this end is good at `now`. */
export const isLiveGrant = (grantedUntil: number | undefined, now: number): boolean =>
  grantedUntil !== undefined && (grantedUntil === 0 || grantedUntil > now);

export interface OperatorFact {
  readonly record: {
    readonly id: TokenId;
    readonly owner: Address;
    readonly digest: Bytes32;
    readonly version: number;
    readonly retired: boolean;
  };
  readonly document: OperatorDocument;
}

export interface OrganizationFact {
  readonly address: Address;
  readonly name: string;
  readonly url: string;
  /** Authenticates its daemon's links; zero when it has none. */
  readonly linkKey: Bytes32;
  readonly isAggregator: boolean;
  readonly isProvider: boolean;
}

/** Everything that chain and documents say about a token and all below it, read once; what is decided afterwards is a pure function of this. */
export interface TreeFacts {
  readonly chain: { readonly chainId: number; readonly market: Address };
  readonly root: TokenId;
  readonly tokens: ReadonlyMap<TokenId, TokenFact>;
  readonly ddos: ReadonlyMap<TokenId, Ddo>;
  /** Operators that are not published are absent. */
  readonly operators: ReadonlyMap<TokenId, OperatorFact>;
  /** Owners that are not registered are absent. */
  readonly organizations: ReadonlyMap<Address, OrganizationFact>;
  /** Time of the block that was read, seconds since 1970. */
  readonly now: number;
}

export interface JobFacts extends TreeFacts {
  readonly job: {
    readonly id: bigint;
    readonly algorithm: TokenId;
    readonly demander: Address;
    readonly task: { readonly id: bigint; readonly demander: Address; readonly open: boolean };
  };
}
