import { TypedDataEncoder, verifyTypedData } from 'ethers/hash';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type Address, type Bytes32, bytes32OfToken, type TokenId } from '../ids.js';

/** EIP-712. The domain ties a signature to one chain and one market contract; `daemon` in each struct ties it to one organization. */
export interface SignatureDomain {
  readonly chainId: number;
  readonly market: Address;
}

/** Every request is good once, at one daemon, until `expiry` (seconds since 1970). */
export interface RequestEnvelope {
  readonly daemon: Address;
  readonly nonce: Bytes32;
  readonly expiry: number;
}

export type SignedRequest =
  | (RequestEnvelope & {
      readonly type: 'compute';
      readonly job: bigint;
      readonly algorithm: TokenId;
      readonly dataToken: TokenId;
      readonly spec: Bytes32;
    })
  | (RequestEnvelope & { readonly type: 'grant'; readonly composite: TokenId; readonly dataToken: TokenId; readonly until: number })
  | (RequestEnvelope & { readonly type: 'http'; readonly method: string; readonly path: string; readonly body: Bytes32 });

const envelope = [
  { name: 'daemon', type: 'address' },
  { name: 'nonce', type: 'bytes32' },
  { name: 'expiry', type: 'uint64' },
];

const types: Readonly<Record<SignedRequest['type'], Record<string, { name: string; type: string }[]>>> = {
  compute: {
    ComputeRequest: [
      { name: 'job', type: 'uint256' },
      { name: 'algorithm', type: 'bytes32' },
      { name: 'dataToken', type: 'bytes32' },
      { name: 'spec', type: 'bytes32' },
      ...envelope,
    ],
  },
  grant: {
    GrantRequest: [
      { name: 'composite', type: 'bytes32' },
      { name: 'dataToken', type: 'bytes32' },
      { name: 'until', type: 'uint64' },
      ...envelope,
    ],
  },
  http: {
    HttpRequest: [{ name: 'method', type: 'string' }, { name: 'path', type: 'string' }, { name: 'body', type: 'bytes32' }, ...envelope],
  },
};

const domainOf = ({ chainId, market }: SignatureDomain) => ({ name: 'compute-to-data', version: '1', chainId, verifyingContract: market });

function valuesOf(request: SignedRequest): Record<string, unknown> {
  const { daemon, nonce, expiry } = request;
  const base = { daemon, nonce, expiry };
  if (request.type === 'http') return { ...base, method: request.method, path: request.path, body: request.body };
  const dataToken = bytes32OfToken(request.dataToken);
  if (request.type === 'grant') return { ...base, dataToken, composite: bytes32OfToken(request.composite), until: request.until };
  return { ...base, dataToken, job: request.job, algorithm: bytes32OfToken(request.algorithm), spec: request.spec };
}

/** What a wallet needs to sign (eth_signTypedData_v4). */
export function typedDataOf(domain: SignatureDomain, request: SignedRequest) {
  return {
    domain: domainOf(domain),
    types: types[request.type],
    values: valuesOf(request),
  };
}

/** The address that signed. @throws DT_AUTH_SIGNATURE_INVALID when the bytes are no signature at all */
export function recoverSigner(domain: SignatureDomain, request: SignedRequest, signature: string): Address {
  const data = typedDataOf(domain, request);
  try {
    return verifyTypedData(data.domain, data.types, data.values, signature).toLowerCase() as Address;
  } catch {
    throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'it is not 65 bytes that recover to an address' });
  }
}

const receiptTypes = {
  Receipt: [
    { name: 'job', type: 'uint256' },
    { name: 'dataToken', type: 'bytes32' },
    { name: 'receipt', type: 'bytes32' },
  ],
};

export interface ReceiptSeal {
  readonly job: bigint;
  readonly dataToken: TokenId;
  /** Digest of the receipt without its signature. */
  readonly receipt: Bytes32;
}

const sealValues = (seal: ReceiptSeal) => ({ job: seal.job, dataToken: bytes32OfToken(seal.dataToken), receipt: seal.receipt });

export function receiptTypedData(domain: SignatureDomain, seal: ReceiptSeal) {
  return { domain: domainOf(domain), types: receiptTypes, values: sealValues(seal) };
}

export function recoverReceiptSigner(domain: SignatureDomain, seal: ReceiptSeal, signature: string): Address {
  try {
    return verifyTypedData(domainOf(domain), receiptTypes, sealValues(seal), signature).toLowerCase() as Address;
  } catch {
    throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'it is not 65 bytes that recover to an address' });
  }
}

const decisionTypes = {
  Decision: [
    { name: 'job', type: 'uint256' },
    { name: 'dataToken', type: 'bytes32' },
    { name: 'spec', type: 'bytes32' },
    { name: 'decision', type: 'bytes32' },
    { name: 'allowed', type: 'bool' },
  ],
};

/** What a daemon tells its peers of its decision about one token of a joint job, so that it cannot say later that it was another. */
export interface DecisionSeal {
  readonly job: bigint;
  /** The data token; for a helper the algorithm. */
  readonly dataToken: TokenId;
  readonly spec: Bytes32;
  readonly decision: Bytes32;
  readonly allowed: boolean;
}

export function decisionTypedData(domain: SignatureDomain, seal: DecisionSeal) {
  return { domain: domainOf(domain), types: decisionTypes, values: { ...seal, dataToken: bytes32OfToken(seal.dataToken) } };
}

export function recoverDecisionSigner(domain: SignatureDomain, seal: DecisionSeal, signature: string): Address {
  const data = decisionTypedData(domain, seal);
  try {
    return verifyTypedData(data.domain, data.types, data.values, signature).toLowerCase() as Address;
  } catch {
    throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'it is not 65 bytes that recover to an address' });
  }
}

/** The 32 bytes that are signed, for tests against other implementations. */
export const hashToSign = (domain: SignatureDomain, request: SignedRequest): string => {
  const data = typedDataOf(domain, request);
  return TypedDataEncoder.hash(data.domain, data.types, data.values);
};
