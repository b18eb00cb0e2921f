/**
 * Scores of aligned or joined rows by a joint model whose parts lie with the owners of the columns: each owner adds up its part, one party gets the sums.
 *
 * Parameters:
 *   party_id, inputs, exec_endpoints   as in every joint job. Each of the two owners brings a table (.csv) and its part of the model
 *                           (.json, what vertical_lr.mjs or vertical_linear.mjs wrote as outputs.model; of a whole model the part that fits
 *                           the columns of the table is taken); the third party brings nothing
 *   model_args.scores_to    seat that gets the scores
 *   model_args.as           "score" (logit, or predicted value), or "probability" for a logistic model
 *   model_args.id           a name or names of columns that are no numbers; others that the model does not use are passed over
 *   model_args.options      an object of join_on, join_normalize, join_duplicates, join_protocol and min_intersection, as in vertical_lr.mjs, or null: the
 *                           rows that both tables have are scored; without join_on row i of both is the same customer
 *   outputs["<seat>"]       log file of that seat
 *   outputs.scores          the scores, at whom scores_to names: CSV with the columns row (from 1) and score. With join_on an owner gets them by the
 *                           rows of its own table, and the third party in the random order of the join, which says nothing of who is who
 *
 * Who learns what (semi-honest parties; the third party must not collude with an owner):
 *   all                     the arguments, names of parties, row count
 *   owners                  that both hold parts of the same model
 *   whom scores_to names    the score of each row; an owner who gets it thereby learns what the other's columns add to each of its rows
 *   with join_on            the owners: how many ids the other has, and which of their own rows are common
 *   the third party, where it gets the scores: nothing but the sums; else nothing
 * The protocol: src/privacy/regression/predict.
 */
import { readFileSync } from 'node:fs';
import {
  Arguments,
  dataSeats,
  declaredOutputs,
  IdFile,
  idColumnsOf,
  joinRows,
  parseModelFile,
  partFor,
  predictBank,
  predictThird,
  readHeader,
  readJoinChoice,
  readTable,
  rowsOf,
  runOperator,
  systemRandom,
  ToolkitError,
  withOptions,
} from 'compute-to-data/privacy';

await runOperator(async (session) => {
  const { digest, seat, seats } = session;
  const outputs = declaredOutputs(session, ['scores']);
  const { banks, third } = dataSeats(seats);
  const { scoresTo, as, id, join } = readArguments(session, banks, third);
  const options = { jobDigest: digest, scoresTo };

  if (seat === third) {
    const links = { banks: banks.map((bank) => session.channel(bank)) };
    write(outputs, await predictThird(links, options), as, undefined);
    return;
  }
  const bank = banks.indexOf(seat);
  const { file, part, columns: all, path, number } = await readOwn(session, id, join);
  if (as === 'probability' && file.kind !== 'logistic')
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.as', reason: 'only a logistic model gives probabilities' });
  const { columns, rows } = await joined(session, { peer: banks[1 - bank], party: bank }, join, { all, path, number }, outputs.log);
  const links = { otherBank: session.channel(banks[1 - bank]), dealer: session.channel(third) };
  const input = { part, columns, model: `${file.kind} ${file.fit}` };
  write(outputs, await predictBank(links, bank, options, input, systemRandom()), as, rows);
});

function readArguments(session, banks, third) {
  const args = new Arguments(withOptions(session.args.model_args), 'model_args');
  const seats = [...banks, third];
  const recipient = args.oneOf('scores_to', seats);
  if (recipient === undefined) throw args.refusal('scores_to', `it is missing; it must be a seat: ${[...seats].sort().join(', ')}`);
  const as = args.oneOf('as', ['score', 'probability']) ?? 'score';
  const id = args.names('id') ?? [];
  const join = readJoinChoice(args);
  args.finish();
  return { scoresTo: recipient === third ? 'dealer' : `bank${banks.indexOf(recipient)}`, as, id, join };
}

/** The table and the part of the model among this owner's inputs. */
async function readOwn(session, id, join) {
  const numbers = session.seats.find(({ seat }) => seat === session.seat).inputs;
  const models = numbers.filter((number) => session.input(number).endsWith('.json'));
  const tables = numbers.filter((number) => !models.includes(number));
  if (models.length !== 1 || tables.length !== 1) {
    const reason = `this party brings ${tables.length} tables and ${models.length} parts of a model (.json), where one of each is needed`;
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'inputs', reason });
  }
  const what = `Input ${models[0]}, the part of the model,`;
  const file = parseModelFile(readFileSync(session.input(models[0]), 'utf8'), what);
  const [number] = tables;
  const path = session.input(number);
  if (file.parts.length === 1) {
    const [part] = file.parts;
    return { file, part, path, number, columns: await readTable(path, { columns: part.columns.map(({ name }) => name) }) };
  }
  const keys = join === undefined ? [] : (idColumnsOf(join, number, await readHeader(path)) ?? []);
  const columns = await readTable(path, { without: [...new Set([...id, ...keys])] });
  return { file, part: partFor(file, columns.names, what), columns, path, number };
}

/** The rows that both owners have, and their numbers in the own table; all of them without a join. */
async function joined(session, side, join, { all, path, number }, log) {
  if (join === undefined) return { columns: all };
  const keys = idColumnsOf(join, number, await readHeader(path));
  if (keys === undefined) {
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.join_on', reason: `it names no id column of input ${number}` });
  }
  const ids = await IdFile.open(path, keys);
  const { rows } = await joinRows(session, side, join, 1, ids.batches(), log);
  return { columns: rowsOf(all, rows), rows };
}

/** `rows`: the number of each score's row, in any order. */
function write(outputs, scores, as, rows = scores?.map((_, i) => i)) {
  if (scores === undefined) return;
  const shown = as === 'probability' ? scores.map((score) => 1 / (1 + Math.exp(-score))) : scores;
  const order = Uint32Array.from(rows, (_, i) => i).sort((i, j) => rows[i] - rows[j]);
  outputs.text('scores', `row,score\n${Array.from(order, (i) => `${rows[i] + 1},${shown[i]}\n`).join('')}`);
  outputs.log(`${scores.length} rows scored`);
}
