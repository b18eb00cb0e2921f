/**
 * Private set intersection: two owners find the rows whose ids both have, and show each other no other id. Each gets the common rows of its own
 * file; the files never leave their owners.
 *
 * Parameters (null is "not given", what is unknown is refused):
 *   party_id, inputs, exec_endpoints   as in every joint job: two seats that bring one CSV file with a header each. Other seats idle, but
 *                           with "cardinality": see psi_cardinality.mjs
 *   model_args.columns      the id columns of each input, {"0": "id", "1": ["first", "last"]}; several make a key together, in this order;
 *                           or one name or list for both
 *   model_args.normalize    a rule for all columns, or one for each: none (as it stands, the default), trim, fold (trim, and case does not count),
 *                           mail, phone, phone:49 (national numbers get this country code). Both sides must say the same
 *   model_args.result       "both" (default): each side its common rows, in the order of its file; "aligned": in one random order, the same
 *                           at both sides, so that row i of both outputs is one customer; "one": only the side `to`; "cardinality": how many
 *   model_args.to           a seat: with "one", and with "cardinality" where only one shall learn it
 *   model_args.duplicates   "refuse" (default), or "keep-first": of rows with the same id the first, which is said in the log
 *   model_args.min_intersection   fewer common ids than this (0) end the job at both sides; nobody is told how many there are
 *   model_args.pad_to       a size to show instead of the true number of ids, for both seats or {"0": 100000}
 *   model_args.protocol     "auto" (default: by the sizes, and the log says why), "kkrt" or "ecdh"
 *   outputs["<seat>"]       the common rows of that seat's file, header kept, byte for byte
 *   outputs.metrics         sizes, protocol, time by phase and bytes, as JSON, at both sides
 *   outputs.log             the log lines, at both sides
 * What `outputs` does not name is not written. What is written is released to who asked for the job: whoever minds does not allow the name.
 *
 * Who learns what (semi-honest parties):
 *   both sides        the arguments, the declared number of ids of the other side, whether min_intersection is met
 *   who gets rows     which of its own rows are common, and nothing about any other id; with "cardinality" only how many
 *   a helper          the arguments
 *   reader of the log and the metrics: declared sizes, rows left out as repeated, and the number in common where that seat learns it
 * With few common ids, or by asking again with other files, a side may learn more than its owner likes: min_intersection, and what the owners sign.
 * The protocols with parameters and sources: src/privacy/psi (run-psi, kkrt-plan, ecdh-psi).
 */
import { declaredOutputs, helpPsiJob, psiJob, runOperator, runPsiJob, writeRows } from 'compute-to-data/privacy';

await runOperator(async (session) => {
  const outputs = declaredOutputs(session, ['metrics', 'log'], 'log');
  const job = psiJob(session, outputs, 'rows');
  if (job.helps) return helpPsiJob(session, job);
  const { result, report } = await runPsiJob(session, job, outputs.log);
  const rowsTo = outputs.path(session.seat);
  if (rowsTo !== undefined && result.rows !== undefined) await writeRows(session.input(job.input), rowsTo, result.rows);
  outputs.json('metrics', report);
});
