import { resolveJob } from '../../catalog/resolve-facts.js';
import type { GivenEvidence } from '../../catalog/verify/given-evidence.js';
import { documentsOf } from '../../catalog/verify/given-file.js';
import { expectedOf } from '../../catalog/verify-evidence.js';
import { buildJobSpec } from '../../constraints/check-facts.js';
import { parseAddress } from '../../documents/ids.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import { endpointOf } from '../../peers/daemon-url.js';
import { type ActionContext, daemonOf } from '../action-context.js';

/**
 * What every party's daemon hands out about a job, all asked at once. One that cannot be asked, or keeps its evidence back, hides nothing of
 * the others: it is in the list with the reason. @throws DT_JOB_UNKNOWN, DT_DOCUMENT_*, DT_CHAIN_*
 */
export async function gatherEvidence(
  context: ActionContext,
  job: bigint,
  { openings = false }: { /** Of what the signer owns: what opens the commitments, too. */ readonly openings?: boolean } = {},
): Promise<readonly GivenEvidence[]> {
  const facts = await resolveJob(context.ledger, context.content, job);
  const { spec } = buildJobSpec(facts);
  const signer = parseAddress(context.signer.address);
  const serviceOf = new Map(spec.steps.map(({ token, service }) => [token, service]));
  return Promise.all(
    expectedOf(spec).map(async (of): Promise<GivenEvidence> => {
      const service = facts.ddos.get(of.token)?.services.find(({ index }) => index === serviceOf.get(of.token));
      const url = endpointOf(service, facts.organizations.get(of.owner)?.url);
      const without = (problem: string): GivenEvidence => ({ source: url?.href ?? of.owner, of, documents: {}, problem });
      if (url === undefined) return without('neither the chain nor its document says where its daemon is');
      try {
        const client = daemonOf(context, of.owner, url);
        const [run] = await client.jobs({ job: job.toString(), token: of.token });
        if (run === undefined)
          return without(
            `its daemon shows no run of this job to ${signer}${signer === facts.job.demander ? '' : ', who did not add this job'}`,
          );
        if (run.receipt === undefined) return without(`its run is ${run.state} and has no receipt`);
        const evidence = await client.evidence(run.id);
        const isOwn = of.owner === signer;
        // A helper has no data, and the owner may hold other data by now: there is nothing to open then.
        const opening = openings && isOwn ? await client.opening(run.id).catch(() => undefined) : undefined;
        return { source: url.href, of, documents: documentsOf({ ...evidence, ...(opening && { opening }) }) };
      } catch (error) {
        return without(toToolkitError(error).message);
      }
    }),
  );
}
