import type { ContentStore } from '../content-store/content-store.js';
import { digestOf } from '../documents/canonical.js';
import type { Ddo } from '../documents/ddo/ddo.js';
import type { Address, TokenId } from '../documents/ids.js';
import type { JobFacts, OperatorFact, OrganizationFact, TreeFacts } from '../documents/job/job-facts.js';
import { partiesNamed } from '../documents/job/joint-group.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { LedgerReader, TokenRecord } from '../ledger/ledger.js';
import { loadDdo, loadOperator } from './load-documents.js';

/**
 * A job with all that decides about it, in two round trips to the chain: the job and its tree, then operators and organizations.
 * Documents come from the content store in between, all at once, each once.
 * @throws DT_JOB_UNKNOWN, DT_ASSET_UNKNOWN, DT_DOCUMENT_UNRESOLVED, DT_DOCUMENT_TAMPERED, DT_DOCUMENT_INVALID
 */
export async function resolveJob(ledger: LedgerReader, store: ContentStore, jobId: bigint, algorithm?: TokenId): Promise<JobFacts> {
  const { job, tokens, now } = await ledger.jobTree(jobId);
  if (algorithm !== undefined && job.algorithm !== algorithm)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The algorithm', reason: `job ${jobId} runs ${job.algorithm}, not ${algorithm}` });
  return { ...(await resolveRecords(ledger, store, tokens, now)), job };
}

/** A token with all below it, in two round trips. @throws as `resolveJob` */
export async function resolveTree(ledger: LedgerReader, store: ContentStore, root: TokenId): Promise<TreeFacts> {
  const { tokens, now } = await ledger.tokenTree(root);
  return resolveRecords(ledger, store, tokens, now);
}

/** The trees below all children, joined under the composite that is about to be minted. @throws DT_ASSET_UNKNOWN, DT_DOCUMENT_* */
export async function resolveBefore(ledger: LedgerReader, store: ContentStore, ddo: Ddo): Promise<TreeFacts> {
  const named = [...new Set([ddo.creator, ...partiesNamed([ddo])])];
  const [own, ...trees] = await Promise.all([
    ledger.operatorsAndOrganizations([], named),
    ...(ddo.child_dts ?? []).map((child) => resolveTree(ledger, store, child)),
  ]);
  const first = trees[0] as TreeFacts;
  const root = {
    id: ddo.dt,
    owner: ddo.creator,
    digest: digestOf(ddo),
    activated: false,
    grants: (ddo.child_dts ?? []).map((child) => ({ child, grantedUntil: undefined })),
  };
  const merge = <K, V>(pick: (tree: TreeFacts) => ReadonlyMap<K, V>, above: readonly (readonly [K, V])[] = []): Map<K, V> =>
    new Map([...above, ...trees.flatMap((tree) => [...pick(tree)])]);
  return {
    chain: first.chain,
    root: ddo.dt,
    now: first.now,
    tokens: merge((tree) => tree.tokens, [[ddo.dt, root]]),
    ddos: merge((tree) => tree.ddos, [[ddo.dt, ddo]]),
    operators: merge((tree) => tree.operators),
    organizations: merge((tree) => tree.organizations, byAddress(own.organizations)),
  };
}

async function resolveRecords(ledger: LedgerReader, store: ContentStore, tokens: readonly TokenRecord[], now: number): Promise<TreeFacts> {
  const root = tokens[0];
  if (root === undefined) throw new ToolkitError('DT_ASSET_UNKNOWN', { id: '(empty tree)' });
  const ddos = new Map<TokenId, Ddo>(await Promise.all(tokens.map(async (record) => [record.id, await loadDdo(store, record)] as const)));
  const templates = operatorsOf(ddos.values());
  const parties = [...new Set([...tokens.map((record) => record.owner), ...partiesNamed(ddos.values())])];
  const found = await ledger.operatorsAndOrganizations(templates, parties);
  const operators = await Promise.all(
    found.operators
      .filter((record) => record !== undefined)
      .map(async (record) => [record.id, { record, document: await loadOperator(store, record) }] as const),
  );
  return {
    chain: { chainId: ledger.ref.chainId, market: ledger.ref.market },
    root: root.id,
    tokens: new Map(tokens.map((record) => [record.id, record])),
    ddos,
    operators: new Map<TokenId, OperatorFact>(operators),
    organizations: new Map<Address, OrganizationFact>(byAddress(found.organizations)),
    now,
  };
}

const byAddress = (all: readonly (OrganizationFact | undefined)[]): readonly (readonly [Address, OrganizationFact])[] =>
  all.flatMap((organization) => (organization === undefined ? [] : [[organization.address, organization] as const]));

/** Every operator that any service of these assets names. */
export function operatorsOf(ddos: Iterable<Pick<Ddo, 'services'>>): readonly TokenId[] {
  const ids = new Set<TokenId>();
  for (const ddo of ddos) for (const { descriptor } of ddo.services) if ('template' in descriptor) ids.add(descriptor.template);
  return [...ids];
}
