import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import { isLiveGrant } from '../documents/job/job-facts.js';
import type { LedgerIndex, ListedEdge, ListedJob, ListedToken } from './ledger-index.js';

/** A token, a job, or what one owner reported of a job. */
export type LineageNode =
  | {
      readonly id: string;
      readonly kind: 'token';
      readonly token: ListedToken;
      readonly ownerName: string | undefined;
      /** More lies beyond. */
      readonly cut: boolean;
    }
  | { readonly id: string; readonly kind: 'job'; readonly job: ListedJob; readonly ownerName: string | undefined }
  | {
      readonly id: string;
      readonly kind: 'receipt';
      readonly job: bigint;
      readonly token: TokenId;
      readonly owner: Address;
      readonly ownerName: string | undefined;
      readonly state: string;
      readonly receipt: Bytes32;
      readonly time: number;
    };

export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  /** Of a token in a composite; absent between algorithm, job and receipt. */
  readonly grant?: { readonly state: 'none' | 'live' | 'expired' | 'revoked'; readonly until?: number };
}

export interface Lineage {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** Something was left out for its number. */
  readonly truncated: boolean;
}

export interface LineageBounds {
  readonly depth: number;
  /** Of nodes of every kind. */
  readonly limit: number;
  /** Seconds since 1970: what is live is so at this time. */
  readonly now: number;
  /** Nothing is shown but what lies on a way through this token. */
  readonly scope?: TokenId | undefined;
}

const SCOPE_LIMITS = { depth: 64, limit: 20_000 } as const;
/** Of one algorithm, the last ones. */
const JOBS_EACH = 100;

/** The tokens around one, towards its composites and its leaves, with the jobs of the algorithms and the receipts of those. Nearest first. */
export function lineageAround(
  index: Pick<LedgerIndex, 'organization' | 'neighbours' | 'jobs'>,
  root: TokenId,
  { depth, limit, now, scope }: LineageBounds,
): Lineage {
  const near = index.neighbours(root, { depth, limit });
  const levels =
    scope === undefined ? undefined : new Map(index.neighbours(scope, SCOPE_LIMITS).nodes.map(({ token, level }) => [token.id, level]));
  const isShown = (id: TokenId): boolean => levels === undefined || levels.has(id);
  const isReportShown = (id: TokenId): boolean => levels === undefined || (levels.get(id) ?? 1) <= 0;
  const ownerName = (address: Address): string | undefined => index.organization(address)?.name;
  const tokens = near.nodes.filter(({ token }) => isShown(token.id));
  const nodes: LineageNode[] = tokens.map(({ token, cut }) => ({
    id: token.id,
    kind: 'token',
    token,
    ownerName: ownerName(token.owner),
    cut,
  }));
  const edges: LineageEdge[] = near.edges
    .filter(({ child, composite }) => isShown(child) && isShown(composite))
    .map((edge) => ({ from: edge.child, to: edge.composite, grant: grantOf(edge, now) }));
  let truncated = tokens.some(({ cut }) => cut);
  for (const { token } of tokens) {
    // An algorithm below the scope has jobs of its own, which have nothing to do with it.
    if (token.children.length === 0 || (levels?.get(token.id) ?? 0) < 0) continue;
    const jobs = index.jobs({ algorithm: token.id, limit: JOBS_EACH + 1, newestFirst: true });
    for (const [i, job] of jobs.entries()) {
      const reports = [...job.reports].filter(([id]) => isReportShown(id));
      if (i === JOBS_EACH || nodes.length + 1 + reports.length > limit) {
        truncated = true;
        break;
      }
      const id = `job:${job.id}`;
      nodes.push({ id, kind: 'job', job, ownerName: ownerName(job.demander) });
      edges.push({ from: token.id, to: id });
      for (const [of, { reporter, state, receipt, time }] of reports) {
        const reported = `receipt:${job.id}:${of}`;
        const facts = { job: job.id, token: of, owner: reporter, ownerName: ownerName(reporter), state, receipt, time };
        nodes.push({ id: reported, kind: 'receipt', ...facts });
        edges.push({ from: id, to: reported });
      }
    }
  }
  return { nodes, edges, truncated };
}

export function grantOf({ grant, until }: Pick<ListedEdge, 'grant' | 'until'>, now: number): NonNullable<LineageEdge['grant']> {
  if (grant !== 'granted') return { state: grant };
  return { state: isLiveGrant(until, now) ? 'live' : 'expired', ...(until !== 0 && { until }) };
}
