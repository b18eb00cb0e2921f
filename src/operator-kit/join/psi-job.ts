import { ToolkitError } from '../../errors/toolkit-error.js';
import { psiProtocols } from '../../privacy/psi/choose-protocol.js';
import { checkOwnOptions, type PsiOwnOptions, type PsiTerms, psiResults, psiTerms } from '../../privacy/psi/psi-options.js';
import type { PsiResult } from '../../privacy/psi/run-psi.js';
import { systemRandom } from '../../privacy/random-source.js';
import { Arguments } from '../../privacy/vertical/arguments.js';
import { normalizationOf } from '../../privacy/vertical/join-arguments.js';
import type { DeclaredOutputs } from '../declared-outputs.js';
import type { OperatorSession } from '../operator-session.js';
import { IdFile } from './id-file.js';
import { type JoinFigures, joinFigures, joinIds } from './join-ids.js';

/** What the arguments of a private set intersection say to a party without ids. */
export interface PsiHelper {
  readonly helps: true;
  /** Seats of the owners to whom it deals random numbers for a count; undefined where it has nothing to do. */
  readonly dealsTo: readonly [string, string] | undefined;
}

/** What they say to an owner. */
export interface PsiJob {
  readonly helps: false;
  /** Seat of who deals for a count, where somebody helps. */
  readonly dealer: string | undefined;
  readonly party: 0 | 1;
  readonly peer: string;
  /** Number of the own input, and its id columns. */
  readonly input: string;
  readonly columns: readonly string[];
  readonly terms: PsiTerms;
  readonly own: PsiOwnOptions;
}

/** As JSON: what the party learned, and what it took. Nothing of a padded set but its declared size. */
export interface PsiReport extends JoinFigures {
  readonly result: PsiTerms['result'];
  readonly columns: readonly string[];
  readonly normalize: readonly string[];
  /** null at a side that does not learn it. */
  readonly size: number | null;
  readonly min_intersection: number;
}

/**
 * The `model_args` of samples/op/psi.mjs and psi_cardinality.mjs. All parties read all of them, so that what is wrong is found by all before
 * any message. For a count the first party without ids deals. @throws DT_INPUT_INVALID, naming the key
 */
export function psiJob(session: OperatorSession, outputs: DeclaredOutputs, kind: 'rows' | 'cardinality'): PsiJob | PsiHelper {
  const args = new Arguments(session.args['model_args'], 'model_args');
  const owners = session.seats.filter(({ inputs }) => inputs.length > 0);
  const [first, second] = owners;
  if (first === undefined || second === undefined || owners.length > 2 || owners.some(({ inputs }) => inputs.length !== 1)) {
    const reason = `${owners.length} seats bring ${owners.map(({ inputs }) => inputs.length).join(' and ') || 'no'} inputs; two are needed with one each`;
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'exec_endpoints', reason });
  }
  const columns = args.namesOrNamesByInput('columns');
  if (columns === undefined)
    throw args.refusal('columns', 'it is missing; it names the id columns of each input, as {"0": "id", "1": "id"}');
  const columnsOf = (input: string): readonly string[] => {
    const names = columns instanceof Map ? columns.get(input) : (columns as readonly string[]);
    if (names === undefined) throw args.refusal('columns', `it does not name the id columns of input ${input}`);
    return names;
  };
  const lists = owners.map(({ inputs: [input = ''] }) => ({ input, names: columnsOf(input) }));
  if (columns instanceof Map && columns.size > 2)
    throw args.refusal('columns', `it names more inputs than ${lists.map(({ input }) => input).join(' and ')}`);
  const width = lists[0]?.names.length ?? 0;
  if (lists[1]?.names.length !== width) throw args.refusal('columns', 'both inputs must have equally many id columns');
  const result = kind === 'cardinality' ? kind : (args.oneOf('result', psiResults) ?? 'both');
  const to = args.oneOf('to', [first.seat, second.seat]);
  const dealer = result === 'cardinality' ? session.seats.find(({ inputs }) => inputs.length === 0)?.seat : undefined;
  const terms: PsiTerms = {
    jobDigest: session.digest,
    result,
    ...(to !== undefined && { to: to === first.seat ? 0 : 1 }),
    normalize: normalizationOf(args, 'normalize', width),
    protocol: args.oneOf('protocol', ['auto', ...psiProtocols]) ?? 'auto',
    dealer: dealer !== undefined,
  };
  const party = session.seat === second.seat ? 1 : 0;
  const own: PsiOwnOptions = {
    party,
    minIntersection: args.whole('min_intersection') ?? 0,
    duplicates: args.oneOf('duplicates', ['refuse', 'keep-first']) ?? 'refuse',
    ...padded(args.wholeBySeat('pad_to', session.seat)),
  };
  args.finish();
  psiTerms(terms);
  checkOwnOptions(own);
  requireRecipients(session, outputs, terms, [first.seat, second.seat]);
  if (session.seat !== first.seat && session.seat !== second.seat)
    return { helps: true, dealsTo: session.seat === dealer ? [first.seat, second.seat] : undefined };
  const { input, names } = lists[party] as { input: string; names: readonly string[] };
  const peer = party === 0 ? second.seat : first.seat;
  return { helps: false, dealer, party, peer, input, columns: names, terms, own };
}

const padded = (padTo: number | undefined): Pick<PsiOwnOptions, 'padTo'> => (padTo === undefined ? {} : { padTo });

/** Rows that a side does not learn cannot be written there. */
function requireRecipients(session: OperatorSession, outputs: DeclaredOutputs, { result, to }: PsiTerms, owners: readonly string[]): void {
  const learns = result === 'cardinality' ? [] : to === undefined ? owners : [owners[to]];
  const odd = session.seats.find(({ seat }) => outputs.has(seat) && !learns.includes(seat));
  if (odd === undefined) return;
  const reason = `seat ${odd.seat} does not learn which rows are common`;
  throw new ToolkitError('DT_INPUT_INVALID', { what: `outputs.${odd.seat}`, reason });
}

/** Finds the common rows and says in the log what is known then. @throws as runPsi; DT_INPUT_COLUMN before any message */
export async function runPsiJob(
  session: OperatorSession,
  job: PsiJob,
  log: (line: string) => void,
): Promise<{ readonly result: PsiResult; readonly report: PsiReport }> {
  const ids = await IdFile.open(session.input(job.input), job.columns);
  const joined = await joinIds(session, job, job.terms, job.own, ids.batches(), log);
  const { size } = joined.result;
  if (size !== undefined) log(`${size} of them in common`);
  const report: PsiReport = {
    result: job.terms.result,
    columns: job.columns,
    normalize: job.terms.normalize,
    size: size ?? null,
    min_intersection: job.own.minIntersection ?? 0,
    ...joinFigures(joined),
  };
  return { result: joined.result, report };
}

/** A helper's part: deals where a count needs it, and sees no word that depends on an id. @throws DT_PEER_* */
export async function helpPsiJob(session: OperatorSession, { dealsTo }: PsiHelper): Promise<void> {
  if (dealsTo === undefined) return;
  const { dealForCount } = await import('../../privacy/psi/count-dealer.js');
  const [first, second] = dealsTo;
  await dealForCount([session.channel(first), session.channel(second)], session.digest, systemRandom());
}
