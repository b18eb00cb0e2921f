import { type Response, Router } from 'express';
import { canonicalBytes } from '../../documents/canonical.js';
import { inputCommitment } from '../../documents/receipt/input-commitment.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requireOwner } from '../middleware/authenticate.js';
import { anchorOf, evidenceOf } from '../pipeline/evidence-folder.js';
import { inputSalt, readReceipt } from '../pipeline/settle.js';
import type { Run } from '../store/run.js';
import { scopedRun } from './scoped-run.js';

/** What proves what happened to a run: for its consumer, its owner, and the owner's auditors. */
export function evidenceRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  const proven = authenticate(deps);

  router.get('/v1/jobs/:id/receipt', proven, async (request, response) => {
    const run = await scopedRun(deps, String(request.params['id']), response, { audited: true });
    send(response, (await proofOf(run)).receipt);
  });

  router.get('/v1/jobs/:id/decision', proven, async (request, response) => {
    const run = await scopedRun(deps, String(request.params['id']), response, { audited: true });
    const bytes = run.decisionDigest && (await deps.records.get(run.decisionDigest));
    if (bytes === undefined) throw new ToolkitError('DT_JOB_UNKNOWN', { id: run.runId });
    response.type('application/json').send(Buffer.from(bytes));
  });

  router.get('/v1/jobs/:id/evidence', proven, async (request, response) => {
    const run = await scopedRun(deps, String(request.params['id']), response, { audited: true });
    send(response, await proofOf(run));
  });

  router.get('/v1/jobs/:id/opening', proven, async (request, response) => {
    const run = await scopedRun(deps, String(request.params['id']), response);
    requireOwner(deps, request, response);
    const dataset = await deps.store.datasets.get(run.token);
    if (dataset === undefined) throw new ToolkitError('DT_DATASET_UNKNOWN', { id: run.token });
    const opening = { salt: inputSalt(deps.commitmentKey, run.runId), sha256: dataset.sha256 };
    const { receipt } = await readReceipt(deps, run);
    // What is held for the token by now may be other data than the run was given.
    if (receipt.input !== inputCommitment(opening.salt, opening.sha256)) throw new ToolkitError('DT_DATASET_CHANGED', { id: run.token });
    send(response, opening);
  });

  const proofOf = async (run: Run) => {
    if (run.receiptDigest === undefined) throw new ToolkitError('DT_JOB_NOT_FINISHED', { id: run.jobId, state: run.state });
    const evidence = await evidenceOf(deps, run.receiptDigest, anchorOf(run));
    if (evidence === undefined) throw new ToolkitError('DT_RECEIPT_MISMATCH', { id: run.runId, pointer: '/', owner: 'its owner' });
    return evidence;
  };

  return router;
}

/** In its canonical bytes, whose digest is known elsewhere. */
const send = (response: Response, document: unknown): void => {
  response.type('application/json').send(Buffer.from(canonicalBytes(document)));
};
