import type { IdSource } from '../../privacy/psi/own-set.js';
import type { PsiTerms } from '../../privacy/psi/psi-options.js';
import type { Columns } from '../../privacy/regression/columns.js';
import type { JoinChoice } from '../../privacy/vertical/join-arguments.js';
import type { OperatorSession } from '../operator-session.js';
import { type JoinFigures, joinFigures, joinIds } from './join-ids.js';

/** As JSON: what came of a join that is the first step of a job. */
export interface JoinReport extends JoinFigures {
  readonly rows: number;
}

export interface JoinedRows {
  /** Own rows (from 0) that both sides have, in a random order that is the same at both. */
  readonly rows: Uint32Array;
  readonly report: JoinReport;
}

/**
 * The first step of a vertical job: the two owners find the rows that both have. Both sides learn which of their own rows these are.
 * @param side the peer, and which of the two parties (0 or 1) this is
 * @param least fewer rows are of no use: the join then ends without a result, as with min_intersection
 * @throws as runPsi
 */
export async function joinRows(
  session: OperatorSession,
  side: { readonly peer: string; readonly party: 0 | 1 },
  choice: JoinChoice,
  least: number,
  ids: IdSource,
  log: (line: string) => void,
): Promise<JoinedRows> {
  const { normalize, protocol, duplicates } = choice;
  const terms: PsiTerms = { jobDigest: session.digest, result: 'aligned', normalize, protocol };
  const own = { party: side.party, duplicates, minIntersection: Math.max(least, choice.minIntersection) };
  const joined = await joinIds(session, side, terms, own, ids, log);
  const rows = joined.result.rows ?? new Uint32Array();
  log(`${rows.length} rows are joined`);
  return { rows, report: { rows: rows.length, ...joinFigures(joined) } };
}

/** A table of these rows of another one, in this order. */
export function rowsOf({ names, values }: Columns, rows: Uint32Array): Columns {
  const width = names.length;
  const taken = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * width;
    taken.set(values.subarray(from, from + width), i * width);
  }
  return { names, rows: rows.length, values: taken };
}
