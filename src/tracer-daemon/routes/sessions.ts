import { type Request, type Response, Router } from 'express';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type DaemonDeps, SOFTWARE } from '../deps.js';
import { authenticate, EXACT, requireOwner } from '../middleware/authenticate.js';
import type { Session } from '../store/access.js';
import { accessOfResponse, cookieName, cookieOptions, sessionOf, timesOf } from '../web/prove-access.js';
import { originOf, requireKnownHost, requireOwnPage } from '../web/same-origin.js';
import { digestOfSecret, newCode, newSecret } from '../web/secret.js';
import { newChallenge, proveOrganization, type SignInChallenge } from '../web/sign-in-message.js';

const CODE_MS = 5 * 60_000;

/** Signing in to the page and out again: by the organization's wallet, by a code that its key asked for, or by a token. */
export function sessionRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  const { access } = deps.store;
  const proven = authenticate(deps);

  const signIn = (request: Request, response: Response, secret: string, session: Session): void => {
    response.locals['access'] = session;
    response.cookie(cookieName(deps.organization, request), secret, { ...cookieOptions(request), expires: new Date(session.endsAt) });
    response.status(201).json({ session: sessionView(session) });
  };

  // Open, and never a 401: the page asks it first, signed in or not.
  router.get('/v1/session', async (request, response) => {
    const session = await sessionOf(deps, request);
    requireKnownHost(deps.config, request);
    const { organization, domain: chain } = deps;
    response.set('cache-control', 'no-store');
    response.json({ organization, chain, software: SOFTWARE, ...(session && { session: sessionView(session) }) });
  });

  router.post('/v1/session/challenge', (request, response) => {
    requireOwnPage(deps.config, request);
    response.set('cache-control', 'no-store').json(newChallenge(deps, originOf(deps.config, request)));
  });

  router.post('/v1/session/wallet', async (request, response) => {
    requireOwnPage(deps.config, request);
    const { challenge, signature } = request.body as { challenge: SignInChallenge; signature: string };
    const subject = await proveOrganization(deps, challenge, signature);
    const secret = newSecret();
    signIn(request, response, secret, await access.open({ role: 'owner', subject }, digestOfSecret(secret), timesOf(deps)));
  });

  router.post('/v1/session/secret', async (request, response) => {
    requireOwnPage(deps.config, request);
    const secret = newSecret();
    const { secret: shown } = request.body as { secret: string };
    const session = await access.exchange(digestOfSecret(shown), digestOfSecret(secret), timesOf(deps));
    if (session === undefined) throw new ToolkitError('DT_AUTH_SESSION');
    signIn(request, response, secret, session);
  });

  router.delete('/v1/session', proven, async (request, response) => {
    const { sessionId } = accessOfResponse(response) ?? {};
    if (sessionId !== undefined) await access.end(sessionId);
    response.clearCookie(cookieName(deps.organization, request), cookieOptions(request)).status(204).end();
  });

  // Only for a signature: who is signed in needs no code, and could otherwise stay signed in for ever.
  router.post('/v1/session/codes', proven, async (request, response) => {
    requireOwner(deps, request, response);
    const code = newCode();
    const expiresAt = deps.now() + CODE_MS;
    const label = deps.organization;
    await access.issue({ kind: 'code', role: 'owner', label, scope: undefined, expiresAt }, digestOfSecret(code));
    response.status(201).json({ code, expiresAt: new Date(expiresAt).toISOString() });
  });

  return router;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export const sessionView = ({ id, role, subject, scope, createdAt, seenAt, endsAt }: Session) => ({
  id,
  role,
  subject,
  ...(scope !== undefined && { scope }),
  createdAt: iso(createdAt),
  seenAt: iso(seenAt),
  endsAt: iso(endsAt),
});
