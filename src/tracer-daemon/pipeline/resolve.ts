import { resolveJob } from '../../catalog/resolve-facts.js';
import { buildJobSpec } from '../../constraints/check-facts.js';
import { digestOfSpec } from '../../documents/job/job-spec.js';
import type { DaemonDeps } from '../deps.js';
import { type AdmittedJob, brand, type ResolvedRequest } from './stages.js';

/**
 * Stage 2. The only reads: job, tree, operators and organizations in two round trips to the chain, documents in parallel and verified.
 * What comes out is frozen under one digest; no later stage looks anything up again.
 * @throws DT_JOB_UNKNOWN, DT_ASSET_UNKNOWN, DT_DOCUMENT_*, DT_CHAIN_*
 */
export async function resolveRequest(deps: Pick<DaemonDeps, 'ledger' | 'content'>, asked: AdmittedJob): Promise<ResolvedRequest> {
  const facts = await resolveJob(deps.ledger, deps.content, asked.job, asked.algorithm);
  const { spec, steps, problems } = buildJobSpec(facts);
  return brand<ResolvedRequest>({ asked, facts, spec, specDigest: digestOfSpec(spec), steps, problems });
}
