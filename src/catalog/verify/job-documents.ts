import type { ContentStore } from '../../content-store/content-store.js';
import type { Ddo } from '../../documents/ddo/ddo.js';
import type { Bytes32, TokenId } from '../../documents/ids.js';
import type { JobFacts, OperatorFact } from '../../documents/job/job-facts.js';
import { partiesNamed } from '../../documents/job/joint-group.js';
import type { OperatorDocument } from '../../documents/operator/operator.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import { loadDdo, loadOperator } from '../load-documents.js';
import { operatorsOf } from '../resolve-facts.js';
import type { ChainState, JobHistory } from './job-history.js';

/** The documents that the chain anchors for a job: of every token, and of every version of the operators that they name. */
export interface JobDocuments {
  readonly ddos: ReadonlyMap<TokenId, Ddo>;
  readonly operators: ReadonlyMap<Bytes32, OperatorDocument>;
  /** Those that cannot be read, or are others than the chain anchors. */
  readonly problems: readonly { readonly of: TokenId; readonly digest: Bytes32; readonly reason: string }[];
}

export async function readJobDocuments(history: JobHistory, content: ContentStore): Promise<JobDocuments> {
  const problems: { of: TokenId; digest: Bytes32; reason: string }[] = [];
  const load = async <T>(record: { id: TokenId; digest: Bytes32 }, read: typeof loadDdo | typeof loadOperator): Promise<T | undefined> => {
    try {
      return (await read(content, record)) as T;
    } catch (error) {
      problems.push({ of: record.id, digest: record.digest, reason: toToolkitError(error).message });
      return undefined;
    }
  };
  const minted = history.events.flatMap((event) => (event.kind === 'token-minted' ? [{ id: event.token, digest: event.digest }] : []));
  const ddos = new Map<TokenId, Ddo>();
  await Promise.all(
    minted.map(async (record) => {
      const ddo = await load<Ddo>(record, loadDdo);
      if (ddo !== undefined) ddos.set(record.id, ddo);
    }),
  );
  const named = new Set(operatorsOf(ddos.values()));
  const versions = history.events.flatMap((event) => {
    if (event.kind === 'operator-published') return named.has(event.operator.id) ? [event.operator] : [];
    return event.kind === 'operator-updated' && named.has(event.operator) ? [{ id: event.operator, digest: event.digest }] : [];
  });
  const operators = new Map<Bytes32, OperatorDocument>();
  await Promise.all(
    versions.map(async ({ id, digest }) => {
      const operator = await load<OperatorDocument>({ id, digest }, loadOperator);
      if (operator !== undefined) operators.set(digest, operator);
    }),
  );
  return { ddos, operators, problems };
}

/** What a daemon that read this state of the chain had before it when it decided; undefined where documents are missing. */
export function factsIn(history: JobHistory, state: ChainState, documents: JobDocuments, now: number): JobFacts | undefined {
  const { job, chain } = history;
  const { task } = state;
  if (task === undefined || !history.tree.every((token) => state.tokens.has(token) && documents.ddos.has(token))) return undefined;
  const owners = [...state.tokens.values()].map(({ owner }) => owner);
  const parties = [...new Set([...owners, ...partiesNamed(documents.ddos.values())])];
  const operators = new Map<TokenId, OperatorFact>();
  for (const id of operatorsOf(documents.ddos.values())) {
    const record = state.operators.get(id);
    if (record === undefined) continue;
    const document = documents.operators.get(record.digest);
    if (document === undefined) return undefined;
    operators.set(id, { record, document });
  }
  return {
    chain: { chainId: chain.chainId, market: chain.market },
    root: job.algorithm,
    tokens: state.tokens,
    ddos: documents.ddos,
    operators,
    organizations: new Map(
      parties.flatMap((address) => {
        const organization = state.organizations.get(address);
        return organization === undefined ? [] : [[address, organization] as const];
      }),
    ),
    now,
    job: { id: job.id, algorithm: job.algorithm, demander: job.demander, task: { id: job.task, ...task } },
  };
}
