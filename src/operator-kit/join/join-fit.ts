import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../../privacy/channel.js';
import { MessageLink, messageHeaderBytes } from '../../privacy/message-link.js';
import type { IdBatch } from '../../privacy/psi/psi-digest.js';
import type { BankInput } from '../../privacy/regression/fit-sgd.js';
import type { JointOptions } from '../../privacy/regression/joint-options.js';
import type { VerticalFit } from '../../privacy/vertical/fit-arguments.js';
import { idColumnsOf, type JoinChoice } from '../../privacy/vertical/join-arguments.js';
import { joinTables, type PlannedTable, planInputs } from '../../privacy/vertical/table-choice.js';
import type { OperatorSession } from '../operator-session.js';
import { readInputs } from '../read-inputs.js';
import { readTable } from '../read-table.js';
import { IdFile, readHeader } from './id-file.js';
import { type JoinReport, joinRows, rowsOf } from './join-rows.js';

/** What a bank brings to a fit. */
export interface JoinedFit<Options> {
  readonly input: BankInput;
  readonly options: Options;
  /** Where there was a join. */
  readonly join?: JoinReport;
}

/**
 * A bank's columns and label, with the rows of the file in their order, or with `join_on` those that both banks have, in an order that
 * is the same at both; the dealer is told how many these are. All files are read, and all that is wrong with them is found, before any message.
 * @throws DT_INPUT_*, DT_DATASET_INVALID; DT_PSI_*, DT_PEER_*
 */
export async function prepareBank<Options extends JointOptions>(
  session: OperatorSession,
  fit: VerticalFit<Options>,
  log: (line: string) => void,
): Promise<JoinedFit<Options>> {
  const { roles, choice, join, options } = fit;
  const hasLabel = session.seat === roles.bank0;
  if (join === undefined) {
    return { options, input: await readInputs(session, choice, hasLabel, { split: options.trainRows, inDim: options.inDim }) };
  }
  const own = session.seats.find(({ seat }) => seat === session.seat)?.inputs ?? [];
  const columns = await idColumns(session, join, own);
  const tables: PlannedTable[] = [];
  for (const plan of planInputs(choice, own, hasLabel, columns)) {
    tables.push({ ...(await readTable(session.input(plan.input), plan)), plan });
  }
  const local = await alignOwn(session, join, tables, columns, log);
  const side = hasLabel ? { peer: roles.bank1, party: 0 as const } : { peer: roles.bank0, party: 1 as const };
  const { rows, report } = await joinRows(session, side, join, fit.leastRows, local.ids, log);
  await tellRows(session.channel(roles.dealer), rows.length);
  const joined = tables.map((table, i) => takeRows(table, rows, local.rowsOf[i]));
  const forRows = fit.forRows(rows.length);
  return { input: joinTables(joined, forRows.trainRows, forRows.inDim), options: forRows, join: report };
}

/** The dealer's options: with `join_on` it waits for the banks to say how many rows they have joined, and learns nothing else. @throws DT_PEER_* */
export async function prepareDealer<Options extends JointOptions>(session: OperatorSession, fit: VerticalFit<Options>): Promise<Options> {
  const { roles, join, options } = fit;
  if (join === undefined) return options;
  const links = [roles.bank0, roles.bank1].map((seat) => new MessageLink(session.channel(seat)));
  const [rows = 0, others = 0] = await Promise.all(links.map(receiveRows));
  const [first] = links;
  if (first !== undefined && rows !== others) throw first.broken('it joined another number of rows than the other bank');
  if (first !== undefined && rows < fit.leastRows) throw first.broken('it joined fewer rows than are needed');
  return fit.forRows(rows);
}

/** By input; what is not there has no id columns. */
async function idColumns(
  session: OperatorSession,
  join: JoinChoice,
  own: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const columns = new Map<string, readonly string[]>();
  for (const input of own) {
    const names = idColumnsOf(join, input, await readHeader(session.input(input)));
    if (names !== undefined) columns.set(input, names);
  }
  if (columns.size > 0) return columns;
  const reason = `it names no id column of input ${own.join(' or ')}, those of seat ${session.seat}`;
  throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.join_on', reason });
}

interface Aligned {
  /** Of the rows that are complete at this party. */
  readonly ids: AsyncIterable<IdBatch>;
  /** For each table its row for each of these ids; undefined where that is the same number. */
  readonly rowsOf: readonly (Int32Array | undefined)[];
}

/** Rows of the own inputs side by side: by their ids where they have some, else by their order with the first input that has. */
async function alignOwn(
  session: OperatorSession,
  join: JoinChoice,
  tables: readonly PlannedTable[],
  columns: ReadonlyMap<string, readonly string[]>,
  log: (line: string) => void,
): Promise<Aligned> {
  const keyed = tables.filter(({ plan }) => columns.has(plan.input)).map((table) => ({ table, input: table.plan.input }));
  const [first, ...others] = keyed;
  if (first === undefined) throw new Error('unreachable');
  for (const { plan, rows } of tables)
    if (!columns.has(plan.input) && rows !== first.table.rows) {
      const reason = `input ${first.input} has ${first.table.rows} rows and input ${plan.input}, which has no id column, has ${rows}`;
      throw new ToolkitError('DT_INPUT_INVALID', { what: 'The inputs of this party', reason });
    }
  const keyOf = (input: string): { path: string; columns: readonly string[] } => ({
    path: session.input(input),
    columns: columns.get(input) ?? [],
  });
  const { path, columns: names } = keyOf(first.input);
  const ids = (await IdFile.open(path, names)).batches();
  if (others.length === 0) return { ids, rowsOf: tables.map(() => undefined) };
  const { keptBatches, matchInputs } = await import('./match-inputs.js');
  const matched = await matchInputs(
    keyOf(first.input),
    others.map(({ input }) => keyOf(input)),
    join,
  );
  const keep = Uint8Array.from({ length: first.table.rows }, (_, row) => (matched.every((rows) => (rows[row] as number) >= 0) ? 1 : 0));
  const kept = Int32Array.from({ length: keep.reduce((sum, flag) => sum + flag, 0) });
  let count = 0;
  keep.forEach((flag, row) => {
    if (flag === 1) kept[count++] = row;
  });
  if (count < keep.length) log(`${keep.length - count} rows of input ${first.input} have no row in another input here and were left out`);
  const rowsOf = tables.map((table) => {
    const other = matched[others.findIndex(({ input }) => input === table.plan.input)];
    return other === undefined ? kept : kept.map((row) => other[row] as number);
  });
  return { ids: keptBatches(ids, keep), rowsOf };
}

function takeRows(table: PlannedTable, rows: Uint32Array, rowOf: Int32Array | undefined): PlannedTable {
  return { plan: table.plan, ...rowsOf(table, rowOf === undefined ? rows : rows.map((row) => rowOf[row] as number)) };
}

function tellRows(channel: Channel, rows: number): Promise<void> {
  const framed = new Uint8Array(messageHeaderBytes + 4);
  new DataView(framed.buffer).setUint32(messageHeaderBytes, rows, true);
  return new MessageLink(channel).send('shape', framed);
}

async function receiveRows(link: MessageLink): Promise<number> {
  const payload = await link.receive('shape', 4);
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
}
