import { Router } from 'express';
import { organizationName, tokenLabels } from '../../catalog/names.js';
import { parseAddress, parseTokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requesterOf } from '../middleware/authenticate.js';

const MOST_IDS = 100;

/** What tokens and organizations are called, for people who look at lists of them. */
export function nameRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  router.get('/v1/names', authenticate(deps), async (request, response) => {
    const requester = requesterOf(response);
    // Documents may have to be fetched for it: not at the word of strangers.
    if (requester !== deps.organization)
      throw new ToolkitError('DT_AUTH_FORBIDDEN', { address: requester, action: 'ask for names', required: deps.organization });
    const { ids = '' } = request.query as { ids?: string };
    const asked = [...new Set(ids.split(','))];
    if (asked.length > MOST_IDS) throw new ToolkitError('DT_INPUT_TOO_LARGE', { what: 'ids', actual: asked.length, limit: MOST_IDS });
    const names = await deps.index.read(async (index) => {
      const labelOf = tokenLabels(deps.content, index);
      const found = asked.map(async (id): Promise<readonly [string, string] | undefined> => {
        if (!id.startsWith('0x')) {
          const label = await labelOf(parseTokenId(id));
          return label && [id, label.name];
        }
        const name = organizationName(index, parseAddress(id));
        return name === id ? undefined : [id, name];
      });
      return (await Promise.all(found)).filter((pair) => pair !== undefined);
    });
    response.json({ names: Object.fromEntries(names) });
  });
  return router;
}
