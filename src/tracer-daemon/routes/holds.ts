import { type Request, type Response, Router } from 'express';
import type { Json } from '../../documents/canonical.js';
import type { Decision } from '../../documents/decision/decision.js';
import type { Bytes32 } from '../../documents/ids.js';
import type { JobSpec } from '../../documents/job/job-spec.js';
import { stepOf } from '../../documents/job/step-of.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requesterOf, requireOwner } from '../middleware/authenticate.js';
import { lossIn } from '../pipeline/live-obligations.js';
import { answerHold, readRecord, subjectOf } from '../pipeline/owner-answer.js';
import { resolveAgain, revoked } from '../pipeline/run-job.js';
import { viewOf } from '../run-view.js';
import type { Run } from '../store/run.js';

const MOST_HOLDS = 100;

/** What waits for the owner: requests that it has to approve, and outputs that it has to look at before they leave. */
export function holdRoutes(deps: DaemonDeps): Router {
  const { store } = deps;
  const router = Router(EXACT);
  const proven = authenticate(deps);

  const waiting = async (request: Request, response: Response): Promise<Run> => {
    requireOwner(deps, request, response);
    const id = String(request.params['id']);
    const run = /^[0-9a-f-]{36}$/.test(id) ? await store.runs.get(id) : undefined;
    if (run === undefined) throw new ToolkitError('DT_JOB_UNKNOWN', { id });
    Object.assign(response.locals, { token: run.token, job: run.jobId });
    return run;
  };

  router.get('/v1/holds', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const runs = await store.runs.list({ states: ['awaiting-approval', 'held'], limit: MOST_HOLDS });
    response.json({ holds: await Promise.all(runs.map((run) => holdOf(deps, run))) });
  });

  router.post('/v1/jobs/:id/approve', proven, async (request, response) => {
    const run = await waiting(request, response);
    const { reason, subject } = request.body as { reason: string; subject: Bytes32 };
    // What was lost meanwhile is not given away, even if nobody has told of it yet. A request is checked again when it runs.
    const lost = run.state === 'held' ? lossIn(await resolveAgain(deps, run), deps.organization) : undefined;
    if (lost !== undefined) {
      await store.runs.endWaiting(run.runId, revoked(run, lost));
      throw new ToolkitError('DT_JOB_REVOKED', { id: run.jobId, reason: lost });
    }
    const by = requesterOf(response);
    response.json(await viewOf(deps, await answerHold(deps, run, { outcome: 'approved', by, reason, subject })));
  });

  router.post('/v1/jobs/:id/refuse', proven, async (request, response) => {
    const run = await waiting(request, response);
    const { reason, subject } = request.body as { reason: string; subject?: Bytes32 };
    const by = requesterOf(response);
    response.json(await viewOf(deps, await answerHold(deps, run, { outcome: 'refused', by, reason, ...(subject && { subject }) })));
  });

  return router;
}

/** All that the owner decides on, as it is now; `problem` where it cannot be read. */
async function holdOf(deps: DaemonDeps, run: Run) {
  const base = { kind: run.state === 'held' ? 'outputs' : 'request', run: await viewOf(deps, run) };
  try {
    const { step, subject, data, outputs } = await subjectOf(deps, run);
    const [decision, code, approved] = await Promise.all([
      readRecord<Decision>(deps, run.decisionDigest),
      deps.content.get(step.operator.digest),
      lastApproved(deps, run),
    ]);
    return {
      ...base,
      subject,
      path: step.path,
      service: step.service,
      operator: { ...step.operator, code: code === undefined ? undefined : codeIn(code) },
      ...(approved && { approved }),
      arguments: step.arguments,
      ...(data && { data }),
      outputs,
      clauses: decision?.clauses ?? [],
    };
  } catch (error) {
    const { code, message } = toToolkitError(error);
    return { ...base, problem: { code, message } };
  }
}

/** The operator of the last request for the same data that the owner approved: whether it is other code now can be seen at once. */
async function lastApproved(deps: DaemonDeps, { token }: Run) {
  const last = await deps.store.runs.lastApproved(token);
  const spec = await readRecord<JobSpec>(deps, last?.specDigest);
  const step = spec && stepOf(spec, deps.organization, token);
  if (last === undefined || step === undefined) return undefined;
  return { run: last.runId, at: last.approval?.at, operator: step.operator.digest };
}

/** These bytes were verified against their digest when they were read. */
function codeIn(document: Uint8Array): string | undefined {
  const { operation } = JSON.parse(Buffer.from(document).toString('utf8')) as { readonly operation?: Json };
  return typeof operation === 'string' ? operation : undefined;
}
