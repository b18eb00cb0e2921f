import type { Role } from './role.js';

const owner: readonly Role[] = ['owner'];
const running: readonly Role[] = ['owner', 'operator'];
const looking: readonly Role[] = ['owner', 'operator', 'viewer'];
const proving: readonly Role[] = ['owner', 'operator', 'viewer', 'auditor'];

/**
 * What sessions and tokens may ask for. A route that is not here is for signed requests alone, whoever is signed in. An auditor whose token is
 * for one trace sees of these routes only what belongs to it.
 */
export const permissions: Readonly<Record<string, readonly Role[]>> = {
  'DELETE /v1/session': proving,
  'GET /v1/events': proving,
  'GET /v1/overview': looking,
  'GET /v1/names': proving,
  'GET /v1/settings': running,
  'GET /v1/tokens': owner,
  'POST /v1/tokens': owner,
  'DELETE /v1/tokens/:id': owner,
  'GET /v1/sessions': owner,
  'DELETE /v1/sessions/:id': owner,

  'GET /v1/assets': looking,
  'POST /v1/assets': owner,
  'DELETE /v1/assets/:token': owner,
  'GET /v1/assets/:token': looking,
  'POST /v1/assets/:token/grants': owner,
  'DELETE /v1/assets/:token/grants/:composite': owner,
  'GET /v1/files': owner,
  'POST /v1/files/description': owner,
  'GET /v1/operators': owner,
  'POST /v1/drafts/check': owner,
  'POST /v1/drafts/publish': owner,

  'GET /v1/lineage': proving,
  'POST /v1/verify': proving,

  'GET /v1/jobs': proving,
  'GET /v1/jobs/:id': proving,
  'GET /v1/jobs/:id/parties': proving,
  'GET /v1/jobs/:id/decision': proving,
  'GET /v1/jobs/:id/receipt': proving,
  'GET /v1/jobs/:id/evidence': proving,
  'GET /v1/jobs/:id/events': looking,
  'GET /v1/jobs/:id/logs': looking,
  'GET /v1/jobs/:id/explanation': looking,
  'GET /v1/jobs/:id/outputs': running,
  'GET /v1/jobs/:id/outputs/*name': running,
  'POST /v1/jobs/:id/cancel': running,
  'POST /v1/jobs/:id/rerun': running,
  'GET /v1/holds': running,
  'POST /v1/jobs/:id/approve': owner,
  'POST /v1/jobs/:id/refuse': owner,
};
