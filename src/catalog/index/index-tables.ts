import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import type { ReportState } from '../../ledger/ledger.js';
import { CheckedTable, type Row } from './checked-table.js';

/** Changes with every change below: an index of another format is built again. */
export const FORMAT = 2;

interface StateRow extends Row {
  readonly id: number;
  readonly chain: number;
  readonly market: string;
  readonly block: number | null;
  readonly hash: string | null;
}
interface TotalRow extends Row {
  readonly name: string;
  readonly count: number;
  readonly sum: number;
}
/** How many rows a list has, for lists that no row knows the length of. */
interface TallyRow extends Row {
  readonly list: string;
  readonly key: string;
  readonly count: number;
}
/** Blocks that a reorganization may go back to, with the number of rows that were changed in them. */
interface BlockRow extends Row {
  readonly block: number;
  readonly hash: string;
  readonly undos: number;
}
/** What a row was before a block changed it. */
interface UndoRow extends Row {
  readonly block: number;
  readonly nth: number;
  readonly name: string;
  readonly key: string;
  readonly before: string | null;
}
export interface OrganizationRow extends Row {
  readonly seq: number;
  readonly address: string;
  readonly name: string;
  readonly description: string;
  readonly url: string;
  readonly link_key: string;
  readonly aggregator: number;
  readonly provider: number;
}
export interface OperatorRow extends Row {
  readonly seq: number;
  readonly id: string;
  readonly owner: string;
  readonly digest: string;
  readonly version: number;
  readonly retired: number;
}
/** Tokens are numbered in the order of minting, so that the tables of edges are small. */
export interface TokenRow extends Row {
  readonly seq: number;
  readonly id: string;
  readonly owner: string;
  readonly digest: string;
  readonly children: number;
  readonly parents: number;
  readonly activated: number;
}
/** `lost`: a transfer of the composite took it back, not the owner of the child. */
export type EdgeState = 'none' | 'granted' | 'revoked' | 'lost';
/** What a composite is made of, in the order of minting, and whether it may use it. */
export interface EdgeRow extends Row {
  readonly composite: number;
  readonly position: number;
  readonly child: number;
  readonly state: EdgeState;
  readonly until: number;
}
/** The same edges by child: the composites that it went into, in the order of minting. */
export interface ParentRow extends Row {
  readonly child: number;
  readonly nth: number;
  readonly composite: number;
  readonly position: number;
}
export interface TaskRow extends Row {
  readonly id: number;
  readonly demander: string;
  readonly name: string;
  readonly description: string;
  readonly open: number;
}
export interface JobRow extends Row {
  readonly id: number;
  readonly task: number;
  readonly algorithm: number;
  readonly demander: string;
  readonly added: number;
  readonly reports: number;
}
/** In the order of the chain. A share that failed may be reported again: the last counts. */
export interface ReportRow extends Row {
  readonly seq: number;
  readonly job: number;
  readonly token: number;
  readonly state: ReportState;
  readonly receipt: string;
  readonly reporter: string;
  readonly time: number;
  readonly block: number;
  readonly transaction_hash: string;
  readonly anchor: string;
}
export interface AnchorRow extends Row {
  readonly seq: number;
  readonly anchored_by: string;
  readonly root: string;
  readonly count: number;
  readonly time: number;
  readonly block: number;
  readonly transaction_hash: string;
}
/** What a document says that a token is called. Its digest names its bytes, so this never changes. */
export interface LabelRow extends Row {
  readonly digest: string;
  readonly name: string;
  readonly type: string;
}

const text = 'text not null';
const whole = 'integer not null';

export const schema: readonly string[] = [
  `create table state (id integer primary key, chain ${whole}, market ${text}, block integer, hash text, crc ${whole})`,
  `create table total (name ${text} primary key, count ${whole}, sum ${whole}, crc ${whole}) without rowid`,
  `create table tally (list ${text}, key ${text}, count ${whole}, crc ${whole}, primary key (list, key)) without rowid`,
  `create table block (block integer primary key, hash ${text}, undos ${whole}, crc ${whole})`,
  `create table undo (block ${whole}, nth ${whole}, name ${text}, key ${text}, before text, crc ${whole}, primary key (block, nth)) without rowid`,
  `create table organization (seq integer primary key, address ${text} unique, name ${text}, description ${text}, url ${text}, link_key ${text}, aggregator ${whole}, provider ${whole}, crc ${whole})`,
  `create table operator (seq integer primary key, id ${text} unique, owner ${text}, digest ${text}, version ${whole}, retired ${whole}, crc ${whole})`,
  `create table token (seq integer primary key, id ${text} unique, owner ${text}, digest ${text}, children ${whole}, parents ${whole}, activated ${whole}, crc ${whole})`,
  'create index token_by_owner on token (owner)',
  `create table edge (composite ${whole}, position ${whole}, child ${whole}, state ${text}, until ${whole}, crc ${whole}, primary key (composite, position)) without rowid`,
  `create table parent (child ${whole}, nth ${whole}, composite ${whole}, position ${whole}, crc ${whole}, primary key (child, nth)) without rowid`,
  `create table task (id integer primary key, demander ${text}, name ${text}, description ${text}, open ${whole}, crc ${whole})`,
  'create index task_by_demander on task (demander)',
  `create table job (id integer primary key, task ${whole}, algorithm ${whole}, demander ${text}, added ${whole}, reports ${whole}, crc ${whole})`,
  'create index job_by_task on job (task)',
  'create index job_by_algorithm on job (algorithm)',
  'create index job_by_demander on job (demander)',
  `create table report (seq integer primary key, job ${whole}, token ${whole}, state ${text}, receipt ${text}, reporter ${text}, time ${whole}, block ${whole}, transaction_hash ${text}, anchor ${text}, crc ${whole})`,
  `create table anchor (seq integer primary key, anchored_by ${text}, root ${text}, count ${whole}, time ${whole}, block ${whole}, transaction_hash ${text}, crc ${whole}, unique (root, anchored_by))`,
  'create index anchor_by_organization on anchor (anchored_by)',
  'create index report_by_job on report (job)',
  'create index report_by_token on report (token)',
  'create index report_by_reporter on report (reporter)',
  `create table label (digest ${text} primary key, name ${text}, type ${text}, crc ${whole}) without rowid`,
];

/** The columns of a table in order, and how many of them are its key: all of its row, none twice. */
const open = <R extends Row>(database: DatabaseSyncInstance, name: string, keys: number, columns: readonly (keyof R & string)[]) =>
  new CheckedTable<R>(database, { name, columns, keys });

export type IndexTables = ReturnType<typeof openTables>;

export function openTables(on: DatabaseSyncInstance) {
  return {
    state: open<StateRow>(on, 'state', 1, ['id', 'chain', 'market', 'block', 'hash']),
    total: open<TotalRow>(on, 'total', 1, ['name', 'count', 'sum']),
    tally: open<TallyRow>(on, 'tally', 2, ['list', 'key', 'count']),
    block: open<BlockRow>(on, 'block', 1, ['block', 'hash', 'undos']),
    undo: open<UndoRow>(on, 'undo', 2, ['block', 'nth', 'name', 'key', 'before']),
    organization: open<OrganizationRow>(on, 'organization', 1, [
      'seq',
      'address',
      'name',
      'description',
      'url',
      'link_key',
      'aggregator',
      'provider',
    ]),
    operator: open<OperatorRow>(on, 'operator', 1, ['seq', 'id', 'owner', 'digest', 'version', 'retired']),
    token: open<TokenRow>(on, 'token', 1, ['seq', 'id', 'owner', 'digest', 'children', 'parents', 'activated']),
    edge: open<EdgeRow>(on, 'edge', 2, ['composite', 'position', 'child', 'state', 'until']),
    parent: open<ParentRow>(on, 'parent', 2, ['child', 'nth', 'composite', 'position']),
    task: open<TaskRow>(on, 'task', 1, ['id', 'demander', 'name', 'description', 'open']),
    job: open<JobRow>(on, 'job', 1, ['id', 'task', 'algorithm', 'demander', 'added', 'reports']),
    report: open<ReportRow>(on, 'report', 1, [
      'seq',
      'job',
      'token',
      'state',
      'receipt',
      'reporter',
      'time',
      'block',
      'transaction_hash',
      'anchor',
    ]),
    label: open<LabelRow>(on, 'label', 1, ['digest', 'name', 'type']),
    anchor: open<AnchorRow>(on, 'anchor', 1, ['seq', 'anchored_by', 'root', 'count', 'time', 'block', 'transaction_hash']),
  };
}
