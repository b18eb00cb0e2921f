import { Router } from 'express';
import { parseTokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requireOwner } from '../middleware/authenticate.js';
import type { AccessToken } from '../store/access.js';
import type { Role } from '../web/role.js';
import { digestOfSecret, newSecret } from '../web/secret.js';
import { sessionView } from './sessions.js';

interface NewToken {
  readonly role: Role;
  readonly label: string;
  readonly hours: number;
  readonly scope?: string;
}

/** The owner lets others in, sees who is in, and shows them out. A token's secret is told once, when it is made. */
export function tokenRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  const proven = authenticate(deps);
  const { access } = deps.store;

  router.get('/v1/tokens', proven, async (request, response) => {
    requireOwner(deps, request, response);
    response.json({ tokens: (await access.tokens()).map(tokenView) });
  });

  router.post('/v1/tokens', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const { role, label, hours, scope } = request.body as NewToken;
    if (scope !== undefined && role !== 'auditor')
      throw new ToolkitError('DT_INPUT_INVALID', { what: 'The token', reason: 'only an auditor can be shown a single trace' });
    const secret = newSecret();
    const token = await access.issue(
      {
        kind: 'token',
        role,
        label,
        scope: scope === undefined ? undefined : parseTokenId(scope, 'The scope'),
        expiresAt: deps.now() + hours * 3_600_000,
      },
      digestOfSecret(secret),
    );
    response.set('cache-control', 'no-store');
    response.status(201).json({ ...tokenView(token), secret });
  });

  router.delete('/v1/tokens/:id', proven, async (request, response) => {
    requireOwner(deps, request, response);
    if (!(await access.revoke(request.params['id'] as string))) throw new ToolkitError('DT_HTTP_NOT_FOUND', { path: request.path });
    response.status(204).end();
  });

  router.get('/v1/sessions', proven, async (request, response) => {
    requireOwner(deps, request, response);
    response.json({ sessions: (await access.sessions()).map(sessionView) });
  });

  router.delete('/v1/sessions/:id', proven, async (request, response) => {
    requireOwner(deps, request, response);
    if (!(await access.end(request.params['id'] as string))) throw new ToolkitError('DT_HTTP_NOT_FOUND', { path: request.path });
    response.status(204).end();
  });

  return router;
}

const tokenView = ({ id, role, label, scope, createdAt, expiresAt, usedAt }: AccessToken) => ({
  id,
  role,
  label,
  ...(scope !== undefined && { scope }),
  createdAt: new Date(createdAt).toISOString(),
  expiresAt: new Date(expiresAt).toISOString(),
  ...(usedAt !== undefined && { usedAt: new Date(usedAt).toISOString() }),
});
