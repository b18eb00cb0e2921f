import type { CookieOptions, Request, Response } from 'express';
import type { Address, TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import type { SessionTimes } from '../store/access.js';
import { permissions } from './permissions.js';
import type { Role } from './role.js';
import { requireOwnPage } from './same-origin.js';
import { digestOfSecret } from './secret.js';

type AccessDeps = Pick<DaemonDeps, 'organization' | 'store' | 'config'>;

/** Who came in by a session or a token, and acts for the organization within a role. */
export interface Access {
  readonly role: Role;
  readonly subject: string;
  /** Of an auditor who sees the trace of this token and nothing else. */
  readonly scope: TokenId | undefined;
  /** One of the two: the session, or the token that came with the request itself. */
  readonly sessionId: string | undefined;
  readonly tokenId: string | undefined;
}

export const timesOf = ({ config }: Pick<DaemonDeps, 'config'>): SessionTimes => ({
  idleMs: config.web.idleMinutes * 60_000,
  longestMs: config.web.sessionHours * 3_600_000,
});

/** Browsers share cookies between all ports of a host, so daemons on one machine need names of their own. */
export const cookieName = (organization: Address, request: Request): string =>
  `${request.secure ? '__Host-' : ''}dt_${organization.slice(2, 14)}`;

export const cookieOptions = (request: Request): CookieOptions => ({
  httpOnly: true,
  sameSite: 'strict',
  secure: request.secure,
  path: '/',
});

export const hasBearer = (request: Request): boolean => /^bearer /i.test(request.get('authorization') ?? '');

export function cookieOf(organization: Address, request: Request): string | undefined {
  const name = `${cookieName(organization, request)}=`;
  const found = (request.get('cookie') ?? '').split(/; */).find((pair) => pair.startsWith(name));
  return found?.slice(name.length) || undefined;
}

/**
 * The second way to say who asks: a bearer token, or the cookie of a session on a request of the daemon's own page.
 * @throws DT_AUTH_SESSION, DT_AUTH_ROLE for what the role may not ask for, DT_WEB_ORIGIN, DT_WEB_CROSS_SITE
 */
export async function proveAccess(deps: AccessDeps, request: Request, response: Response): Promise<Access> {
  const access = await accessOf(deps, request);
  const route = `${request.method} ${(request.route as { path: string }).path}`;
  const allowed = Object.hasOwn(permissions, route) ? (permissions[route] ?? []) : [];
  response.locals['access'] = access;
  if (!allowed.includes(access.role))
    throw new ToolkitError('DT_AUTH_ROLE', { role: access.role, action: route, allowed: allowed.join(', ') || 'nobody by a session' });
  return access;
}

async function accessOf(deps: AccessDeps, request: Request): Promise<Access> {
  const { access } = deps.store;
  if (hasBearer(request)) {
    const token = await access.useToken(digestOfSecret((request.get('authorization') ?? '').slice('bearer '.length)));
    if (token === undefined) throw new ToolkitError('DT_AUTH_SESSION');
    return { role: token.role, subject: token.label, scope: token.scope, sessionId: undefined, tokenId: token.id };
  }
  const session = await sessionOf(deps, request);
  if (session === undefined) throw new ToolkitError('DT_AUTH_SESSION');
  return { role: session.role, subject: session.subject, scope: session.scope, sessionId: session.id, tokenId: undefined };
}

/** The session behind the cookie of this request. @throws DT_WEB_ORIGIN, DT_WEB_CROSS_SITE */
export async function sessionOf(deps: AccessDeps, request: Request) {
  const cookie = cookieOf(deps.organization, request);
  if (cookie === undefined) return undefined;
  requireOwnPage(deps.config, request);
  return deps.store.access.useSession(digestOfSecret(cookie), timesOf(deps));
}

/** undefined: the request was signed. */
export const accessOfResponse = (response: Pick<Response, 'locals'>): Access | undefined => response.locals['access'] as Access | undefined;
