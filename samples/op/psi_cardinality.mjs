/**
 * How many ids two owners have in common, and nothing else: not even their owners learn which.
 *
 * Parameters: those of psi.mjs, without `result`:
 *   columns, normalize, to, duplicates, min_intersection, pad_to and protocol; outputs.metrics and outputs.log.
 * Without `to` both sides learn the number, with it that seat alone; the other one's metrics say null.
 *
 * Large sets want a third seat in exec_endpoints, of a party without data: it deals random numbers, and a million ids take seconds (kkrt). Between
 * two parties alone elliptic curves do it (ecdh), about half a millisecond an id. "protocol": "ecdh" takes these in any case.
 *
 * Who learns what: both sides the declared sizes and whether min_intersection is met; whom `to` names, or both, the number. See psi.mjs.
 *   who deals         about how many ids the side has that counts; it hears no word that depends on an id. It must not collude with an owner:
 *                     with the one that counts, it could tell which of its ids are common; with the other, test ids of the one that counts
 * The protocols with parameters and sources: src/privacy/psi (count-plan, ecdh-psi).
 */
import { declaredOutputs, helpPsiJob, psiJob, runOperator, runPsiJob } from 'compute-to-data/privacy';

await runOperator(async (session) => {
  const outputs = declaredOutputs(session, ['metrics', 'log'], 'log');
  const job = psiJob(session, outputs, 'cardinality');
  if (job.helps) return helpPsiJob(session, job);
  const { report } = await runPsiJob(session, job, outputs.log);
  outputs.json('metrics', report);
});
