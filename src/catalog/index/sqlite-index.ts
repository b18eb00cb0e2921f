import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import type { BlockRef, ChainTime, OperatorRecord, Organization } from '../../ledger/ledger.js';
import type {
  AnchorFilter,
  JobFilter,
  LedgerIndex,
  LedgerStatistics,
  ListedAnchor,
  ListedEdge,
  ListedJob,
  ListedReport,
  ListedTask,
  ListedToken,
  Neighbourhood,
  Paging,
  ReportFilter,
  TaskFilter,
  TokenFilter,
  TokenLabel,
} from '../ledger-index.js';
import type { CheckedTable, Row, Value } from './checked-table.js';
import { IndexDamage } from './index-damage.js';
import type { IndexDatabase } from './index-database.js';
import type { AnchorRow, EdgeRow, IndexTables, JobRow, OrganizationRow, ReportRow, TaskRow, TokenRow } from './index-tables.js';
import { listNeighbours } from './list-neighbours.js';

/** One column that a list is of, with the tally that knows how many there are. */
interface Subset {
  readonly column: string;
  readonly value: Value;
  readonly tally: string;
}

/**
 * The queries. Every row has its checksum; that none is missing follows from numbers without gaps, from the counts in other rows, and from
 * tallies. What is not found by its name is taken as not there only after everything was checked, once in the life of this object.
 */
export class SqliteIndex implements LedgerIndex {
  readonly upTo: BlockRef | undefined;
  readonly headTime: ChainTime;
  readonly #database: IndexDatabase;
  readonly #tables: IndexTables;
  #organizations: ReadonlyMap<Address, Organization> | undefined;
  readonly #met = new Map<Address, Organization>();
  #operators: ReadonlyMap<TokenId, OperatorRecord> | undefined;
  /** What was read of tokens: a trace meets the same ones again and again. */
  readonly #rows = new Map<number, TokenRow>();
  readonly #byId = new Map<string, TokenRow>();
  readonly #listed = new Map<TokenId, ListedToken>();
  readonly #noted = new Map<Bytes32, TokenLabel>();
  #isChecked = false;

  constructor(database: IndexDatabase, headTime: ChainTime) {
    this.#database = database;
    this.#tables = database.tables;
    this.upTo = database.cursor();
    this.headTime = headTime;
  }

  snapshot<T>(read: () => T): T {
    return this.#database.snapshot(read);
  }

  organizations(): readonly Organization[] {
    return [...this.#allOrganizations().values()];
  }

  organization(address: Address): Organization | undefined {
    const known = this.#met.get(address) ?? this.#organizations?.get(address);
    if (known !== undefined) return known;
    const [row] = this.#tables.organization.all('where address = ?', address);
    // That it is not there is known from all that are.
    if (row === undefined) return this.#allOrganizations().get(address);
    if (row.address !== address) throw new IndexDamage('organization gives another row than was asked for');
    const found = listOrganization(row);
    this.#met.set(address, found);
    return found;
  }

  operators(): readonly OperatorRecord[] {
    return [...this.#allOperators().values()];
  }

  operator(id: TokenId): OperatorRecord | undefined {
    return this.#allOperators().get(id);
  }

  label(digest: Bytes32): TokenLabel | undefined {
    const row = this.#tables.label.get(digest);
    return row && { name: row.name, type: row.type };
  }

  noteLabel(digest: Bytes32, label: TokenLabel): void {
    this.#noted.set(digest, label);
  }

  /** Keeps what was noted. Without it nothing is wrong: the documents are read again. */
  keepNotes(): void {
    if (this.#noted.size > 0) this.#database.keepLabels(this.#noted);
    this.#noted.clear();
  }

  token(id: TokenId): ListedToken | undefined {
    const known = this.#listed.get(id);
    if (known !== undefined) return known;
    return this.snapshot(() => {
      const row = this.#tokenRow(id);
      const token = row && this.#listToken(row);
      if (token !== undefined) this.#listed.set(id, token);
      return token;
    });
  }

  brief(id: TokenId): Omit<ListedToken, 'children'> | undefined {
    const row = this.snapshot(() => this.#tokenRow(id));
    return row && briefOf(row);
  }

  tokens(filter: TokenFilter = {}): readonly ListedToken[] {
    return this.snapshot(() => {
      const { owner, kind, prefix, after } = filter;
      const of = owner === undefined ? undefined : { column: 'owner', value: owner, tally: 'token.owner' };
      const fits = ({ id, children }: TokenRow): boolean =>
        (kind === undefined || (kind === 'leaf') === (children === 0)) &&
        (prefix === undefined || id.startsWith(`dt:ownership:${prefix.toLowerCase()}`));
      const behind = after === undefined ? undefined : this.#tokenRow(after)?.seq;
      return this.#list(this.#tables.token, 'seq', of, behind, filter, fits).map((row) => this.#listToken(row));
    });
  }

  madeOf(id: TokenId): readonly ListedEdge[] {
    return this.snapshot(() => {
      const row = this.#tokenRow(id);
      return row === undefined ? [] : this.#edgesOf(row).map((edge) => this.#listEdge(edge, this.#idOf(edge.child), id));
    });
  }

  wentInto(id: TokenId, limit = Number.MAX_SAFE_INTEGER): readonly ListedEdge[] {
    return this.snapshot(() => {
      const row = this.#tokenRow(id);
      if (row === undefined) return [];
      const count = Math.min(limit, row.parents);
      const found = this.#tables.parent.all('where child = ? and nth < ? order by nth', row.seq, count);
      if (found.length !== count) throw new IndexDamage(`${id} went into ${row.parents} composites, and ${found.length} are there`);
      return found.map(({ composite, position }) => {
        const edge = this.#tables.edge.get(composite, position);
        if (edge?.child !== row.seq) throw new IndexDamage(`what ${id} went into is not made of it`);
        return this.#listEdge(edge, id, this.#idOf(composite));
      });
    });
  }

  edge(child: TokenId, composite: TokenId): ListedEdge | undefined {
    return this.madeOf(composite).find((edge) => edge.child === child);
  }

  neighbours(id: TokenId, bounds: { readonly depth: number; readonly limit: number }): Neighbourhood {
    return this.snapshot(() => listNeighbours(this, id, bounds));
  }

  task(id: bigint): ListedTask | undefined {
    return this.snapshot(() => {
      const row = this.#numbered(this.#tables.task, id);
      return row && this.#listTask(row);
    });
  }

  tasks(filter: TaskFilter = {}): readonly ListedTask[] {
    return this.snapshot(() => {
      const { demander, open, name, after } = filter;
      const of = demander === undefined ? undefined : { column: 'demander', value: demander, tally: 'task.demander' };
      const fits = (row: TaskRow): boolean =>
        (open === undefined || open === (row.open === 1)) && (name === undefined || row.name.toLowerCase().startsWith(name.toLowerCase()));
      return this.#list(this.#tables.task, 'id', of, numberOf(after), filter, fits).map((row) => this.#listTask(row));
    });
  }

  job(id: bigint): ListedJob | undefined {
    return this.snapshot(() => {
      const row = this.#numbered(this.#tables.job, id);
      return row && this.#listJob(row);
    });
  }

  jobs(filter: JobFilter = {}): readonly ListedJob[] {
    return this.snapshot(() => {
      const { task, demander, after } = filter;
      const algorithm = filter.algorithm === undefined ? undefined : this.#tokenRow(filter.algorithm)?.seq;
      if (filter.algorithm !== undefined && algorithm === undefined) return [];
      const of: Subset | undefined =
        algorithm !== undefined
          ? { column: 'algorithm', value: algorithm, tally: 'job.algorithm' }
          : task !== undefined
            ? { column: 'task', value: Number(task), tally: 'job.task' }
            : demander !== undefined
              ? { column: 'demander', value: demander, tally: 'job.demander' }
              : undefined;
      const fits = (row: JobRow): boolean =>
        (task === undefined || row.task === Number(task)) && (demander === undefined || row.demander === demander);
      return this.#list(this.#tables.job, 'id', of, numberOf(after), filter, fits).map((row) => this.#listJob(row));
    });
  }

  reports(filter: ReportFilter = {}): readonly ListedReport[] {
    return this.snapshot(() => {
      const { job, reporter } = filter;
      const token = filter.token === undefined ? undefined : this.#tokenRow(filter.token)?.seq;
      if (filter.token !== undefined && token === undefined) return [];
      const fits = (row: ReportRow): boolean =>
        (token === undefined || row.token === token) && (reporter === undefined || row.reporter === reporter);
      if (job !== undefined) {
        const row = this.#numbered(this.#tables.job, job);
        const rows = row === undefined ? [] : this.#reportsOf(row).filter(fits);
        return (filter.newestFirst ? rows.toReversed() : rows).slice(0, filter.limit).map((each) => this.#listReport(each));
      }
      const of: Subset | undefined =
        token !== undefined
          ? { column: 'token', value: token, tally: 'report.token' }
          : reporter !== undefined
            ? { column: 'reporter', value: reporter, tally: 'report.reporter' }
            : undefined;
      return this.#list(this.#tables.report, 'seq', of, undefined, filter, fits).map((row) => this.#listReport(row));
    });
  }

  anchor(by: Address, root: Bytes32): ListedAnchor | undefined {
    return this.snapshot(() => {
      const [row] = this.#tables.anchor.all('where root = ? and anchored_by = ?', root, by);
      if (row === undefined) this.#checkOnce();
      else if (row.root !== root || row.anchored_by !== by) throw new IndexDamage('anchor gives another row than was asked for');
      return row && listAnchor(row);
    });
  }

  anchors(filter: AnchorFilter = {}): readonly ListedAnchor[] {
    return this.snapshot(() => {
      const of = filter.by === undefined ? undefined : { column: 'anchored_by', value: filter.by, tally: 'anchor.by' };
      return this.#list(this.#tables.anchor, 'seq', of, undefined, filter, () => true).map(listAnchor);
    });
  }

  statistics(): LedgerStatistics {
    return this.snapshot(() => {
      const rows = (name: string): number => this.#database.totalOf(name).rows;
      const count = (list: string, key: string): number => this.#tables.tally.get(list, key)?.count ?? 0;
      const operators = this.operators();
      const kinds = this.#tallies('token.kind');
      const leaves = kinds.get('leaf') ?? 0;
      const composites = kinds.get('composite') ?? 0;
      const tally = { tokens: this.#tallies('token.owner'), jobs: this.#tallies('job.demander'), shares: this.#tallies('share.reporter') };
      const states = this.#tallies('share.state');
      const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((total, each) => total + each, 0);
      const whole =
        leaves + composites === rows('token') &&
        sum(tally.tokens) === rows('token') &&
        sum(tally.jobs) === rows('job') &&
        sum(tally.shares) === sum(states);
      if (!whole) throw new IndexDamage('its counts do not agree');
      const retired = operators.filter((operator) => operator.retired).length;
      const open = count('task.open', '1');
      return {
        organizations: this.organizations().length,
        operators: { published: operators.length, retired },
        tokens: { leaves, composites, activated: kinds.get('activated') ?? 0 },
        tasks: { open, closed: rows('task') - open },
        jobs: rows('job'),
        shares: Object.fromEntries([...states].filter(([, shares]) => shares > 0)),
        byOrganization: new Map(
          this.organizations().map(({ address }) => [
            address,
            {
              tokens: tally.tokens.get(address) ?? 0,
              jobsAsked: tally.jobs.get(address) ?? 0,
              sharesRun: tally.shares.get(address) ?? 0,
            },
          ]),
        ),
      };
    });
  }

  /**
   * Rows in the order of their numbers, those of a subset or all. The subset, or the table, is counted against what is known of it, and each
   * row looked at in turn, since a damaged value would otherwise only be one that does not fit.
   */
  #list<R extends Row>(
    table: CheckedTable<R>,
    order: keyof R & string,
    of: Subset | undefined,
    after: number | undefined,
    { limit = Number.MAX_SAFE_INTEGER, newestFirst = false }: Paging<unknown>,
    fits: (row: R) => boolean,
  ): readonly R[] {
    const known =
      of === undefined ? this.#database.totalOf(table.name).rows : (this.#tables.tally.get(of.tally, String(of.value))?.count ?? 0);
    const counted = of === undefined ? table.count() : table.count(`where ${of.column} = ?`, of.value);
    if (counted !== known) throw new IndexDamage(`${table.name} has ${counted} rows of ${known}`);
    const conditions = [...(of ? [`${of.column} = ?`] : []), ...(after === undefined ? [] : [`${order} ${newestFirst ? '<' : '>'} ?`])];
    const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
    const parameters = [...(of ? [of.value] : []), ...(after === undefined ? [] : [after])];
    const rows: R[] = [];
    let last: Value | undefined;
    let seen = 0;
    for (const row of table.each(`${where} order by ${order} ${newestFirst ? 'desc' : 'asc'}`, ...parameters)) {
      if (rows.length >= limit) return rows;
      const value = row[order] as number;
      const isNext = last === undefined || (newestFirst ? value < Number(last) : value > Number(last));
      if (!isNext || (of !== undefined && row[of.column] !== of.value)) throw new IndexDamage(`a list of ${table.name} is in disorder`);
      last = value;
      seen += 1;
      if (fits(row)) rows.push(row);
    }
    if (after === undefined && seen !== known) throw new IndexDamage(`${table.name} has ${known} rows and gives ${seen}`);
    return rows;
  }

  #tokenRow(id: TokenId): TokenRow | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const [row] = this.#tables.token.all('where id = ?', id);
    if (row === undefined) this.#checkOnce();
    else if (row.id !== id) throw new IndexDamage('token gives another row than was asked for');
    else this.#remember(row);
    return row;
  }

  #numbered<R extends Row>(table: CheckedTable<R>, id: bigint): R | undefined {
    const row = id > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : table.get(Number(id));
    if (row === undefined) this.#checkOnce();
    return row;
  }

  #bySeq(seq: number): TokenRow {
    const known = this.#rows.get(seq);
    if (known !== undefined) return known;
    const row = this.#tables.token.get(seq);
    if (row === undefined) throw new IndexDamage(`token number ${seq} is missing`);
    return this.#remember(row);
  }

  #remember(row: TokenRow): TokenRow {
    this.#rows.set(row.seq, row);
    this.#byId.set(row.id, row);
    return row;
  }

  #idOf(seq: number): TokenId {
    return this.#bySeq(seq).id as TokenId;
  }

  #edgesOf({ seq, id, children }: TokenRow): readonly EdgeRow[] {
    if (children === 0) return [];
    const edges = this.#tables.edge.all('where composite = ? order by position', seq);
    if (edges.length !== children || edges.some(({ position }, i) => position !== i))
      throw new IndexDamage(`${id} has ${children} children, and ${edges.length} are there`);
    return edges;
  }

  #reportsOf({ id, reports }: JobRow): readonly ReportRow[] {
    if (reports === 0) return [];
    const found = this.#tables.report.all('where job = ? order by seq', id);
    if (found.length !== reports || found.some(({ job }) => job !== id))
      throw new IndexDamage(`job ${id} has ${reports} reports, and ${found.length} are there`);
    return found;
  }

  #listToken(row: TokenRow): ListedToken {
    return { ...briefOf(row), children: this.#edgesOf(row).map(({ child }) => this.#idOf(child)) };
  }

  #listEdge({ state, until }: EdgeRow, child: TokenId, composite: TokenId): ListedEdge {
    return { child, composite, grant: state === 'lost' ? 'revoked' : state, byTransfer: state === 'lost', until };
  }

  #listTask({ id, demander, name, description, open }: TaskRow): ListedTask {
    const jobs = this.#tables.tally.get('job.task', String(id))?.count ?? 0;
    return { id: BigInt(id), demander: demander as Address, name, description, open: open === 1, jobs };
  }

  #listJob(row: JobRow): ListedJob {
    return {
      id: BigInt(row.id),
      task: BigInt(row.task),
      algorithm: this.#idOf(row.algorithm),
      demander: row.demander as Address,
      addedAt: row.added,
      reports: new Map(
        this.#reportsOf(row).map((report) => {
          const listed = this.#listReport(report);
          return [listed.token, listed];
        }),
      ),
    };
  }

  #listReport({ job, token, state, receipt, reporter, time, block, transaction_hash, anchor }: ReportRow): ListedReport {
    return {
      job: BigInt(job),
      token: this.#idOf(token),
      state,
      receipt: receipt as Bytes32,
      reporter: reporter as Address,
      time,
      block,
      transaction: transaction_hash as Bytes32,
      anchor: anchor as Bytes32,
    };
  }

  #tallies(list: string): ReadonlyMap<string, number> {
    return new Map(this.#tables.tally.all('where list = ?', list).map(({ key, count }) => [key, count]));
  }

  #allOrganizations(): ReadonlyMap<Address, Organization> {
    this.#organizations ??= this.snapshot(
      () =>
        new Map(
          this.#list(this.#tables.organization, 'seq', undefined, undefined, {}, () => true).map((row) => [
            row.address as Address,
            listOrganization(row),
          ]),
        ),
    );
    return this.#organizations;
  }

  #allOperators(): ReadonlyMap<TokenId, OperatorRecord> {
    this.#operators ??= this.snapshot(
      () =>
        new Map(
          this.#list(this.#tables.operator, 'seq', undefined, undefined, {}, () => true).map(({ id, owner, digest, version, retired }) => [
            id as TokenId,
            { id: id as TokenId, owner: owner as Address, digest: digest as Bytes32, version, retired: retired === 1 },
          ]),
        ),
    );
    return this.#operators;
  }

  #checkOnce(): void {
    if (this.#isChecked) return;
    this.#database.check();
    this.#isChecked = true;
  }
}

const briefOf = ({ id, owner, digest, activated }: TokenRow): Omit<ListedToken, 'children'> => ({
  id: id as TokenId,
  owner: owner as Address,
  digest: digest as Bytes32,
  activated: activated === 1,
});

const listOrganization = (row: OrganizationRow): Organization => ({
  address: row.address as Address,
  name: row.name,
  description: row.description,
  url: row.url,
  linkKey: row.link_key as Bytes32,
  isAggregator: row.aggregator === 1,
  isProvider: row.provider === 1,
});

const listAnchor = ({ anchored_by, root, count, time, block, transaction_hash }: AnchorRow): ListedAnchor => ({
  by: anchored_by as Address,
  root: root as Bytes32,
  ...{ count, time, block },
  transaction: transaction_hash as Bytes32,
});

const numberOf = (id: bigint | undefined): number | undefined => (id === undefined ? undefined : Number(id));
