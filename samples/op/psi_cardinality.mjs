/**
 * How many ids two owners have in common, and nothing else: not even their owners learn which. A file of 10,000 ids takes some seconds.
 *
 * Parameters: those of psi.mjs, without `result` and `protocol` (ecdh is the one that counts without showing which):
 *   columns, normalize, to, duplicates, min_intersection and pad_to; outputs.metrics and outputs.log.
 * Without `to` both sides learn the number, with it that seat alone; the other one's metrics say null.
 *
 * Who learns what: both sides the declared sizes and whether min_intersection is met; whom `to` names, or both, the number. See psi.mjs.
 */
import { declaredOutputs, psiJob, runOperator, runPsiJob } from 'compute-to-data/privacy';

await runOperator(async (session) => {
  const outputs = declaredOutputs(session, ['metrics', 'log'], 'log');
  const job = psiJob(session, outputs, 'cardinality');
  if (job === undefined) return;
  const { report } = await runPsiJob(session, job, outputs.log);
  outputs.json('metrics', report);
});
