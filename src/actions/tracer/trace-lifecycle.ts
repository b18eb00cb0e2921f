import { leavesOf } from '../../catalog/leaves-of.js';
import type { LedgerIndex, ListedEdge, ListedJob, ListedReport } from '../../catalog/ledger-index.js';
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
  /** Met before: what lies beyond it, and its jobs, stand there. */
  readonly repeated: boolean;
  readonly children: readonly TraceNode[];
  readonly jobs: readonly TraceJob[];
  /** Of a leaf below a composite: the last report of each job that ran on it. */
  readonly receipts: readonly (TraceReport & { readonly job: string })[];
}

/** What a share's evidence was found to be, where that was asked for. */
export interface TraceVerdict {
  readonly verdict?: 'verified' | 'failed' | 'missing';
  /** The first thing that does not match. */
  readonly mismatch?: string;
}

export interface TraceReport extends TraceVerdict {
  readonly token: TokenId;
  readonly state: string;
  readonly reporterName: string;
  readonly receipt: string;
  readonly time: string;
}

export interface TraceJob {
  readonly job: string;
  readonly task: string;
  readonly taskName: string;
  readonly demanderName: string;
  readonly addedAt: string;
  readonly reports: readonly TraceReport[];
  /** Leaves whose owners have not reported. */
  readonly missing: readonly ({ readonly token: TokenId; readonly ownerName: string } & TraceVerdict)[];
}

/** Which way a tree is walked: the edges that lead on from a token, and the token at the far end of one. */
interface Direction {
  readonly edges: (index: LedgerIndex, id: TokenId) => readonly ListedEdge[];
  readonly far: (edge: ListedEdge) => TokenId;
}

const towardsComposites: Direction = { edges: (index, id) => index.wentInto(id), far: ({ composite }) => composite };
const towardsLeaves: Direction = { edges: (index, id) => index.madeOf(id), far: ({ child }) => child };

/**
 * The life of a token, depth first: every composite it went into, what those went into, and at the algorithms the jobs with what each
 * owner reported. With `path`, tokens upwards each made of the one before, only that branch.
 * @throws DT_ASSET_UNKNOWN, DT_INPUT_INVALID where the path leaves the tree
 */
export const traceLifecycle = (context: ReaderContext, root: TokenId, path: readonly TokenId[] = []): Promise<TraceNode> =>
  trace(context, root, towardsComposites, path);

/** What a composite is made of, down to the leaves. @throws DT_ASSET_UNKNOWN */
export const traceUnion = (context: ReaderContext, root: TokenId): Promise<TraceNode> => trace(context, root, towardsLeaves, []);

/** A node before its document was read. */
type Traced = Omit<TraceNode, 'name' | 'type' | 'children'> & { readonly children: readonly Traced[] };

async function trace(context: ReaderContext, root: TokenId, direction: Direction, path: readonly TokenId[]): Promise<TraceNode> {
  return context.index.read(async (index) => {
    const traced = index.snapshot(() => walkTree(index, root, direction, path));
    const labelOf = tokenLabels(context.content, index);
    const labelled = async ({ children, ...node }: Traced): Promise<TraceNode> => {
      const label = await labelOf(node.token);
      return { ...node, name: label?.name, type: label?.type, children: await Promise.all(children.map(labelled)) };
    };
    return labelled(traced);
  });
}

/** Each token is followed where it is met first, so what is read grows with the edges and not with the number of ways through them. */
function walkTree(index: LedgerIndex, root: TokenId, { edges, far }: Direction, path: readonly TokenId[]): Traced {
  const met = new Set<TokenId>();
  const walk = (token: TokenId, edge: ListedEdge | undefined, [next, ...rest]: readonly TokenId[]): Traced => {
    const owner = index.brief(token)?.owner;
    const node = { token, ownerName: organizationName(index, owner), grant: edge && grantState(edge, index.headTime) };
    if (met.has(token)) return { ...node, repeated: true, children: [], jobs: [], receipts: [] };
    met.add(token);
    const all = edges(index, token);
    const followed = next === undefined ? all : all.filter((each) => far(each) === next);
    if (next !== undefined && followed.length === 0)
      throw new ToolkitError('DT_INPUT_INVALID', { what: '--prefix-path', reason: `${token} did not go into ${next}` });
    const jobs = next === undefined ? index.jobs({ algorithm: token }).map((job) => describeJob(index, job)) : [];
    const receipts = followed.length === 0 && edge?.child === token ? receiptsOf(index, token) : [];
    return { ...node, repeated: false, children: followed.map((each) => walk(far(each), each, rest)), jobs, receipts };
  };
  if (index.brief(root) === undefined) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: root });
  return walk(root, undefined, path);
}

function grantState({ grant, until }: ListedEdge, now: number): TraceNode['grant'] {
  if (grant !== 'granted') return { state: grant, until: undefined };
  return { state: isLiveGrant(until, now) ? 'live' : 'expired', until };
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

const describeReport = (index: LedgerIndex, { token, state, reporter, receipt, time }: ListedReport): TraceReport => ({
  token,
  state,
  reporterName: organizationName(index, reporter),
  receipt,
  time: iso(time),
});

/** Of each job the last, in the order of the jobs' last reports. */
function receiptsOf(index: LedgerIndex, token: TokenId): TraceNode['receipts'] {
  const last = new Map(index.reports({ token }).map((report) => [report.job, report]));
  return [...last].map(([job, report]) => ({ ...describeReport(index, report), job: job.toString() }));
}

function describeJob(index: LedgerIndex, job: ListedJob): TraceJob {
  return {
    job: job.id.toString(),
    task: job.task.toString(),
    taskName: index.task(job.task)?.name ?? '',
    demanderName: organizationName(index, job.demander),
    addedAt: iso(job.addedAt),
    reports: [...job.reports.values()].map((report) => describeReport(index, report)),
    missing: leavesOf(index, job.algorithm)
      .filter((token) => !job.reports.has(token))
      .map((token) => ({ token, ownerName: organizationName(index, index.brief(token)?.owner) })),
  };
}
