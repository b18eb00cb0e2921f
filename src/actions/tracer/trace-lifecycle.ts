import { type LedgerIndex, type ListedJob, readIndex } from '../../catalog/ledger-index.js';
import { organizationName, tokenLabels } from '../../catalog/names.js';
import type { TokenId } from '../../documents/ids.js';
import { isLiveGrant } from '../../documents/job/job-facts.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { ReaderContext } from '../action-context.js';

export type GrantState = 'live' | 'expired' | 'revoked' | 'none';

export interface TraceNode {
  readonly token: TokenId;
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly ownerName: string;
  /** The grant on the edge from the node above; undefined at the root. */
  readonly grant: { readonly state: GrantState; readonly until: number | undefined } | undefined;
  readonly children: readonly TraceNode[];
  readonly jobs: readonly TraceJob[];
}

export interface TraceJob {
  readonly job: string;
  readonly task: string;
  readonly taskName: string;
  readonly demanderName: string;
  readonly addedAt: string;
  readonly reports: readonly {
    readonly token: TokenId;
    readonly state: string;
    readonly reporterName: string;
    readonly receipt: string;
    readonly time: string;
  }[];
}

/** Which way a tree is walked: who comes next, and who of two neighbours is the child. */
interface Direction {
  readonly next: (index: LedgerIndex, id: TokenId) => readonly TokenId[];
  readonly edge: (id: TokenId, above: TokenId) => readonly [child: TokenId, composite: TokenId];
}

const towardsComposites: Direction = { next: (index, id) => index.parents.get(id) ?? [], edge: (id, above) => [above, id] };
const towardsLeaves: Direction = { next: (index, id) => index.tokens.get(id)?.children ?? [], edge: (id, above) => [id, above] };

/**
 * The life of a token, depth first: every composite it went into, what those went into, and at the algorithms the jobs with what each
 * owner reported. @throws DT_ASSET_UNKNOWN
 */
export const traceLifecycle = (context: ReaderContext, root: TokenId): Promise<TraceNode> => trace(context, root, towardsComposites);

/** What a composite is made of, down to the leaves. @throws DT_ASSET_UNKNOWN */
export const traceUnion = (context: ReaderContext, root: TokenId): Promise<TraceNode> => trace(context, root, towardsLeaves);

async function trace(context: ReaderContext, root: TokenId, { next, edge }: Direction): Promise<TraceNode> {
  const index = await readIndex(context.ledger);
  if (!index.tokens.has(root)) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: root });
  const now = (await context.ledger.head()).time;
  const labelOf = tokenLabels(context.content, index);
  const walk = async (token: TokenId, above: TokenId | undefined): Promise<TraceNode> => {
    const label = await labelOf(token);
    return {
      token,
      name: label?.name,
      type: label?.type,
      ownerName: organizationName(index, index.tokens.get(token)?.owner),
      grant: above === undefined ? undefined : grantState(index, edge(token, above), now),
      children: await Promise.all(next(index, token).map((child) => walk(child, token))),
      jobs: [...index.jobs.values()].filter(({ algorithm }) => algorithm === token).map((job) => describeJob(index, job)),
    };
  };
  return walk(root, undefined);
}

function grantState(index: LedgerIndex, [child, composite]: readonly [TokenId, TokenId], now: number): TraceNode['grant'] {
  const grant = index.grant(child, composite);
  if (grant === undefined) return { state: 'none', until: undefined };
  if (grant.until === undefined) return { state: 'revoked', until: undefined };
  return { state: isLiveGrant(grant.until, now) ? 'live' : 'expired', until: grant.until };
}

function describeJob(index: LedgerIndex, job: ListedJob): TraceJob {
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
  return {
    job: job.id.toString(),
    task: job.task.toString(),
    taskName: index.tasks.get(job.task)?.name ?? '',
    demanderName: organizationName(index, job.demander),
    addedAt: iso(job.addedAt),
    reports: [...job.reports].map(([token, report]) => ({
      token,
      state: report.state,
      reporterName: organizationName(index, report.reporter),
      receipt: report.receipt,
      time: iso(report.time),
    })),
  };
}
