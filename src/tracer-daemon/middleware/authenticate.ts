import type { Request, RequestHandler, Response, RouterOptions } from 'express';
import { sha256 } from '../../documents/canonical.js';
import type { Address } from '../../documents/ids.js';
import { parseAuthorization } from '../../documents/job/wire.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { proveSigner } from '../pipeline/admit.js';
import { cookieOf, hasBearer, proveAccess } from '../web/prove-access.js';
import { rawBodyOf } from './body.js';

type AuthDeps = Pick<DaemonDeps, 'organization' | 'domain' | 'store' | 'config' | 'now'>;

/** One spelling for each path, for the router as for the API's document and the audit. */
export const EXACT: RouterOptions = { caseSensitive: true, strict: true };

/**
 * Who asks, from a signature over method, path with query, body, daemon, nonce and expiry; never from anything that the request merely says.
 * Or somebody who acts for the organization within a role: by a session of the page or by a token.
 * @throws DT_AUTH_*, DT_WEB_*
 */
export function authenticate(deps: AuthDeps): RequestHandler {
  return async (request, response, next) => {
    const isSigned = request.get('authorization') !== undefined && !hasBearer(request);
    if (hasBearer(request) || (!isSigned && cookieOf(deps.organization, request) !== undefined)) {
      await proveAccess(deps, request, response);
      response.locals['requester'] = deps.organization;
      return next();
    }
    const proof = parseAuthorization(request.get('authorization'));
    const { signature, ...envelope } = proof;
    const signed = {
      type: 'http',
      method: request.method,
      path: request.originalUrl,
      body: sha256(rawBodyOf(request)),
      ...envelope,
    } as const;
    response.locals['requester'] = await proveSigner(deps, signed, signature);
    next();
  };
}

export function requesterOf(response: Pick<Response, 'locals'>): Address {
  const requester = response.locals['requester'] as Address | undefined;
  if (requester === undefined) throw new ToolkitError('DT_AUTH_MISSING');
  return requester;
}

/** @throws DT_AUTH_FORBIDDEN for anyone but the organization itself */
export function requireOwner(deps: Pick<DaemonDeps, 'organization'>, request: Request, response: Response): void {
  const requester = requesterOf(response);
  if (requester !== deps.organization)
    throw new ToolkitError('DT_AUTH_FORBIDDEN', {
      address: requester,
      action: `${request.method} ${request.path}`,
      required: deps.organization,
    });
}
