import { Router } from 'express';
import { loadOperator } from '../../catalog/load-documents.js';
import { type PreparedLeaf, prepareLeaf } from '../../catalog/prepare-leaf.js';
import { publishedDdo } from '../../catalog/published.js';
import { documentsOf } from '../../constraints/check-facts.js';
import { checkLeaf } from '../../constraints/check-tree.js';
import { canonicalBytes, type Json } from '../../documents/canonical.js';
import { parseAssetAttributes } from '../../documents/ddo/ddo.js';
import { type Clause, failedClauses, requireAll } from '../../documents/decision/decision.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { allowedFile, listDataFiles } from '../data-file.js';
import type { DaemonDeps } from '../deps.js';
import type { FileDescriber } from '../describe-file.js';
import { authenticate, EXACT, requireOwner } from '../middleware/authenticate.js';
import { inputName } from '../pipeline/stage.js';
import { holdDataset } from './assets.js';

interface Draft {
  readonly attributes: Json;
  readonly path?: string;
}

/** The owner writes a new asset: from the files that this daemon may read and the operators of the chain, checked as minting checks it, and minted by the daemon's own key. */
export function draftRoutes(deps: DaemonDeps, files: FileDescriber): Router {
  const router = Router(EXACT);
  const proven = authenticate(deps);

  router.get('/v1/files', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const { files: found, truncated } = await listDataFiles(deps);
    const view = found.map(({ path, sizeBytes, modifiedAt }) => ({ path, sizeBytes, modifiedAt: new Date(modifiedAt).toISOString() }));
    response.json({ files: view, truncated });
  });

  router.post('/v1/files/description', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const { path } = request.body as { path: string };
    response.json(await files.describe(await allowedFile(deps, path)));
  });

  router.get('/v1/operators', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const usable = (await deps.index.read((index) => index.operators())).filter(({ retired }) => !retired);
    const operators = await Promise.all(
      usable.map(async (record) => {
        const document = await loadOperator(deps.content, record).catch(() => undefined);
        if (document === undefined) return undefined;
        const { runtime, params, joint } = document;
        const { name } = document.metadata.main;
        return { id: record.id, version: record.version, name, metadata: document.metadata.main, runtime, params, joint: joint === true };
      }),
    );
    response.json({ operators: operators.filter((operator) => operator !== undefined) });
  });

  router.post('/v1/drafts/check', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const draft = request.body as Draft;
    try {
      const { prepared, clauses } = await checkDraft(deps, draft);
      const published = (await publishedDdo(deps.ledger, deps.content, prepared.ddo.dt)) !== undefined;
      const problem = prepared.organization.isProvider
        ? undefined
        : {
            code: 'DT_AUTH_FORBIDDEN',
            pointer: '',
            message: `${prepared.organization.name} is registered without the role of a provider.`,
          };
      const ok = failedClauses(clauses).length === 0 && problem === undefined;
      response.json({ token: prepared.ddo.dt, published, ok, clauses, ...(problem && { problem }) });
    } catch (error) {
      // What is wrong with a draft is the answer.
      if (!(error instanceof ToolkitError) || error.httpStatus >= 500) throw error;
      const { code, message, hint, details } = error;
      const pointer = typeof details['pointer'] === 'string' ? details['pointer'] : '';
      response.json({ ok: false, published: false, clauses: [], problem: { code, message, hint, pointer } });
    }
  });

  router.post('/v1/drafts/publish', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const draft = request.body as Draft & { path: string };
    const { prepared, clauses } = await checkDraft(deps, draft);
    const { ddo, salt } = prepared;
    requireAll(ddo.dt, clauses);
    response.locals['token'] = ddo.dt;
    const published = await publishedDdo(deps.ledger, deps.content, ddo.dt);
    if (published === undefined) await deps.ledger.mintToken(salt, await deps.content.put(canonicalBytes(ddo)), []);
    const held = await holdDataset(deps, ddo, draft.path);
    response.status(201).json({ token: ddo.dt, outcome: published === undefined ? 'minted' : 'unchanged', sizeBytes: held.sizeBytes });
  });

  return router;
}

async function checkDraft(
  deps: DaemonDeps,
  { attributes, path }: Draft,
): Promise<{ readonly prepared: PreparedLeaf; readonly clauses: readonly Clause[] }> {
  const parsed = parseAssetAttributes(attributes);
  const prepared = await prepareLeaf(deps.ledger, deps.content, {
    attributes: parsed,
    owner: deps.organization,
    created: new Date(deps.now()),
  });
  const { ddo, operators } = prepared;
  for (const service of ddo.services) inputName(ddo, service.index, { path: path ?? 'data' });
  if (path !== undefined) await allowedFile(deps, path);
  return { prepared, clauses: checkLeaf(ddo, documentsOf(operators)) };
}
