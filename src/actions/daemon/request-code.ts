import { ToolkitError } from '../../errors/toolkit-error.js';
import { parseDaemonUrl } from '../../peers/daemon-url.js';
import { addressOf } from '../../peers/signer.js';
import { type ActionContext, daemonOf } from '../action-context.js';

export interface SignInCode {
  /** Where the page is. No secret is in it. */
  readonly url: string;
  readonly code: string;
  readonly expiresAt: string;
}

/**
 * Asks one's own daemon, with the key of the organization, for a code to type into its page.
 * @throws DT_PEER_NO_DAEMON when neither the chain nor `url` says where it is, DT_AUTH_FORBIDDEN for another's daemon
 */
export async function requestCode(context: ActionContext, url?: string): Promise<SignInCode> {
  const organization = addressOf(context.signer);
  const found = url ?? (await context.ledger.operatorsAndOrganizations([], [organization])).organizations[0]?.url ?? '';
  if (found === '') throw new ToolkitError('DT_PEER_NO_DAEMON', { organization });
  const client = daemonOf(context, organization, parseDaemonUrl(found));
  return { url: client.url, ...(await client.signInCode()) };
}
