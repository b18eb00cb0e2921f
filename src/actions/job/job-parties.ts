import { resolveJob } from '../../catalog/resolve-facts.js';
import { buildJobSpec } from '../../constraints/check-facts.js';
import { requireAll } from '../../documents/decision/decision.js';
import { type Address, type Bytes32, parseAddress, type TokenId } from '../../documents/ids.js';
import type { JobFacts } from '../../documents/job/job-facts.js';
import { digestOfSpec, type JobSpec } from '../../documents/job/job-spec.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonClient, RunView } from '../../peers/daemon-client.js';
import { endpointOf } from '../../peers/daemon-url.js';
import { type ActionContext, daemonOf } from '../action-context.js';

/** One owner's share of a job, and how to speak to its daemon. */
export interface Party {
  readonly token: TokenId;
  readonly assetName: string;
  readonly owner: Address;
  readonly ownerName: string;
  readonly client: DaemonClient;
}

export interface JobParties {
  readonly facts: JobFacts;
  readonly spec: JobSpec;
  readonly specDigest: Bytes32;
  readonly parties: readonly Party[];
}

/** @throws DT_JOB_UNKNOWN, DT_DOCUMENT_*, DT_POLICY_DENIED when the tree is broken, DT_PEER_NO_ENDPOINT */
export async function partiesOf(context: ActionContext, job: bigint): Promise<JobParties> {
  const facts = await resolveJob(context.ledger, context.content, job);
  const { spec, problems } = buildJobSpec(facts);
  requireAll(facts.root, problems);
  const parties = spec.steps.map((step): Party => {
    const ddo = facts.ddos.get(step.token);
    const organization = facts.organizations.get(step.owner);
    const url = endpointOf(
      ddo?.services.find((service) => service.index === step.service),
      organization?.url,
    );
    if (url === undefined) throw new ToolkitError('DT_PEER_NO_ENDPOINT', { owner: step.owner, id: step.token });
    return {
      token: step.token,
      assetName: ddo?.metadata.main.name ?? step.token,
      owner: step.owner,
      ownerName: organization?.name ?? step.owner,
      client: daemonOf(context, step.owner, url),
    };
  });
  return { facts, spec, specDigest: digestOfSpec(spec), parties: [...parties, ...helpersOf(context, facts, spec)] };
}

/** Those who take part in a joint computation without data: their share is of the algorithm as a whole. @throws DT_PEER_NO_ENDPOINT */
function helpersOf(context: ActionContext, facts: JobFacts, spec: JobSpec): readonly Party[] {
  const seats = (spec.joint ?? []).flatMap((group) => group.seats.filter(({ inputs }) => inputs.length === 0));
  return seats.map(({ organization: owner }): Party => {
    const organization = facts.organizations.get(owner);
    const url = endpointOf(undefined, organization?.url);
    const { token } = spec.algorithm;
    if (url === undefined) throw new ToolkitError('DT_PEER_NO_ENDPOINT', { owner, id: token });
    return { token, assetName: 'helper, no data', owner, ownerName: organization?.name ?? owner, client: daemonOf(context, owner, url) };
  });
}

export type PartyRun = Party & { readonly run: RunView | undefined; readonly problem: ToolkitError | undefined };

/** The parties of a job, or the one of `only`. @throws DT_INPUT_INVALID when the job does not use it */
export function selectParties(parties: readonly Party[], job: bigint, only: TokenId | undefined): readonly Party[] {
  const selected = parties.filter((party) => only === undefined || party.token === only);
  if (selected.length > 0) return selected;
  const known = parties.map(({ token }) => token).join(', ');
  throw new ToolkitError('DT_INPUT_INVALID', { what: 'The data token', reason: `job ${job} runs on ${known}, not on ${only}` });
}

/** What every party's daemon says of its share; one that cannot be asked does not hide the others. @throws as `partiesOf` and `runsIn` */
export async function runsOf(context: ActionContext, job: bigint, only?: TokenId): Promise<readonly PartyRun[]> {
  return runsIn(context, await partiesOf(context, job), only);
}

/** The same of a job whose parties are known. @throws DT_JOB_NOT_YOURS when every daemon is silent because of who asks */
export async function runsIn(context: ActionContext, { facts, parties }: JobParties, only?: TokenId): Promise<readonly PartyRun[]> {
  const { id, demander } = facts.job;
  const runs = await runsAt(selectParties(parties, id, only), id);
  const signer = parseAddress(context.signer.address);
  const isParty = demander === signer || runs.some(({ owner }) => owner === signer);
  if (isParty || runs.some(({ run, problem }) => run !== undefined || problem !== undefined)) return runs;
  const name = facts.organizations.get(demander)?.name;
  throw new ToolkitError('DT_JOB_NOT_YOURS', { id, demander: name === undefined ? demander : `${name} (${demander})`, signer });
}

async function runsAt(parties: readonly Party[], job: bigint): Promise<readonly PartyRun[]> {
  return Promise.all(
    parties.map(async (party) => {
      try {
        const [run] = await party.client.jobs({ job: job.toString(), token: party.token });
        return { ...party, run, problem: undefined };
      } catch (error) {
        if (error instanceof ToolkitError) return { ...party, run: undefined, problem: error };
        throw error;
      }
    }),
  );
}
