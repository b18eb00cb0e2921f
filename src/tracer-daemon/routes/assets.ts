import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Request, type Response, Router } from 'express';
import { loadDdo } from '../../catalog/load-documents.js';
import { tokenLabels } from '../../catalog/names.js';
import { OverlayStore } from '../../content-store/overlay-store.js';
import { canonicalBytes, isObject, type Json } from '../../documents/canonical.js';
import { type Ddo, isLeaf } from '../../documents/ddo/ddo.js';
import { type Bytes32, parseTokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { allowedFile } from '../data-file.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requesterOf, requireOwner } from '../middleware/authenticate.js';
import { inputName } from '../pipeline/stage.js';
import type { Dataset } from '../store/store.js';
import { accessOfResponse } from '../web/prove-access.js';

/** What this daemon holds: tokens for anyone who can prove who it is; where the data lies for the owner alone. */
export function assetRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  const proven = authenticate(deps);

  router.get('/v1/assets', proven, async (_request, response) => {
    const role = accessOfResponse(response)?.role ?? 'owner';
    const owner = requesterOf(response) === deps.organization && role === 'owner';
    const held = await deps.store.datasets.list();
    const names = await deps.index.read(async (index) =>
      Promise.all(held.map(({ token }) => token).map(tokenLabels(deps.localContent, index))),
    );
    response.json({ assets: held.map((dataset, i) => ({ ...viewOf(dataset, owner), ...(names[i] && { name: names[i].name }) })) });
  });

  router.post('/v1/assets', proven, async (request: Request, response: Response) => {
    requireOwner(deps, request, response);
    const { token, path, document } = request.body as { token: string; path: string; document: Json };
    const id = parseTokenId(token);
    const record = (await deps.ledger.tokenTree(id)).tokens[0];
    if (record === undefined || record.owner !== deps.organization)
      throw new ToolkitError('DT_AUTH_FORBIDDEN', { address: deps.organization, action: `hold data for ${id}`, required: record?.owner });
    const content = new OverlayStore(deps.content, isObject(document) ? [canonicalBytes(document)] : []);
    const ddo = await loadDdo(content, record);
    if (!isLeaf(ddo)) throw new ToolkitError('DT_INPUT_INVALID', { what: 'The token', reason: 'a composite has no data of its own' });
    const dataset = await holdDataset(deps, ddo, path);
    await content.keep();
    response.status(201).json(viewOf(dataset, true));
  });

  router.delete('/v1/assets/:token', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const id = parseTokenId(request.params['token']);
    if (!(await deps.store.datasets.drop(id))) throw new ToolkitError('DT_DATASET_UNKNOWN', { id });
    response.status(204).end();
  });

  return router;
}

const viewOf = ({ token, path, sizeBytes, sha256, addedAt }: Dataset, owner: boolean) => ({
  token,
  addedAt: new Date(addedAt).toISOString(),
  ...(owner && { path, sizeBytes, sha256 }),
});

/** The data of a token that is minted, under whatever names its services give it. @throws DT_DATASET_FORBIDDEN, DT_INPUT_FILE, DT_DOCUMENT_INVALID */
export async function holdDataset(deps: Pick<DaemonDeps, 'config' | 'store' | 'now'>, ddo: Ddo, path: string): Promise<Dataset> {
  const dataset = { token: ddo.dt, ...(await readDataset(deps, path)), addedAt: deps.now() };
  for (const service of ddo.services) inputName(ddo, service.index, dataset);
  await deps.store.datasets.hold(dataset);
  return dataset;
}

/** @throws DT_DATASET_FORBIDDEN, DT_INPUT_FILE */
async function readDataset(deps: Pick<DaemonDeps, 'config'>, path: string): Promise<Pick<Dataset, 'path' | 'sizeBytes' | 'sha256'>> {
  const { path: real, sizeBytes } = await allowedFile(deps, path);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(real, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return { path: real, sizeBytes, sha256: `0x${hash.digest('hex')}` as Bytes32 };
}
