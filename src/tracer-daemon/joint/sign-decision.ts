import type { Bytes32 } from '../../documents/ids.js';
import { decisionTypedData } from '../../documents/job/typed-data.js';
import type { DaemonDeps } from '../deps.js';
import type { SignedDecision } from './joint-wire.js';

/** A decision of this organization about one token of a job spec, for its peers. */
export async function signDecision(
  { domain, signer }: Pick<DaemonDeps, 'domain' | 'signer'>,
  about: { readonly job: bigint; readonly spec: Bytes32 },
  made: Omit<SignedDecision, 'signature'>,
): Promise<SignedDecision> {
  const { token, decision, allowed } = made;
  const typed = decisionTypedData(domain, { job: about.job, dataToken: token, spec: about.spec, decision, allowed });
  return { ...made, signature: await signer.signTypedData(typed.domain, typed.types, typed.values) };
}
