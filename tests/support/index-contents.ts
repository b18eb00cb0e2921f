import type { LedgerIndex } from '../../src/catalog/ledger-index.js';
import type { LedgerEvent } from '../../src/ledger/ledger.js';
import { addressOf, tokenOf } from './generated-chain.js';

/** What every query gives, as text: two indexes that say the same give the same. */
export function contentsOf(index: LedgerIndex): string {
  const tokens = index.tokens();
  const jobs = index.jobs();
  const owners = [...new Set(index.organizations().map(({ address }) => address)), addressOf('stranger')];
  const contents = {
    organizations: index.organizations(),
    operators: index.operators(),
    tokens: tokens.map((token) => [token, index.madeOf(token.id), index.wentInto(token.id)]),
    found: tokens.map(({ id }) => index.token(id)),
    owned: owners.map((owner) => [
      index.tokens({ owner, kind: 'leaf' }),
      index.tokens({ owner, newestFirst: true, limit: 2 }),
      index.tasks({ demander: owner }),
    ]),
    tasks: index.tasks().map(({ id }) => [index.task(id), index.jobs({ task: id })]),
    jobs: jobs.map((job) => [index.job(job.id), index.jobs({ algorithm: job.algorithm }), index.reports({ job: job.id })]),
    asked: owners.map((by) => [index.jobs({ demander: by }), index.reports({ reporter: by }), index.anchors({ by })]),
    reports: [index.reports(), ...tokens.map(({ id }) => index.reports({ token: id }))],
    anchors: index.anchors(),
    statistics: index.statistics(),
    missing: [index.token(tokenOf('missing')), index.job(9_999n)],
  };
  return JSON.stringify(contents, (_, value) =>
    typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : value === undefined ? null : value,
  );
}

/** The same facts by folding over the events, in a way that has nothing in common with the index. */
export function foldOf(events: readonly LedgerEvent[]) {
  const owners = new Map<string, string>();
  const edges = new Map<string, string>();
  const reports = new Map<string, string>();
  let moved = '';
  for (const event of events) {
    if (event.kind === 'token-minted') {
      owners.set(event.token, event.owner);
      for (const child of event.children) edges.set(`${child}>${event.token}`, 'none');
    }
    if (event.kind === 'transferred') {
      owners.set(event.token, event.to);
      moved = `${event.transaction} ${event.token}`;
    }
    if (event.kind === 'granted') edges.set(`${event.child}>${event.composite}`, `granted ${event.until}`);
    if (event.kind === 'revoked')
      edges.set(`${event.child}>${event.composite}`, moved === `${event.transaction} ${event.composite}` ? 'lost 0' : 'revoked 0');
    if (event.kind === 'job-reported') reports.set(`${event.job} ${event.token}`, `${event.state} ${event.receipt}`);
  }
  return { owners, edges, reports };
}

export function foldOfIndex(index: LedgerIndex): ReturnType<typeof foldOf> {
  const tokens = index.tokens();
  const edges = tokens.flatMap(({ id }) => index.madeOf(id));
  const state = ({ grant, byTransfer, until }: (typeof edges)[number]): string =>
    grant === 'none' ? 'none' : `${byTransfer ? 'lost' : grant} ${until}`;
  return {
    owners: new Map(tokens.map(({ id, owner }) => [id, owner])),
    edges: new Map(edges.map((edge) => [`${edge.child}>${edge.composite}`, state(edge)])),
    reports: new Map(
      index
        .jobs()
        .flatMap(({ id, reports }) =>
          [...reports].map(([token, { state: end, receipt }]) => [`${id} ${token}`, `${end} ${receipt}`] as const),
        ),
    ),
  };
}
