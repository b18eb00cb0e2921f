import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import type { ToolkitError } from '../errors/toolkit-error.js';

/** Seconds since 1970, as the chain counts them. 0 in an expiry means: never. */
export type ChainTime = number;

/** What binds a signature or a document to one deployment: the chain and the market contract on it. */
export interface ChainRef {
  readonly chainId: number;
  /** The TaskMarket contract: verifying contract of every typed-data signature. */
  readonly market: Address;
}

export interface Organization {
  readonly address: Address;
  readonly name: string;
  readonly description: string;
  /** URL of its daemon, '' when it runs none. */
  readonly url: string;
  /** Ed25519 public key that authenticates its daemon's links (32 bytes), zero when it has none. */
  readonly linkKey: Bytes32;
  readonly isAggregator: boolean;
  readonly isProvider: boolean;
}

export interface OperatorRecord {
  readonly id: TokenId;
  readonly owner: Address;
  /** Digest of the operator document of the current version. */
  readonly digest: Bytes32;
  /** Counts from 1. */
  readonly version: number;
  readonly retired: boolean;
}

export interface ChildGrant {
  readonly child: TokenId;
  /** undefined: never granted or revoked. */
  readonly grantedUntil: ChainTime | undefined;
}

export interface TokenRecord {
  readonly id: TokenId;
  readonly owner: Address;
  readonly digest: Bytes32;
  /** Leaf: true from minting. Composite: true once activated with every grant live. It says nothing about today: see `grants`. */
  readonly activated: boolean;
  /** Empty for a leaf. In the order of minting. */
  readonly grants: readonly ChildGrant[];
}

export interface TaskRecord {
  readonly id: bigint;
  readonly demander: Address;
  readonly open: boolean;
}

export type ReportState = 'succeeded' | 'failed' | 'canceled' | 'refused';

export interface JobRecord {
  readonly id: bigint;
  readonly task: TaskRecord;
  readonly algorithm: TokenId;
  readonly demander: Address;
}

/** A job with everything on chain that decides about it, read at one block. */
export interface JobTree {
  readonly job: JobRecord;
  /** The algorithm and all that lies below it, each token once, the algorithm first. */
  readonly tokens: readonly TokenRecord[];
  readonly now: ChainTime;
}

export interface TokenTree {
  readonly tokens: readonly TokenRecord[];
  readonly now: ChainTime;
}

export interface JobReport {
  readonly jobId: bigint;
  /** The algorithm, …, the leaf: each a child of the one before. */
  readonly path: readonly TokenId[];
  readonly state: ReportState;
  /** Digest of the signed receipt. */
  readonly receipt: Bytes32;
}

/** Receipts under one Merkle root (documents/receipt/merkle.ts), in one transaction. */
export interface ReceiptBatch {
  readonly root: Bytes32;
  /** Of all receipts below the root. */
  readonly count: number;
  /** Of those of them that are about the share of a leaf. */
  readonly reports: readonly JobReport[];
}

/** That an organization has anchored a root; it can do so once only. */
export interface AnchorRecord {
  readonly count: number;
  readonly block: number;
  readonly time: ChainTime;
  readonly transaction: Bytes32;
}

/** One block of one chain: after a reorganization another block has the number. */
export interface BlockRef {
  readonly block: number;
  readonly hash: Bytes32;
}

/** Where an event stands. */
export interface EventPlace {
  readonly block: number;
  readonly blockHash: Bytes32;
  readonly logIndex: number;
  readonly transaction: Bytes32;
  readonly time: ChainTime;
}

/** One thing that happened on the chain, in order. The union of these rebuilds all state without calls. */
export type LedgerEvent = EventPlace &
  (
    | { readonly kind: 'organization'; readonly organization: Organization }
    | { readonly kind: 'operator-published'; readonly operator: OperatorRecord }
    | { readonly kind: 'operator-updated'; readonly operator: TokenId; readonly digest: Bytes32; readonly version: number }
    | { readonly kind: 'operator-retired'; readonly operator: TokenId }
    | {
        readonly kind: 'token-minted';
        readonly token: TokenId;
        readonly owner: Address;
        readonly digest: Bytes32;
        readonly children: readonly TokenId[];
      }
    | { readonly kind: 'granted'; readonly child: TokenId; readonly composite: TokenId; readonly until: ChainTime }
    | { readonly kind: 'revoked'; readonly child: TokenId; readonly composite: TokenId }
    | { readonly kind: 'activated'; readonly token: TokenId }
    | {
        readonly kind: 'transferred';
        readonly contract: 'operator' | 'token';
        readonly token: TokenId;
        readonly from: Address;
        readonly to: Address;
      }
    | {
        readonly kind: 'task-created';
        readonly task: bigint;
        readonly demander: Address;
        readonly name: string;
        readonly description: string;
      }
    | { readonly kind: 'task-closed'; readonly task: bigint }
    | { readonly kind: 'job-added'; readonly job: bigint; readonly task: bigint; readonly algorithm: TokenId; readonly demander: Address }
    /** Comes before the reports of its transaction. */
    | { readonly kind: 'receipts-anchored'; readonly by: Address; readonly root: Bytes32; readonly count: number }
    | {
        readonly kind: 'job-reported';
        readonly job: bigint;
        readonly token: TokenId;
        readonly state: ReportState;
        readonly receipt: Bytes32;
        readonly reporter: Address;
        /** Root of the anchor that it came with. */
        readonly anchor: Bytes32;
      }
  );

/** What happened in a stretch of the chain, all of it on the chain that `upTo` is on. */
export interface EventPage {
  readonly events: readonly LedgerEvent[];
  /** The last block of the stretch, which may hold no event. */
  readonly upTo: BlockRef;
  /** Head of the chain when the page was read: there is more where it is above `upTo`. */
  readonly head: number;
  readonly headTime: ChainTime;
}

export interface OrganizationInput {
  readonly address: Address;
  readonly name: string;
  readonly description: string;
  readonly url: string;
  readonly linkKey: Bytes32;
  readonly isAggregator: boolean;
  readonly isProvider: boolean;
}

/** The part of the ledger that anyone may read. Every method is one round trip unless it says otherwise. */
export interface LedgerReader {
  readonly ref: ChainRef;
  /** @throws DT_JOB_UNKNOWN */
  jobTree(jobId: bigint): Promise<JobTree>;
  /** The token and all that lies below it. @throws DT_ASSET_UNKNOWN */
  tokenTree(root: TokenId): Promise<TokenTree>;
  /** In the order asked, undefined where there is none. One round trip for both. */
  operatorsAndOrganizations(
    operators: readonly TokenId[],
    organizations: readonly Address[],
  ): Promise<{ operators: readonly (OperatorRecord | undefined)[]; organizations: readonly (Organization | undefined)[] }>;
  /** The id that `owner` gets for a token or operator minted with this salt. Pure, no round trip. */
  deriveId(contract: 'operator' | 'token', owner: Address, salt: Bytes32): TokenId;
  /** All events from a block on, in order; as many round trips as the endpoint's range limit asks for. */
  events(fromBlock?: number): Promise<readonly LedgerEvent[]>;
  /**
   * The events after a block (undefined: from the beginning), a page at a time: one round trip for one that is close to the head.
   * undefined: the block is not on the chain any more.
   */
  eventsAfter(block: BlockRef | undefined): Promise<EventPage | undefined>;
  /** The hashes that these blocks have today, undefined for those above the head. One round trip. */
  blockHashes(blocks: readonly number[]): Promise<readonly (Bytes32 | undefined)[]>;
  /**
   * Calls back for each new event, replaying what was missed after a lost connection. Pushed over WebSocket where the endpoint has one.
   * Resolves when the signal aborts. `onGap` tells of losses, and of reorganizations: then events() has to be read again.
   * `onWatched` tells that nothing is missed any more after losses.
   */
  watch(
    onEvent: (event: LedgerEvent) => void,
    options: { fromBlock: number; signal: AbortSignal; onGap?: (reason: string) => void; onWatched?: () => void },
  ): Promise<void>;
  /** When and where this organization anchored this root; undefined when it has not. */
  anchorOf(by: Address, root: Bytes32): Promise<AnchorRecord | undefined>;
  /** Chain head. @throws DT_CHAIN_UNREACHABLE */
  head(): Promise<{ block: number; time: ChainTime }>;
  close(): void;
}

/** The ledger seen by one signer. Each write waits for its receipt. @throws DT_CHAIN_REVERTED with the decoded custom error */
export interface Ledger extends LedgerReader {
  readonly signer: Address;
  registerOrganization(input: OrganizationInput): Promise<void>;
  /** An organization changes its own daemon URL and link key; the administrator may change all of it with registerOrganization. */
  updateEndpoint(url: string, linkKey: Bytes32): Promise<void>;
  publishOperator(salt: Bytes32, digest: Bytes32): Promise<TokenId>;
  updateOperator(operator: TokenId, digest: Bytes32): Promise<number>;
  retireOperator(operator: TokenId): Promise<void>;
  mintToken(salt: Bytes32, digest: Bytes32, children: readonly TokenId[]): Promise<TokenId>;
  /** `until` 0: no expiry. */
  grant(child: TokenId, composite: TokenId, until: ChainTime): Promise<void>;
  revoke(child: TokenId, composite: TokenId): Promise<void>;
  activate(composite: TokenId): Promise<void>;
  createTask(name: string, description: string): Promise<bigint>;
  closeTask(task: bigint): Promise<void>;
  addJob(task: bigint, algorithm: TokenId): Promise<bigint>;
  /**
   * All of it or nothing, and once for each root.
   * @returns the hash of the transaction
   * @throws DT_CHAIN_REVERTED, also for one report that the chain refuses: `refusals` says which
   */
  anchorReceipts(batch: ReceiptBatch): Promise<Bytes32>;
  /** Which of these reports the chain would refuse now, each taken alone: DT_CHAIN_REVERTED, or undefined. In the order given, one round trip. */
  refusals(reports: readonly JobReport[]): Promise<readonly (ToolkitError | undefined)[]>;
}
