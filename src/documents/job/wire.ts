import { ToolkitError } from '../../errors/toolkit-error.js';
import { isObject, type Json } from '../canonical.js';
import { parseAddress, parseBytes32, parseCounter, parseTokenId } from '../ids.js';
import type { RequestEnvelope, SignedRequest } from './typed-data.js';

/** A signed request as it goes over HTTP: numbers that may pass 2^53 are decimal strings. */
export interface ComputeBody {
  readonly request: {
    readonly job: string;
    readonly algorithm: string;
    readonly dataToken: string;
    readonly spec: string;
    readonly daemon: string;
    readonly nonce: string;
    readonly expiry: number;
  };
  readonly signature: string;
}

export interface GrantBody {
  readonly request: {
    readonly composite: string;
    readonly dataToken: string;
    readonly until: number;
    readonly daemon: string;
    readonly nonce: string;
    readonly expiry: number;
  };
  readonly signature: string;
  /** DDOs that the daemon may not know yet; they count only if the chain anchors exactly these bytes. */
  readonly documents?: readonly object[];
}

export type ComputeRequest = Extract<SignedRequest, { type: 'compute' }>;
export type GrantRequest = Extract<SignedRequest, { type: 'grant' }>;
export type HttpRequest = Extract<SignedRequest, { type: 'http' }>;

export function computeBody(request: ComputeRequest, signature: string): ComputeBody {
  const { job, algorithm, dataToken, spec, daemon, nonce, expiry } = request;
  return { request: { job: job.toString(), algorithm, dataToken, spec, daemon, nonce, expiry }, signature };
}

export function grantBody(request: GrantRequest, signature: string, documents: readonly object[]): GrantBody {
  const { composite, dataToken, until, daemon, nonce, expiry } = request;
  return { request: { composite, dataToken, until, daemon, nonce, expiry }, signature, documents };
}

/**
 * A compute request names the job and nothing that the assets already fix.
 * @throws DT_POLICY_FIXED_PARAMETER for arguments, operators and the like in the body; DT_INPUT_INVALID
 */
export function parseComputeBody(body: unknown): { readonly request: ComputeRequest; readonly signature: string } {
  const { request, signature } = envelopeOf(body, ['request', 'signature'], 'The compute request');
  refuseOthers(request, ['job', 'algorithm', 'dataToken', 'spec', 'daemon', 'nonce', 'expiry']);
  return {
    signature,
    request: {
      type: 'compute',
      job: parseCounter(request['job'], 'The job id'),
      algorithm: parseTokenId(request['algorithm'], 'The algorithm'),
      dataToken: parseTokenId(request['dataToken'], 'The data token'),
      spec: parseBytes32(request['spec'], 'The job spec digest'),
      ...parseEnvelope(request),
    },
  };
}

/** @throws DT_POLICY_FIXED_PARAMETER for keys that a grant does not have; DT_INPUT_INVALID */
export function parseGrantBody(body: unknown): {
  readonly request: GrantRequest;
  readonly signature: string;
  readonly documents: readonly Json[];
} {
  const { request, signature, rest } = envelopeOf(body, ['request', 'signature', 'documents'], 'The grant request');
  refuseOthers(request, ['composite', 'dataToken', 'until', 'daemon', 'nonce', 'expiry']);
  const documents = rest['documents'] ?? [];
  if (!Array.isArray(documents) || documents.length > 64)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The grant request', reason: 'documents is a list of at most 64' });
  return {
    signature,
    documents,
    request: {
      type: 'grant',
      composite: parseTokenId(request['composite'], 'The composite'),
      dataToken: parseTokenId(request['dataToken'], 'The data token'),
      until: parseSeconds(request['until'], 'The end of the grant'),
      ...parseEnvelope(request),
    },
  };
}

interface HttpProof extends RequestEnvelope {
  readonly signature: string;
}

/** `Authorization: DT <base64url of JSON>`: the envelope and signature of an HttpRequest over method, path with query, and body digest. */
export function authorizationHeader(envelope: RequestEnvelope, signature: string): string {
  const { daemon, nonce, expiry } = envelope;
  return `DT ${Buffer.from(JSON.stringify({ daemon, nonce, expiry, signature })).toString('base64url')}`;
}

/** @throws DT_AUTH_MISSING, DT_AUTH_SIGNATURE_INVALID */
export function parseAuthorization(header: string | undefined): HttpProof {
  const encoded = /^DT ([A-Za-z0-9_-]{1,2000})$/.exec(header ?? '')?.[1];
  if (encoded === undefined) throw new ToolkitError('DT_AUTH_MISSING');
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
  } catch {
    throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'the Authorization header is not base64url JSON' });
  }
  if (!isObject(value)) throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'the Authorization header holds no object' });
  return { ...parseEnvelope(value), signature: parseSignature(value['signature']) };
}

function refuseOthers(source: object, known: readonly string[]): void {
  for (const key of Object.keys(source)) if (!known.includes(key)) throw new ToolkitError('DT_POLICY_FIXED_PARAMETER', { key });
}

function envelopeOf(body: unknown, known: readonly string[], what: string) {
  if (!isObject(body)) throw new ToolkitError('DT_INPUT_INVALID', { what, reason: 'it is not a JSON object' });
  refuseOthers(body, known);
  const request = body['request'];
  if (!isObject(request)) throw new ToolkitError('DT_INPUT_INVALID', { what, reason: 'its key `request` is not an object' });
  return { request, signature: parseSignature(body['signature']), rest: body };
}

function parseEnvelope(source: Readonly<Record<string, unknown>>): RequestEnvelope {
  return {
    daemon: parseAddress(source['daemon'], 'The daemon'),
    nonce: parseBytes32(source['nonce'], 'The nonce'),
    expiry: parseSeconds(source['expiry'], 'The expiry'),
  };
}

function parseSignature(value: unknown): string {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{130}$/.test(value)) return value;
  throw new ToolkitError('DT_AUTH_SIGNATURE_INVALID', { reason: 'it is not 65 bytes in hex' });
}

function parseSeconds(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 1e11) return value;
  throw new ToolkitError('DT_INPUT_INVALID', { what, reason: 'it is not a number of seconds since 1970' });
}
