import { type LedgerIndex, type ListedJob, readIndex } from '../../catalog/ledger-index.js';
import { loadDdo } from '../../catalog/load-documents.js';
import type { TokenId } from '../../documents/ids.js';
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

type Names = (id: TokenId) => Promise<{ name: string; type: string } | undefined>;

/**
 * The life of a token, depth first: every composite it went into, what those went into, and at the algorithms the jobs with what each
 * owner reported. @throws DT_ASSET_UNKNOWN
 */
export async function traceLifecycle(context: ReaderContext, root: TokenId): Promise<TraceNode> {
  const index = await readIndex(context.ledger);
  if (!index.tokens.has(root)) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: root });
  const now = (await context.ledger.head()).time;
  return walk(
    index,
    namesOf(context, index),
    root,
    undefined,
    now,
    (id) => index.parents.get(id) ?? [],
    (id, above) => [above, id],
  );
}

/** What a composite is made of, down to the leaves. @throws DT_ASSET_UNKNOWN */
export async function traceUnion(context: ReaderContext, root: TokenId): Promise<TraceNode> {
  const index = await readIndex(context.ledger);
  if (!index.tokens.has(root)) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: root });
  const now = (await context.ledger.head()).time;
  return walk(
    index,
    namesOf(context, index),
    root,
    undefined,
    now,
    (id) => index.tokens.get(id)?.children ?? [],
    (id, above) => [id, above],
  );
}

function namesOf(context: ReaderContext, index: LedgerIndex): Names {
  const known = new Map<TokenId, ReturnType<Names>>();
  return (id) => {
    const token = index.tokens.get(id);
    const found =
      known.get(id) ??
      (token === undefined
        ? Promise.resolve(undefined)
        : loadDdo(context.content, token).then(
            (ddo) => ({ name: ddo.metadata.main.name, type: ddo.metadata.main.type }),
            () => undefined,
          ));
    known.set(id, found);
    return found;
  };
}

async function walk(
  index: LedgerIndex,
  names: Names,
  id: TokenId,
  above: TokenId | undefined,
  now: number,
  next: (id: TokenId) => readonly TokenId[],
  edge: (id: TokenId, above: TokenId) => readonly [TokenId, TokenId],
): Promise<TraceNode> {
  const token = index.tokens.get(id);
  const meta = await names(id);
  const children = await Promise.all(next(id).map((child) => walk(index, names, child, id, now, next, edge)));
  return {
    token: id,
    name: meta?.name,
    type: meta?.type,
    ownerName: nameOf(index, token?.owner),
    grant: above === undefined ? undefined : grantState(index, edge(id, above), now),
    children,
    jobs: [...index.jobs.values()].filter((job) => job.algorithm === id).map((job) => describeJob(index, job)),
  };
}

function grantState(index: LedgerIndex, [child, composite]: readonly [TokenId, TokenId], now: number): TraceNode['grant'] {
  const grant = index.grant(child, composite);
  if (grant === undefined) return { state: 'none', until: undefined };
  if (grant.until === undefined) return { state: 'revoked', until: undefined };
  return { state: grant.until === 0 || grant.until > now ? 'live' : 'expired', until: grant.until };
}

const nameOf = (index: LedgerIndex, address: string | undefined): string =>
  (address === undefined ? undefined : index.organizations.get(address as never)?.name) ?? address ?? 'unknown';

function describeJob(index: LedgerIndex, job: ListedJob): TraceJob {
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
  return {
    job: job.id.toString(),
    task: job.task.toString(),
    taskName: index.tasks.get(job.task)?.name ?? '',
    demanderName: nameOf(index, job.demander),
    addedAt: iso(job.addedAt),
    reports: [...job.reports].map(([token, report]) => ({
      token,
      state: report.state,
      reporterName: nameOf(index, report.reporter),
      receipt: report.receipt,
      time: iso(report.time),
    })),
  };
}
