import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import type { BlockRef, ChainTime, OperatorRecord, Organization, ReportState } from '../ledger/ledger.js';

export interface ListedToken {
  readonly id: TokenId;
  readonly owner: Address;
  readonly digest: Bytes32;
  readonly children: readonly TokenId[];
  readonly activated: boolean;
}

export interface ListedReport {
  readonly job: bigint;
  readonly token: TokenId;
  readonly state: ReportState;
  readonly receipt: Bytes32;
  readonly reporter: Address;
  /** Seconds since 1970. */
  readonly time: number;
  readonly block: number;
  readonly transaction: Bytes32;
  /** Root of the anchor that it came with. */
  readonly anchor: Bytes32;
}

/** One Merkle root over receipts. */
export interface ListedAnchor {
  readonly by: Address;
  readonly root: Bytes32;
  /** Receipts below it. */
  readonly count: number;
  readonly time: number;
  readonly block: number;
  readonly transaction: Bytes32;
}

export interface ListedJob {
  readonly id: bigint;
  readonly task: bigint;
  readonly algorithm: TokenId;
  readonly demander: Address;
  readonly addedAt: number;
  /** The last report of each leaf that has reported. */
  readonly reports: ReadonlyMap<TokenId, ListedReport>;
}

export interface ListedTask {
  readonly id: bigint;
  readonly demander: Address;
  readonly name: string;
  readonly description: string;
  readonly open: boolean;
  readonly jobs: number;
}

/** A child in a composite. */
export interface ListedEdge {
  readonly child: TokenId;
  readonly composite: TokenId;
  /** `none`: never granted. */
  readonly grant: 'none' | 'granted' | 'revoked';
  /** Revoked by a transfer of the composite, not by the owner of the child. */
  readonly byTransfer: boolean;
  /** End of what is granted, 0: without an end. */
  readonly until: number;
}

/** Which part of a list; all of it, oldest first, when nothing is said. */
export interface Paging<Id> {
  /** Goes on behind this one. */
  readonly after?: Id | undefined;
  readonly limit?: number | undefined;
  readonly newestFirst?: boolean | undefined;
}

export interface TokenFilter extends Paging<TokenId> {
  readonly owner?: Address | undefined;
  readonly kind?: 'leaf' | 'composite' | undefined;
  /** The first hex digits of the id. */
  readonly prefix?: string | undefined;
}

export interface TaskFilter extends Paging<bigint> {
  readonly demander?: Address | undefined;
  readonly open?: boolean | undefined;
  /** What its name begins with, in any case. */
  readonly name?: string | undefined;
}

export interface JobFilter extends Paging<bigint> {
  readonly task?: bigint | undefined;
  readonly demander?: Address | undefined;
  readonly algorithm?: TokenId | undefined;
}

export interface ReportFilter {
  readonly job?: bigint | undefined;
  readonly token?: TokenId | undefined;
  readonly reporter?: Address | undefined;
  readonly limit?: number | undefined;
  readonly newestFirst?: boolean | undefined;
}

export interface AnchorFilter {
  readonly by?: Address | undefined;
  readonly limit?: number | undefined;
  readonly newestFirst?: boolean | undefined;
}

/** What lies around a token. */
export interface Neighbourhood {
  readonly nodes: readonly {
    readonly token: ListedToken;
    /** Steps towards the composites it went into; negative: towards its leaves. */
    readonly level: number;
    /** More lies beyond, which was left out. */
    readonly cut: boolean;
  }[];
  readonly edges: readonly ListedEdge[];
}

export interface LedgerStatistics {
  readonly organizations: number;
  readonly operators: { readonly published: number; readonly retired: number };
  readonly tokens: { readonly leaves: number; readonly composites: number; readonly activated: number };
  readonly tasks: { readonly open: number; readonly closed: number };
  readonly jobs: number;
  /** The last report of each share, by state. */
  readonly shares: Readonly<Partial<Record<ReportState, number>>>;
  readonly byOrganization: ReadonlyMap<Address, { readonly tokens: number; readonly jobsAsked: number; readonly sharesRun: number }>;
}

export interface TokenLabel {
  readonly name: string;
  readonly type: string;
}

/**
 * What the chain says, as a local index of its events knows it: each query reads what it gives and no more. Organizations and operators are
 * few; everything else may be many. Nothing that is given was read without its checksum, and no list is given that is not complete.
 */
export interface LedgerIndex {
  /** The block that it knows the chain up to. */
  readonly upTo: BlockRef | undefined;
  /** Of the head of the chain when it was asked last: what grants are measured by. */
  readonly headTime: ChainTime;
  /** Oldest first. */
  organizations(): readonly Organization[];
  organization(address: Address): Organization | undefined;
  /** Oldest first, with their current version. */
  operators(): readonly OperatorRecord[];
  operator(id: TokenId): OperatorRecord | undefined;
  token(id: TokenId): ListedToken | undefined;
  /** The same without its children, which takes one row to read. */
  brief(id: TokenId): Omit<ListedToken, 'children'> | undefined;
  /** What a document that was read before says its token is called. */
  label(digest: Bytes32): TokenLabel | undefined;
  /** Told after a document was read and found to be what its digest says; kept for later readings, as far as the index can be written. */
  noteLabel(digest: Bytes32, label: TokenLabel): void;
  tokens(filter?: TokenFilter): readonly ListedToken[];
  /** What a token is made of, in the order of minting. */
  madeOf(id: TokenId): readonly ListedEdge[];
  /** The composites that a token went into, in the order of minting. */
  wentInto(id: TokenId, limit?: number): readonly ListedEdge[];
  edge(child: TokenId, composite: TokenId): ListedEdge | undefined;
  /** Breadth first, at most `depth` steps up and down, at most `limit` tokens. */
  neighbours(id: TokenId, bounds: { readonly depth: number; readonly limit: number }): Neighbourhood;
  task(id: bigint): ListedTask | undefined;
  tasks(filter?: TaskFilter): readonly ListedTask[];
  job(id: bigint): ListedJob | undefined;
  jobs(filter?: JobFilter): readonly ListedJob[];
  /** Every report, also those that a later one of the same share has replaced, in the order of the chain. */
  reports(filter?: ReportFilter): readonly ListedReport[];
  anchor(by: Address, root: Bytes32): ListedAnchor | undefined;
  anchors(filter?: AnchorFilter): readonly ListedAnchor[];
  statistics(): LedgerStatistics;
  /** All that `read` asks for is of one moment, whatever is added meanwhile. */
  snapshot<T>(read: () => T): T;
}

/** Where an index comes from: it follows the chain by itself. */
export interface IndexSource {
  /**
   * Runs `work` on the index as the chain is now. When the index turns out to be damaged meanwhile it is built again, and `work` runs again.
   * @throws DT_CHAIN_*, DT_INDEX_DAMAGED when it is damaged again
   */
  read<T>(work: (index: LedgerIndex) => T | Promise<T>): Promise<T>;
  /** Reads every row of it. What is damaged is built again. @returns false when it was */
  check(): Promise<boolean>;
  /** Leaves what is there, and reads the chain from its beginning. */
  rebuild(): Promise<void>;
  status(): IndexStatus;
}

export interface IndexStatus {
  /** undefined: in memory. */
  readonly path: string | undefined;
  readonly sizeBytes: number;
  readonly upTo: BlockRef | undefined;
}
