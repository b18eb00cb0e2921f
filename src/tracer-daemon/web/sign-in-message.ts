import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { getAddress } from 'ethers/address';
import { verifyMessage } from 'ethers/hash';
import { type Address, parseAddress } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';

type MessageDeps = Pick<DaemonDeps, 'organization' | 'domain' | 'commitmentKey' | 'store' | 'now'>;

/** What the page hands to the wallet and back to us. It is sealed instead of remembered: strangers who ask for one fill no memory. */
export interface SignInChallenge {
  readonly message: string;
  readonly nonce: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly seal: string;
}

const CHALLENGE_MS = 5 * 60_000;

/** ERC-4361 (Sign-In with Ethereum), which wallets show in words and whose domain they compare with the site that asks. */
export function newChallenge(deps: MessageDeps, origin: string): SignInChallenge {
  const now = deps.now();
  const expiresAt = now + CHALLENGE_MS;
  const nonce = randomBytes(16).toString('hex');
  const message = [
    `${new URL(origin).host} wants you to sign in with your Ethereum account:`,
    getAddress(deps.organization),
    '',
    'Open the page of the tracer daemon of this organization. Whoever holds the session decides about its data until it ends.',
    '',
    `URI: ${origin}`,
    'Version: 1',
    `Chain ID: ${deps.domain.chainId}`,
    `Nonce: ${nonce}`,
    `Issued At: ${new Date(now).toISOString()}`,
    `Expiration Time: ${new Date(expiresAt).toISOString()}`,
  ].join('\n');
  return { message, nonce, expiresAt, seal: sealOf(deps, { message, nonce, expiresAt }) };
}

/**
 * The organization itself, once for each challenge.
 * @throws DT_AUTH_SIGNATURE_INVALID, DT_AUTH_EXPIRED, DT_AUTH_FORBIDDEN for another account, DT_AUTH_REPLAYED
 */
export async function proveOrganization(deps: MessageDeps, challenge: SignInChallenge, signature: string): Promise<Address> {
  const seal = Buffer.from(sealOf(deps, challenge));
  const given = Buffer.from(challenge.seal);
  if (seal.length !== given.length || !timingSafeEqual(seal, given))
    throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'the challenge is not one of this daemon' });
  if (challenge.expiresAt <= deps.now()) throw new ToolkitError('DT_AUTH_EXPIRED', { expiry: new Date(challenge.expiresAt).toISOString() });
  const signer = signerOf(challenge.message, signature);
  if (signer !== deps.organization)
    throw new ToolkitError('DT_AUTH_FORBIDDEN', { address: signer, action: 'sign in here', required: deps.organization });
  const { nonce, expiresAt } = challenge;
  if (!(await deps.store.nonces.useNonce({ signer, nonce, expiresAt }))) throw new ToolkitError('DT_AUTH_REPLAYED');
  return signer;
}

function sealOf({ commitmentKey }: MessageDeps, { message, nonce, expiresAt }: Omit<SignInChallenge, 'seal'>): string {
  return createHmac('sha256', commitmentKey)
    .update(`sign-in challenge\n${JSON.stringify([message, nonce, expiresAt])}`)
    .digest('base64url');
}

function signerOf(message: string, signature: string): Address {
  try {
    return parseAddress(verifyMessage(message, signature));
  } catch {
    throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'it is not 65 bytes that recover to an address' });
  }
}
