import { randomBytes } from 'node:crypto';
import type { Address, Bytes32 } from '../documents/ids.js';
import { type RequestEnvelope, type SignatureDomain, type SignedRequest, typedDataOf } from '../documents/job/typed-data.js';

/** The part of an ethers signer that requests need; a browser wallet has it too. */
export interface TypedDataSigner {
  readonly address: string;
  signTypedData(
    domain: Record<string, unknown>,
    types: Record<string, { name: string; type: string }[]>,
    value: Record<string, unknown>,
  ): Promise<string>;
}

export async function signRequest(signer: TypedDataSigner, domain: SignatureDomain, request: SignedRequest): Promise<string> {
  const data = typedDataOf(domain, request);
  return signer.signTypedData(data.domain, data.types, data.values);
}

export const addressOf = (signer: TypedDataSigner): Address => signer.address.toLowerCase() as Address;

/** A fresh nonce, and an expiry `ttlSeconds` from now, for one daemon. */
export const freshEnvelope = (daemon: Address, ttlSeconds = 120): RequestEnvelope => ({
  daemon,
  nonce: `0x${randomBytes(32).toString('hex')}` as Bytes32,
  expiry: Math.floor(Date.now() / 1000) + ttlSeconds,
});
