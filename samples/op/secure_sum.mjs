/**
 * Secure sum: the sum, the count and the mean of one column over the tables of several banks, none of which shows its own sum to anyone.
 * The worked example of docs/OPERATORS.md.
 *
 * Parameters (secure_sum_params.json):
 *   exec_endpoints   the seats: { "0": bank, "1": bank, … }; a seat without data may take part, for the result only
 *   inputs           { "0": "./inputs/a.csv", … }: CSV with a header
 *   model_args       { "column": the column to sum, "allow_two": false }. Of two banks, each could subtract its own sum from the result
 *                    and have the other's, so two are refused unless every owner lets it be true
 *   outputs          { "0": "./outputs/sum.json", … }: which seats get the result; what is told to the others is nothing
 *
 * Trust and leakage: see secureSum (src/privacy/statistics/secure-sum.ts).
 */
import { writeFileSync } from 'node:fs';
import { readTable, runOperator, secureSum, sumDefaults, systemRandom, ToolkitError } from 'compute-to-data/privacy';

await runOperator(async (session) => {
  const { column, allow_two: allowTwo } = session.args.model_args ?? {};
  if (typeof column !== 'string') throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.column', reason: 'it is no text' });
  const outputs = session.args.outputs ?? {};
  const target = session.seat in outputs ? session.output(outputs[session.seat], `outputs.${session.seat}`) : undefined;
  const own = session.seats.find(({ seat }) => seat === session.seat);

  // This bank's share of the result: a helper has none.
  let values;
  if (own.inputs.length > 0) {
    let sum = 0;
    let count = 0;
    for (const number of own.inputs) {
      const table = await readTable(session.input(number), { columns: [column] });
      for (const value of table.values) sum += value;
      count += table.rows;
    }
    values = [sum, count];
    console.log(`read ${count} rows`);
  }

  // Every party computes the same options from the same arguments; the protocol compares them before anything else is sent.
  const options = {
    ...sumDefaults,
    jobDigest: session.digest,
    names: [`sum of ${column}`, 'count'],
    parties: session.seats.map(({ seat }) => seat),
    contributors: session.seats.filter(({ inputs }) => inputs.length > 0).map(({ seat }) => seat),
    recipients: Object.keys(outputs),
    allowTwo,
  };
  const result = await secureSum(session, options, values, systemRandom());

  if (result === undefined) return; // not one of the recipients
  const [sum, count] = result;
  const report = { column, banks: options.contributors.length, count, sum, mean: count > 0 ? sum / count : null };
  writeFileSync(target, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`${count} rows of ${report.banks} banks: sum ${sum}`);
});
