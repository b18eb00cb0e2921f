/**
 * Scores of aligned rows by a joint model whose parts lie with the owners of the columns: each owner adds up its part, one party gets the sums.
 *
 * Parameters:
 *   party_id, inputs, exec_endpoints   as in every joint job. Each of the two owners brings a table (.csv) and its part of the model
 *                           (.json, what vertical_lr.mjs or vertical_linear.mjs wrote as outputs.model; of a whole model the part that fits
 *                           the columns of the table is taken); the third party brings nothing
 *   model_args.scores_to    seat that gets the scores
 *   model_args.as           "score" (logit, or predicted value), or "probability" for a logistic model
 *   model_args.id           a name or names of columns that are no numbers; others that the model does not use are passed over
 *   outputs["<seat>"]       log file of that seat
 *   outputs.scores          the scores, at whom scores_to names: CSV with the columns row (from 1) and score
 *
 * Who learns what (semi-honest parties; the third party must not collude with an owner):
 *   all                     the arguments, names of parties, row count
 *   owners                  that both hold parts of the same model
 *   whom scores_to names    the score of each row; an owner who gets it thereby learns what the other's columns add to each of its rows
 *   the third party, where it gets the scores: nothing but the sums; else nothing
 * The protocol: src/privacy/regression/predict.
 */
import { readFileSync } from 'node:fs';
import {
  Arguments,
  dataSeats,
  declaredOutputs,
  parseModelFile,
  partFor,
  predictBank,
  predictThird,
  readTable,
  runOperator,
  systemRandom,
  ToolkitError,
} from 'compute-to-data/privacy';

await runOperator(async (session) => {
  const { digest, seat, seats } = session;
  const outputs = declaredOutputs(session, ['scores']);
  const { banks, third } = dataSeats(seats);
  const { scoresTo, as, id } = readArguments(session, banks, third);
  const options = { jobDigest: digest, scoresTo };

  if (seat === third) {
    const links = { banks: banks.map((bank) => session.channel(bank)) };
    write(outputs, await predictThird(links, options), as);
    return;
  }
  const bank = banks.indexOf(seat);
  const { file, part, columns } = await readOwn(session, id);
  if (as === 'probability' && file.kind !== 'logistic')
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.as', reason: 'only a logistic model gives probabilities' });
  const links = { otherBank: session.channel(banks[1 - bank]), dealer: session.channel(third) };
  const input = { part, columns, model: `${file.kind} ${file.fit}` };
  write(outputs, await predictBank(links, bank, options, input, systemRandom()), as);
});

function readArguments(session, banks, third) {
  const args = new Arguments(session.args.model_args, 'model_args');
  const seats = [...banks, third];
  const recipient = args.oneOf('scores_to', seats);
  if (recipient === undefined) throw args.refusal('scores_to', `it is missing; it must be a seat: ${[...seats].sort().join(', ')}`);
  const as = args.oneOf('as', ['score', 'probability']) ?? 'score';
  const id = args.names('id') ?? [];
  args.finish();
  return { scoresTo: recipient === third ? 'dealer' : `bank${banks.indexOf(recipient)}`, as, id };
}

/** The table and the part of the model among this owner's inputs. */
async function readOwn(session, id) {
  const numbers = session.seats.find(({ seat }) => seat === session.seat).inputs;
  const models = numbers.filter((number) => session.input(number).endsWith('.json'));
  const tables = numbers.filter((number) => !models.includes(number));
  if (models.length !== 1 || tables.length !== 1) {
    const reason = `this party brings ${tables.length} tables and ${models.length} parts of a model (.json), where one of each is needed`;
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'inputs', reason });
  }
  const what = `Input ${models[0]}, the part of the model,`;
  const file = parseModelFile(readFileSync(session.input(models[0]), 'utf8'), what);
  const path = session.input(tables[0]);
  if (file.parts.length === 1) {
    const [part] = file.parts;
    return { file, part, columns: await readTable(path, { columns: part.columns.map(({ name }) => name) }) };
  }
  const columns = await readTable(path, { without: id });
  return { file, part: partFor(file, columns.names, what), columns };
}

function write(outputs, scores, as) {
  if (scores === undefined) return;
  const shown = as === 'probability' ? scores.map((score) => 1 / (1 + Math.exp(-score))) : scores;
  outputs.text('scores', `row,score\n${Array.from(shown, (score, i) => `${i + 1},${score}\n`).join('')}`);
  outputs.log(`${scores.length} rows scored`);
}
