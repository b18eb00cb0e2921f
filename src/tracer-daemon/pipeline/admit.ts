import type { Address } from '../../documents/ids.js';
import { recoverSigner, type SignedRequest } from '../../documents/job/typed-data.js';
import { type ComputeBody, computeBody, parseComputeBody } from '../../documents/job/wire.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { type AdmittedJob, brand } from './stages.js';

type AdmitDeps = Pick<DaemonDeps, 'organization' | 'domain' | 'store' | 'config' | 'now'>;

/**
 * Stage 1. Who is asking: shape, audience, expiry, signature, and that it was never used before.
 * @throws DT_INPUT_INVALID, DT_POLICY_FIXED_PARAMETER, DT_AUTH_*
 */
export async function admitJob(deps: AdmitDeps, body: unknown): Promise<{ readonly admitted: AdmittedJob; readonly request: ComputeBody }> {
  const { request, signature } = parseComputeBody(body);
  const signer = await proveSigner(deps, request, signature);
  const { job, algorithm, dataToken: token, spec: signedSpec } = request;
  return { admitted: brand<AdmittedJob>({ job, algorithm, token, signer, signedSpec }), request: computeBody(request, signature) };
}

/** The address behind a signed request, once only. The nonce is spent last, so that a bad request does not burn a good one. */
export async function proveSigner(deps: AdmitDeps, request: SignedRequest, signature: string): Promise<Address> {
  if (request.daemon !== deps.organization)
    throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', {
      reason: `it is for the daemon of ${request.daemon}, this is ${deps.organization}`,
    });
  const seconds = request.expiry - Math.floor(deps.now() / 1000);
  const limit = deps.config.jobs.requestMaxAgeSeconds;
  if (seconds < 0) throw new ToolkitError('DT_AUTH_EXPIRED', { expiry: new Date(request.expiry * 1000).toISOString() });
  if (seconds > limit) throw new ToolkitError('DT_AUTH_TOO_FAR', { seconds, limit });
  const signer = recoverSigner(deps.domain, request, signature);
  const fresh = await deps.store.nonces.useNonce({ signer, nonce: request.nonce, expiresAt: request.expiry * 1000 });
  if (!fresh) throw new ToolkitError('DT_AUTH_REPLAYED');
  return signer;
}
