import type { BankInput } from '../privacy/regression/fit-sgd.js';
import { joinTables, type PlannedTable, planInputs, type TableChoice } from '../privacy/vertical/table-choice.js';
import type { OperatorSession } from './operator-session.js';
import { readTable } from './read-table.js';

/**
 * This party's columns of a joint table, from all of its inputs, with the label where `hasLabel`.
 * split: rows that train, out of more; inDim: columns of both owners together.
 * @throws DT_INPUT_COLUMN, DT_INPUT_INVALID, and those of readTable: all before any message
 */
export async function readInputs(
  session: OperatorSession,
  choice: TableChoice,
  hasLabel: boolean,
  { split, inDim }: { readonly split: number; readonly inDim: number },
): Promise<BankInput> {
  const own = session.seats.find(({ seat }) => seat === session.seat)?.inputs ?? [];
  const tables: PlannedTable[] = [];
  for (const plan of planInputs(choice, own, hasLabel)) tables.push({ ...(await readTable(session.input(plan.input), plan)), plan });
  return joinTables(tables, split, inDim);
}
