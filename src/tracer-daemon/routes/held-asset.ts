import { Router } from 'express';
import { grantOf } from '../../catalog/lineage.js';
import { loadDdo, loadOperator } from '../../catalog/load-documents.js';
import { tokenLabels } from '../../catalog/names.js';
import { operatorsOf, resolveTree } from '../../catalog/resolve-facts.js';
import { checkAsset } from '../../constraints/check-facts.js';
import { isLeaf } from '../../documents/ddo/ddo.js';
import { releaseTermsOf } from '../../documents/ddo/release-terms.js';
import { requireAll } from '../../documents/decision/decision.js';
import { parseTokenId, type TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { allowedFile } from '../data-file.js';
import type { DaemonDeps } from '../deps.js';
import type { FileDescriber, FileDescription } from '../describe-file.js';
import { authenticate, EXACT, requireOwner } from '../middleware/authenticate.js';
import { accessOfResponse } from '../web/prove-access.js';

/** A token may have gone into more; the lineage shows them. */
const GRANTS = 500;

/** One asset as its owner and those who look for him see it: schema and number of rows, never a row; what is agreed to; to whom it is granted. */
export function heldAssetRoutes(deps: DaemonDeps, files: FileDescriber): Router {
  const router = Router(EXACT);
  const proven = authenticate(deps);

  router.get('/v1/assets/:token', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const id = parseTokenId(request.params['token']);
    const [dataset, tree] = await Promise.all([deps.store.datasets.get(id), deps.ledger.tokenTree(id)]);
    const [record] = tree.tokens;
    if (record === undefined || record.owner !== deps.organization) throw new ToolkitError('DT_DATASET_UNKNOWN', { id });
    const ddo = await loadDdo(deps.content, record);
    const role = accessOfResponse(response)?.role ?? 'owner';
    response.json({
      token: id,
      name: ddo.metadata.main.name,
      type: ddo.metadata.main.type,
      metadata: ddo.metadata.main,
      ...(dataset && { addedAt: new Date(dataset.addedAt).toISOString() }),
      ...(dataset && role === 'owner' && { path: dataset.path, sizeBytes: dataset.sizeBytes, sha256: dataset.sha256 }),
      ...(dataset && { data: await dataOf(deps, files, dataset.path) }),
      services: isLeaf(ddo) ? await servicesOf(deps, ddo.services) : [],
      grants: await grantsOf(deps, id, tree.now),
    });
  });

  router.post('/v1/assets/:token/grants', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const { composite, until } = request.body as { composite: string; until: number };
    const [child, above] = [parseTokenId(request.params['token']), parseTokenId(composite)];
    response.locals['token'] = child;
    requireAll(above, checkAsset(await resolveTree(deps.ledger, deps.content, above)));
    await deps.ledger.grant(child, above, until);
    response.status(201).json({ granted: true, until });
  });

  router.delete('/v1/assets/:token/grants/:composite', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const child = parseTokenId(request.params['token']);
    response.locals['token'] = child;
    await deps.ledger.revoke(child, parseTokenId(request.params['composite']));
    response.status(204).end();
  });

  return router;
}

/** Where the data lies is in the words of an error too, so only its code is told. */
async function dataOf(deps: Pick<DaemonDeps, 'config'>, files: FileDescriber, path: string): Promise<Partial<FileDescription>> {
  try {
    const found = await files.describe(await allowedFile(deps, path));
    return 'unreadable' in found ? { unreadable: found.unreadable } : found;
  } catch (error) {
    return { unreadable: error instanceof ToolkitError ? error.code : 'DT_INPUT_FILE' };
  }
}

type LeafServices = Extract<Awaited<ReturnType<typeof loadDdo>>, { child_dts?: unknown }>['services'];

/** Each with the operator that is agreed to, as it is published now. */
async function servicesOf(deps: Pick<DaemonDeps, 'ledger' | 'content'>, services: LeafServices): Promise<readonly object[]> {
  const ids = operatorsOf([{ services }]);
  const { operators } = await deps.ledger.operatorsAndOrganizations(ids, []);
  const documents = await Promise.all(
    operators.map(async (record) => (record === undefined ? undefined : loadOperator(deps.content, record).catch(() => undefined))),
  );
  return services.map((service) => {
    if (!('template' in service.descriptor)) return { index: service.index };
    const { template, version, constraint } = service.descriptor;
    const at = ids.indexOf(template);
    const [record, document] = [operators[at], documents[at]];
    return {
      index: service.index,
      constraint,
      attributes: service.attributes,
      ...releaseTermsOf(service),
      operator: {
        id: template,
        ...(version !== undefined && { agreed: version }),
        ...(record && { version: record.version, retired: record.retired }),
        ...(document && { name: document.metadata.main.name, joint: document.joint === true }),
      },
    };
  });
}

function grantsOf({ index: source, localContent }: Pick<DaemonDeps, 'index' | 'localContent'>, token: TokenId, now: number) {
  return source.read(async (index) => {
    const labelOf = tokenLabels(localContent, index);
    return Promise.all(
      index.wentInto(token, GRANTS).map(async (edge): Promise<object> => {
        const [label, above] = [await labelOf(edge.composite), index.token(edge.composite)];
        const { state, until } = grantOf(edge, now);
        return {
          composite: edge.composite,
          ...(label && { name: label.name, type: label.type }),
          ...(above && { owner: above.owner, ownerName: index.organization(above.owner)?.name }),
          state,
          ...(until !== undefined && { until: new Date(until * 1000).toISOString() }),
        };
      }),
    );
  });
}
