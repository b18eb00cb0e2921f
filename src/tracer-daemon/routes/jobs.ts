import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type RequestHandler, type Response, Router } from 'express';
import { canonicalBytes } from '../../documents/canonical.js';
import { deadlineMs } from '../../documents/ddo/release-terms.js';
import type { Decision } from '../../documents/decision/decision.js';
import { type Bytes32, parseCounter, parseTokenId } from '../../documents/ids.js';
import { seatOf } from '../../documents/job/joint-group.js';
import type { ComputeBody } from '../../documents/job/wire.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { explainRun } from '../explain-run.js';
import { authenticate, EXACT, requesterOf } from '../middleware/authenticate.js';
import { admitJob } from '../pipeline/admit.js';
import { decide, deniedBy } from '../pipeline/authorize.js';
import { readEnding } from '../pipeline/ending-file.js';
import { leafTerms, termsOfSeat } from '../pipeline/leaf-terms.js';
import { grantsEndOf } from '../pipeline/live-obligations.js';
import { RELEASED } from '../pipeline/release.js';
import { resolveRequest } from '../pipeline/resolve.js';
import { problemOf } from '../pipeline/run-job.js';
import { runQuota } from '../pipeline/run-limit.js';
import { inputOf, pathOnChain, readReceipt, writeReceipt } from '../pipeline/settle.js';
import type { ReleasedOutput, ResolvedRequest } from '../pipeline/stages.js';
import { repeatRefusal } from '../pipeline/standing-refusal.js';
import { untilAnchored } from '../pipeline/until-anchored.js';
import { viewOf } from '../run-view.js';
import type { NewRun, Run } from '../store/run.js';
import { isFinal } from '../store/run-state.js';
import { mayRead } from '../web/may-read.js';
import type { Places } from '../web/places.js';
import { accessOfResponse } from '../web/prove-access.js';
import { watchAccess } from '../web/watch-access.js';
import { drained } from './drained.js';
import { isAuditor, readsAsAuditor, scopedRun } from './scoped-run.js';

/** Within a client's patience for an answer, and for a block on most chains. */
const ANCHOR_MS = 15_000;

/** Compute requests, and all that their consumer and the owner may see and do afterwards. */
export function jobRoutes(deps: DaemonDeps, places: Places): Router {
  const { store, config } = deps;
  const router = Router(EXACT);
  const proven = authenticate(deps);
  const param = (value: unknown): string => (Array.isArray(value) ? value.join('/') : String(value));

  const scoped = (id: string, response: Response, options = {}): Promise<Run> => scopedRun(deps, id, response, options);

  /** Request, job spec and decision on disk, and the run that names them. */
  const keep = async (request: ComputeBody, resolved: ResolvedRequest, decision: Decision): Promise<NewRun> => {
    const put = (record: object): Promise<Bytes32> => deps.records.put(canonicalBytes(record));
    const [requestDigest, , decisionDigest] = await Promise.all([put(request), put(resolved.spec), put(decision)]);
    return newRun(deps, resolved, { requestDigest, decisionDigest });
  };

  router.post('/v1/jobs', async (request, response) => {
    const { admitted, request: asked } = await admitJob(deps, request.body);
    Object.assign(response.locals, { requester: admitted.signer, job: admitted.job, token: admitted.token });
    const resolved = await resolveRequest(deps, admitted);
    const known = await store.runs.find(admitted.job, admitted.token);
    const quota = runQuota(resolved, known?.createdAt ?? deps.now());
    const decision = decide(deps, resolved, quota === undefined ? 0 : await store.runs.countTowards(quota, known?.seq));
    // Without data of its own, in a joint job of others.
    const helps =
      admitted.token === resolved.spec.algorithm.token && seatOf(resolved.spec, deps.organization, admitted.token) !== undefined;
    // Only the demander's own requests for data of this owner are kept and anchored, and once: nobody else fills its disk or spends its gas.
    const isGenuine =
      decision.clauses.every((clause) => clause.passed || clause.rule !== 'consumer') &&
      (resolved.facts.tokens.get(admitted.token)?.owner === deps.organization || helps);
    const refuse = async (refusal: Decision): Promise<never> => {
      const denied = deniedBy(refusal, admitted.algorithm);
      if (isGenuine && known === undefined) {
        const refused = await recordRefusal(deps, await keep(asked, resolved, refusal), resolved, problemOf(denied));
        deps.joint.over(refused).catch((error) => deps.log.warn({ err: error, run: refused.runId }, 'peers could not be told'));
      }
      throw denied;
    };
    if (!decision.allowed) return refuse(decision);
    if (known !== undefined) throw existsAlready(known);
    const dataset = helps ? undefined : await store.datasets.get(admitted.token);
    if (dataset === undefined && !helps) throw new ToolkitError('DT_DATASET_UNKNOWN', { id: admitted.token });
    const result = await store.runs.enqueue(await keep(asked, resolved, decision), { queueLimit: config.jobs.queueLimit, quota });
    if (result.outcome === 'full') throw new ToolkitError('DT_JOB_QUEUE_FULL', { limit: config.jobs.queueLimit });
    if (result.outcome === 'exists') throw existsAlready(result.run);
    // Others came first since they were counted.
    if (result.outcome === 'spent') return refuse(decide(deps, resolved, quota?.limit ?? 0));
    const run = result.run.state === 'awaiting-approval' ? await repeatRefusal(deps, result.run) : result.run;
    if (run.state === 'awaiting-approval')
      deps.joint.waits(run).catch((error) => deps.log.warn({ err: error, run: run.runId }, 'peers could not be told'));
    response
      .status(202)
      .location(`/v1/jobs/${run.runId}`)
      .json(await viewOf(deps, run));
  });

  router.get('/v1/jobs', proven, async (request, response) => {
    const { job, token, limit, before } = request.query as Record<string, string | undefined>;
    const requester = requesterOf(response);
    const runs = await store.runs.list({
      ...(requester === deps.organization || isAuditor(deps, response) ? {} : { consumer: requester }),
      ...(job !== undefined && { jobId: parseCounter(job, 'The job id') }),
      ...(token !== undefined && { token: parseTokenId(token) }),
      ...(limit !== undefined && { limit: Number(limit) }),
      ...(before !== undefined && { before: Number(before) }),
    });
    const last = runs.at(-1);
    const shown = await mayRead(deps.ledger, accessOfResponse(response), runs);
    response.json({
      jobs: await Promise.all(shown.map((run) => viewOf(deps, run, { audited: readsAsAuditor(deps, response, run) }))),
      ...(last && { next: last.seq }),
    });
  });

  router.get('/v1/jobs/:id', proven, async (request, response) => {
    const run = await scoped(param(request.params['id']), response, { audited: true });
    response.json(await viewOf(deps, run, { audited: readsAsAuditor(deps, response, run) }));
  });

  router.get('/v1/jobs/:id/events', proven, async (request, response) => {
    const run = await scoped(param(request.params['id']), response);
    const leave = places.take(response);
    await streamEvents(deps, run, Number(request.get('last-event-id') ?? 0) || 0, response).finally(leave);
  });

  router.get('/v1/jobs/:id/logs', proven, async (request, response) => {
    const run = await scoped(param(request.params['id']), response);
    response.type('text/plain; charset=utf-8');
    const log = await open(join(config.jobs.folder, run.runId, 'logs', 'operator.log')).catch(() => undefined);
    if (log === undefined) response.end();
    // Unlike pipe(), this closes the file when the client goes away.
    else await pipeline(log.createReadStream(), response).catch(() => undefined);
  });

  router.get('/v1/jobs/:id/outputs', proven, async (request, response) => {
    const run = await scoped(param(request.params['id']), response);
    response.json({ outputs: await outputsOf(deps, run, speaksForOwner(deps, response)) });
  });

  router.get('/v1/jobs/:id/outputs/*name', proven, (async (request, response, next) => {
    const run = await scoped(param(request.params['id']), response);
    const name = param(request.params['name']);
    const isOwner = speaksForOwner(deps, response);
    const isShown = isFinal(run.state) || (run.state === 'held' && isOwner);
    if (!isShown) throw new ToolkitError('DT_JOB_NOT_FINISHED', { id: run.jobId, state: run.state });
    const output = (await outputsOf(deps, run, isOwner)).find((candidate) => candidate.name === name);
    if (output === undefined || run.expiredAt !== undefined) throw new ToolkitError('DT_JOB_OUTPUT_UNKNOWN', { id: run.jobId, name });
    if (output.recipient === 'owner' && !isOwner)
      throw new ToolkitError('DT_AUTH_FORBIDDEN', { address: requesterOf(response), action: `read ${name}`, required: deps.organization });
    response.set({ etag: `"${output.sha256}"`, 'cache-control': 'private, no-store', 'content-disposition': 'attachment' });
    response.type('application/octet-stream');
    // The name is one of the receipt's, and nothing but the release stage writes there; send() answers byte ranges.
    response.sendFile(
      name,
      { root: join(config.jobs.folder, run.runId, RELEASED), dotfiles: 'allow', cacheControl: false },
      (error) => error && next(error),
    );
  }) as RequestHandler);

  router.get('/v1/jobs/:id/explanation', proven, async (request, response) => {
    response.json(await explainRun(deps, await scoped(param(request.params['id']), response)));
  });

  router.post('/v1/jobs/:id/cancel', proven, async (request, response) => {
    const run = await scoped(param(request.params['id']), response);
    const by = requesterOf(response);
    const { reason } = (request.body ?? {}) as { reason?: string };
    const result = await store.runs.requestCancel(run.runId, by, reason);
    if (result === 'too-late')
      throw new ToolkitError('DT_JOB_STATE', { id: run.jobId, state: run.state, needed: 'a job that has not ended' });
    response.status(202).json(await viewOf(deps, (await store.runs.get(run.runId)) ?? run));
  });

  router.post('/v1/jobs/:id/rerun', proven, async (request, response) => {
    const run = await scoped(param(request.params['id']), response);
    if (!speaksForOwner(deps, response)) await respectRefusal(deps, run);
    await untilAnchored(deps, run.runId, ANCHOR_MS);
    const byOwner = requesterOf(response) === deps.organization;
    const again = await store.runs.rerun(run.runId, { queueLimit: config.jobs.queueLimit, byOwner });
    response.status(202).json(await viewOf(deps, again));
  });

  return router;
}

/** By the organization's own signature, or signed in as its owner: who merely operates the daemon does not read what leaves to nobody else. */
const speaksForOwner = ({ organization }: DaemonDeps, response: Response): boolean =>
  requesterOf(response) === organization && ['owner', undefined].includes(accessOfResponse(response)?.role);

/** What was released; to the owner also what waits for its word. */
async function outputsOf(deps: DaemonDeps, run: Run, isOwner: boolean): Promise<readonly ReleasedOutput[]> {
  if (run.state !== 'held' || !isOwner) return (await viewOf(deps, run)).outputs;
  return (await readEnding(deps, run.runId))?.outputs ?? [];
}

/** The owner's no to outputs stands for the same data: who asks again by itself asks nothing new. @throws DT_POLICY_REFUSED */
async function respectRefusal(deps: DaemonDeps, run: Run): Promise<void> {
  if (run.state !== 'refused' || run.hold?.outcome !== 'refused' || run.receiptDigest === undefined) return;
  const [{ receipt }, dataset] = await Promise.all([readReceipt(deps, run), deps.store.datasets.get(run.token)]);
  if (dataset !== undefined && receipt.input !== inputOf(deps, run, dataset.sha256)) return;
  throw new ToolkitError('DT_POLICY_REFUSED', { id: run.jobId, what: 'the outputs', reason: run.hold.reason ?? '' });
}

const existsAlready = ({ jobId, runId, state }: Run): ToolkitError => new ToolkitError('DT_JOB_EXISTS', { id: jobId, run: runId, state });

function newRun(
  deps: DaemonDeps,
  resolved: ResolvedRequest,
  digests: { readonly requestDigest: Bytes32; readonly decisionDigest: Bytes32 },
): NewRun {
  const { asked, facts, spec, specDigest } = resolved;
  const asks = leafTerms(resolved, asked.token)?.approval;
  const kept = termsOfSeat(resolved, asked.token, seatOf(spec, deps.organization, asked.token)).map(({ retentionHours }) => retentionHours);
  const hours = kept.filter((given) => given !== undefined);
  const grantsEndAt = grantsEndOf(resolved);
  const step = spec.steps.find((candidate) => candidate.token === asked.token);
  return {
    jobId: asked.job,
    taskId: facts.job.task.id,
    algorithm: asked.algorithm,
    token: asked.token,
    consumer: asked.signer,
    operator: step?.operator.id ?? asked.token,
    maxAttempts: deps.config.jobs.attempts,
    ...(asks !== undefined && { awaitsUntil: deps.now() + deadlineMs(asks) }),
    ...(grantsEndAt !== undefined && { grantsEndAt }),
    ...(hours.length > 0 && { retentionMs: Math.round(Math.min(...hours) * 3_600_000) }),
    specDigest,
    ...digests,
  };
}

/** A refusal is a result like any other: it gets its row, its receipt and, where the token is part of the job, its line on chain. */
async function recordRefusal(
  deps: DaemonDeps,
  refused: NewRun,
  resolved: ResolvedRequest,
  failure: ReturnType<typeof problemOf>,
): Promise<Run> {
  const step = resolved.steps.find((candidate) => candidate.token === refused.token);
  const path = pathOnChain(resolved.facts, refused.token === resolved.facts.root ? [refused.token] : (step?.path ?? []));
  const seen = { ...refused, startedAt: undefined } as NewRun & Run;
  const receiptDigest =
    path.length === 0 ? undefined : await writeReceipt(deps, seen, { end: { outcome: 'refused', failure }, path, outputs: [] });
  return (await deps.store.runs.recordRefusal(refused, { failure, ...(receiptDigest && { receiptDigest }) })).run;
}

/** Server-sent events: what the store has, then what comes, until the run is final. A comment now and then keeps proxies from closing. */
async function streamEvents(deps: DaemonDeps, run: Run, afterSeq: number, response: Response): Promise<void> {
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  if (response.closed || response.destroyed) closed.abort(); // it went away while its proof was checked
  response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write(': alive\n\n'), 15_000);
  const unwatch = watchAccess(deps, accessOfResponse(response), () => closed.abort());
  try {
    for await (const batch of deps.store.events.follow(run.runId, { afterSeq, signal: closed.signal })) {
      const text = batch
        .map((event) => `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify({ time: event.time, ...event.payload })}\n\n`)
        .join('');
      // What is written after the close says neither drain nor close any more.
      if (!response.write(text) && !closed.signal.aborted) await drained(response);
    }
    if (!closed.signal.aborted) response.write('event: end\ndata: {}\n\n');
  } finally {
    clearInterval(keepAlive);
    unwatch();
    response.end();
  }
}
