import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import type { TokenFact } from '../../documents/job/job-facts.js';
import type { ChainRef, LedgerEvent, OperatorRecord, Organization } from '../../ledger/ledger.js';

export type Anchor = Extract<LedgerEvent, { kind: 'receipts-anchored' }>;
export type Report = Extract<LedgerEvent, { kind: 'job-reported' }>;

/** All that the chain tells about one job, from its events alone, so that it can be seen as it was at any time. */
export interface JobHistory {
  readonly chain: ChainRef;
  readonly job: {
    readonly id: bigint;
    readonly task: bigint;
    readonly algorithm: TokenId;
    readonly demander: Address;
    readonly addedAt: number;
  };
  /** The algorithm and all below it, as minted. */
  readonly tree: readonly TokenId[];
  /** What decides about it, in order. */
  readonly events: readonly LedgerEvent[];
  /** The last of each token. */
  readonly reports: ReadonlyMap<TokenId, Report>;
  /** Of all jobs: a receipt shares its root with others. */
  readonly anchors: readonly Anchor[];
}

/** Pure: the same events give the same history. Undefined where the chain has no such job. */
export function jobHistory(chain: ChainRef, all: readonly LedgerEvent[], job: bigint): JobHistory | undefined {
  const added = all.find((event) => event.kind === 'job-added' && event.job === job);
  if (added?.kind !== 'job-added') return undefined;
  const { task, algorithm, demander, time: addedAt } = added;
  const children = new Map(all.flatMap((event) => (event.kind === 'token-minted' ? [[event.token, event.children] as const] : [])));
  const tree: TokenId[] = [];
  const seen = new Set<TokenId>();
  const walk = (token: TokenId): void => {
    if (seen.has(token)) return;
    seen.add(token);
    tree.push(token);
    children.get(token)?.forEach(walk);
  };
  walk(algorithm);
  const concerns = (event: LedgerEvent): boolean => {
    switch (event.kind) {
      case 'granted':
      case 'revoked':
        return seen.has(event.composite);
      case 'token-minted':
      case 'activated':
        return seen.has(event.token);
      case 'transferred':
        return event.contract === 'operator' || seen.has(event.token);
      case 'task-created':
      case 'task-closed':
        return event.task === task;
      case 'job-added':
      case 'job-reported':
        return event.job === job;
      case 'receipts-anchored':
        return false;
      default:
        return true;
    }
  };
  const events = all.filter(concerns);
  const reports = new Map(events.flatMap((event) => (event.kind === 'job-reported' ? [[event.token, event] as const] : [])));
  const anchors = all.filter((event) => event.kind === 'receipts-anchored');
  return { chain, job: { id: job, task, algorithm, demander, addedAt }, tree, events, reports, anchors };
}

/** The chain as it was after some of its events. */
export interface ChainState {
  readonly tokens: ReadonlyMap<TokenId, TokenFact>;
  readonly operators: ReadonlyMap<TokenId, OperatorRecord>;
  readonly organizations: ReadonlyMap<Address, Organization>;
  readonly task: { readonly demander: Address; readonly open: boolean } | undefined;
}

export function stateAfter(history: JobHistory, events: readonly LedgerEvent[]): ChainState {
  const minted = new Map<TokenId, { owner: Address; digest: Bytes32; children: readonly TokenId[]; activated: boolean }>();
  const grants = new Map<string, number | undefined>();
  const operators = new Map<TokenId, OperatorRecord>();
  const organizations = new Map<Address, Organization>();
  let task: ChainState['task'];
  const change = (id: TokenId, to: Partial<OperatorRecord>): void => {
    const operator = operators.get(id);
    if (operator !== undefined) operators.set(id, { ...operator, ...to });
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
        change(event.operator, { digest: event.digest, version: event.version });
        break;
      case 'operator-retired':
        change(event.operator, { retired: true });
        break;
      case 'token-minted':
        minted.set(event.token, {
          owner: event.owner,
          digest: event.digest,
          children: event.children,
          activated: event.children.length === 0,
        });
        break;
      case 'granted':
      case 'revoked':
        grants.set(`${event.child}>${event.composite}`, event.kind === 'granted' ? event.until : undefined);
        break;
      case 'activated': {
        const token = minted.get(event.token);
        if (token !== undefined) token.activated = true;
        break;
      }
      case 'transferred': {
        const token = minted.get(event.token);
        if (event.contract === 'operator') change(event.token, { owner: event.to });
        else if (token !== undefined) token.owner = event.to;
        break;
      }
      case 'task-created':
        task = { demander: event.demander, open: true };
        break;
      case 'task-closed':
        task = task && { ...task, open: false };
        break;
    }
  }
  const tokens = history.tree.flatMap((id): readonly (readonly [TokenId, TokenFact])[] => {
    const token = minted.get(id);
    if (token === undefined) return [];
    const { owner, digest, activated, children } = token;
    return [
      [id, { id, owner, digest, activated, grants: children.map((child) => ({ child, grantedUntil: grants.get(`${child}>${id}`) })) }],
    ];
  });
  return { tokens: new Map(tokens), operators, organizations, task };
}

/** How far the clocks of a daemon and of the chain's blocks may be apart. */
export const CLOCK_SECONDS = 60;

/**
 * The states that a daemon may have read when its clock showed `seconds`, the likeliest first: clocks differ, and it reads the chain a
 * moment before it decides.
 */
export function statesAround(history: JobHistory, seconds: number): readonly ChainState[] {
  const { events } = history;
  const upTo = (time: number): number => events.filter((event) => event.time <= time).length;
  const [first, likely, last] = [upTo(seconds - CLOCK_SECONDS), upTo(seconds), upTo(seconds + CLOCK_SECONDS)];
  const ends: number[] = [];
  for (let end = likely; end >= first; end--) ends.push(end);
  for (let end = likely + 1; end <= last; end++) ends.push(end);
  return ends.slice(0, MOST_STATES).map((end) => stateAfter(history, events.slice(0, end)));
}

const MOST_STATES = 200;
