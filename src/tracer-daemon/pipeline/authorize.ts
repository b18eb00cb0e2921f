import { checkJob } from '../../constraints/check-facts.js';
import { canonicalBytes } from '../../documents/canonical.js';
import { type Decision, denial, digestOfDecision, failedClauses } from '../../documents/decision/decision.js';
import { leadToken, seatOf } from '../../documents/job/joint-group.js';
import { stepOf } from '../../documents/job/step-of.js';
import type { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { termsOfSeat } from './leaf-terms.js';
import { grantsEndOf } from './live-obligations.js';
import { type AuthorizedJob, brand, type ResolvedRequest } from './stages.js';

/** Stage 3, the judgement itself. Pure but for the clock: every clause, passed or failed. earlierRuns: jobs before this one that its leaf counts. */
export function decide(deps: Pick<DaemonDeps, 'organization' | 'now' | 'config'>, request: ResolvedRequest, earlierRuns: number): Decision {
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
      earlierRuns,
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

/** Stage 3. Writes down the decision, whatever it is, and what it is about. @throws DT_POLICY_DENIED with all failed clauses */
export async function authorize(
  deps: Pick<DaemonDeps, 'organization' | 'now' | 'records' | 'config' | 'store'>,
  request: ResolvedRequest,
  earlierRuns: number,
): Promise<AuthorizedJob> {
  const decision = decide(deps, request, earlierRuns);
  const { asked, facts, spec } = request;
  await Promise.all([decision, spec].map((record) => deps.records.put(canonicalBytes(record))));
  const place = seatOf(spec, deps.organization, asked.token);
  const step = stepOf(spec, deps.organization, asked.token);
  const code = step === undefined ? undefined : facts.operators.get(step.operator.id)?.document.operation;
  if (!decision.allowed || step === undefined || code === undefined) throw deniedBy(decision, asked.algorithm);
  return brand<AuthorizedJob>({
    request,
    step,
    code,
    path: step.path,
    decisionDigest: digestOfDecision(decision),
    joint: place && { ...place, leads: leadToken(spec, place.seat) === asked.token },
    grantsEndAt: grantsEndOf(request),
    terms: termsOfSeat(request, asked.token, place),
    data: (await deps.store.datasets.get(asked.token))?.sha256,
  });
}

/** The error of a refusal that was written down. */
export const deniedBy = (decision: Decision, id: string): ToolkitError => denial(id, decision.clauses, digestOfDecision(decision));
