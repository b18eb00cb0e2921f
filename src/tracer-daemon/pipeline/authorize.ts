import { checkJob } from '../../constraints/check-facts.js';
import { canonicalBytes } from '../../documents/canonical.js';
import { type Decision, denial, digestOfDecision, failedClauses } from '../../documents/decision/decision.js';
import type { TokenId } from '../../documents/ids.js';
import type { JobSpec, JobStep } from '../../documents/job/job-spec.js';
import { leadToken, seatOf } from '../../documents/job/joint-group.js';
import type { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { type AuthorizedJob, brand, type ResolvedRequest } from './stages.js';

/** Stage 3, the judgement itself. Pure but for the clock: every clause, passed or failed. */
export function decide(deps: Pick<DaemonDeps, 'organization' | 'now' | 'config'>, request: ResolvedRequest): Decision {
  const { asked, facts, spec, specDigest, steps, problems } = request;
  const clauses = checkJob(
    facts,
    { spec, steps, problems },
    {
      token: asked.token,
      signer: asked.signer,
      daemon: deps.organization,
      signedSpec: asked.signedSpec,
      resolvedSpec: specDigest,
      help: deps.config.joint.help,
    },
  );
  return {
    kind: 'decision',
    daemon: deps.organization,
    subject: { job: asked.job.toString(), token: asked.token },
    spec: specDigest,
    allowed: failedClauses(clauses).length === 0,
    clauses,
    decidedAt: new Date(deps.now()).toISOString(),
  };
}

/** Stage 3. Writes the decision down, whatever it is. @throws DT_POLICY_DENIED with all failed clauses */
export async function authorize(
  deps: Pick<DaemonDeps, 'organization' | 'now' | 'records' | 'config'>,
  request: ResolvedRequest,
): Promise<AuthorizedJob> {
  const decision = decide(deps, request);
  await deps.records.put(canonicalBytes(decision));
  const { asked, facts, spec } = request;
  const place = seatOf(spec, deps.organization, asked.token);
  const step = stepOf(spec, asked.token, place);
  const code = step === undefined ? undefined : facts.operators.get(step.operator.id)?.document.operation;
  if (!decision.allowed || step === undefined || code === undefined) throw deniedBy(decision, asked.algorithm);
  const ends = [...facts.tokens.values()].flatMap(({ grants }) =>
    grants.flatMap(({ grantedUntil }) => (grantedUntil ? [grantedUntil * 1000] : [])),
  );
  return brand<AuthorizedJob>({
    request,
    step,
    code,
    path: step.path,
    decisionDigest: digestOfDecision(decision),
    joint: place && { ...place, leads: leadToken(spec, place.seat) === asked.token },
    grantsEndAt: ends.length === 0 ? undefined : Math.min(...ends),
  });
}

/**
 * What runs for a token: its own step. A helper of a joint computation brings no token and runs what the others run, with the arguments
 * that they have in common, for the algorithm as a whole.
 */
function stepOf(spec: JobSpec, token: TokenId, place: ReturnType<typeof seatOf>): JobStep | undefined {
  const own = spec.steps.find((candidate) => candidate.token === token);
  if (own !== undefined || place === undefined) return own;
  const shared = spec.steps.find((candidate) => candidate.operator.id === place.group.operator);
  if (shared === undefined) return undefined;
  const { ddo } = spec.algorithm;
  const args = { ...shared.arguments, party_id: Number(place.seat.seat) };
  return { ...shared, token, ddo, owner: place.seat.organization, path: [token], arguments: args };
}

/** The error of a refusal that was written down. */
export const deniedBy = (decision: Decision, id: string): ToolkitError => denial(id, decision.clauses, digestOfDecision(decision));
