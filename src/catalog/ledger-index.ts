import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import type { LedgerEvent, LedgerReader, OperatorRecord, Organization } from '../ledger/ledger.js';

export interface ListedToken {
  readonly id: TokenId;
  readonly owner: Address;
  readonly digest: Bytes32;
  readonly children: readonly TokenId[];
  readonly activated: boolean;
}

export interface ListedJob {
  readonly id: bigint;
  readonly task: bigint;
  readonly algorithm: TokenId;
  readonly demander: Address;
  readonly addedAt: number;
  /** One for each leaf that has reported. */
  readonly reports: ReadonlyMap<
    TokenId,
    { readonly state: string; readonly receipt: Bytes32; readonly reporter: Address; readonly time: number }
  >;
}

export interface ListedTask {
  readonly id: bigint;
  readonly demander: Address;
  readonly name: string;
  readonly description: string;
  readonly open: boolean;
}

export interface ListedGrant {
  readonly child: TokenId;
  readonly composite: TokenId;
  /** 0: without an end; undefined: revoked. */
  readonly until: number | undefined;
}

/** All state of the ledger, rebuilt from its events. */
export interface LedgerIndex {
  readonly organizations: ReadonlyMap<Address, Organization>;
  readonly operators: ReadonlyMap<TokenId, OperatorRecord>;
  readonly tokens: ReadonlyMap<TokenId, ListedToken>;
  readonly tasks: ReadonlyMap<bigint, ListedTask>;
  readonly jobs: ReadonlyMap<bigint, ListedJob>;
  /** Composites that were made with this token as child, in the order of minting. */
  readonly parents: ReadonlyMap<TokenId, readonly TokenId[]>;
  readonly grant: (child: TokenId, composite: TokenId) => ListedGrant | undefined;
}

export async function readIndex(ledger: LedgerReader): Promise<LedgerIndex> {
  return indexOf(await ledger.events());
}

/** Pure: the same events give the same index. */
export function indexOf(events: readonly LedgerEvent[]): LedgerIndex {
  const organizations = new Map<Address, Organization>();
  const operators = new Map<TokenId, OperatorRecord>();
  const tokens = new Map<TokenId, ListedToken>();
  const tasks = new Map<bigint, ListedTask>();
  const jobs = new Map<
    bigint,
    ListedJob & { reports: Map<TokenId, { state: string; receipt: Bytes32; reporter: Address; time: number }> }
  >();
  const grants = new Map<string, ListedGrant>();
  const parents = new Map<TokenId, TokenId[]>();
  const update = <K, V>(map: Map<K, V>, key: K, change: (value: V) => V): void => {
    const value = map.get(key);
    if (value !== undefined) map.set(key, change(value));
  };
  for (const event of events) {
    switch (event.kind) {
      case 'organization':
        organizations.set(event.organization.address, event.organization);
        break;
      case 'operator-published':
        operators.set(event.operator.id, event.operator);
        break;
      case 'operator-updated':
        update(operators, event.operator, (operator) => ({ ...operator, digest: event.digest, version: event.version }));
        break;
      case 'operator-retired':
        update(operators, event.operator, (operator) => ({ ...operator, retired: true }));
        break;
      case 'token-minted':
        tokens.set(event.token, {
          id: event.token,
          owner: event.owner,
          digest: event.digest,
          children: event.children,
          activated: event.children.length === 0,
        });
        for (const child of event.children) parents.set(child, [...(parents.get(child) ?? []), event.token]);
        break;
      case 'granted':
        grants.set(`${event.child}>${event.composite}`, { child: event.child, composite: event.composite, until: event.until });
        break;
      case 'revoked':
        grants.set(`${event.child}>${event.composite}`, { child: event.child, composite: event.composite, until: undefined });
        break;
      case 'activated':
        update(tokens, event.token, (token) => ({ ...token, activated: true }));
        break;
      case 'transferred':
        if (event.contract === 'token') update(tokens, event.token, (token) => ({ ...token, owner: event.to }));
        else update(operators, event.token, (operator) => ({ ...operator, owner: event.to }));
        break;
      case 'task-created':
        tasks.set(event.task, { id: event.task, demander: event.demander, name: event.name, description: event.description, open: true });
        break;
      case 'task-closed':
        update(tasks, event.task, (task) => ({ ...task, open: false }));
        break;
      case 'job-added':
        jobs.set(event.job, {
          id: event.job,
          task: event.task,
          algorithm: event.algorithm,
          demander: event.demander,
          addedAt: event.time,
          reports: new Map(),
        });
        break;
      case 'job-reported':
        jobs
          .get(event.job)
          ?.reports.set(event.token, { state: event.state, receipt: event.receipt, reporter: event.reporter, time: event.time });
        break;
    }
  }
  return { organizations, operators, tokens, tasks, jobs, parents, grant: (child, composite) => grants.get(`${child}>${composite}`) };
}
