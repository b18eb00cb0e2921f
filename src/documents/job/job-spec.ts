import { digestOf, type JsonObject } from '../canonical.js';
import type { Address, Bytes32, TokenId } from '../ids.js';
import { type OperatorRuntime, runtimes } from '../operator/operator.js';
import { documentParser, patterns } from '../schema.js';
import type { JointGroup } from './joint-group.js';

/** One party's share, resolved: the very code, data and arguments. */
export interface JobStep {
  readonly token: TokenId;
  readonly ddo: Bytes32;
  readonly owner: Address;
  readonly service: string;
  readonly path: readonly TokenId[];
  readonly operator: { readonly id: TokenId; readonly version: number; readonly digest: Bytes32; readonly runtime: OperatorRuntime };
  readonly arguments: JsonObject;
}

/**
 * All that decides about a job, read from chain and documents, the same for every party: its hash is what the consumer signs, what
 * decisions name, and what parties of a joint job compare.
 */
export interface JobSpec {
  readonly kind: 'job-spec';
  readonly version: 1;
  readonly chain: { readonly chainId: number; readonly market: Address };
  readonly job: string;
  readonly task: string;
  readonly consumer: Address;
  readonly algorithm: { readonly token: TokenId; readonly ddo: Bytes32 };
  /** In the order of the algorithm's tree. */
  readonly steps: readonly JobStep[];
  /** Steps that compute together, and with whom; absent when every step runs alone. */
  readonly joint?: readonly JointGroup[];
  /** Every token of the tree with its document, sorted by token. */
  readonly documents: readonly { readonly token: TokenId; readonly ddo: Bytes32 }[];
}

export const digestOfSpec = (spec: JobSpec): Bytes32 => digestOf(spec);

const tokenId = { type: 'string', pattern: patterns.tokenId } as const;
const bytes32 = { type: 'string', pattern: patterns.bytes32 } as const;
const address = { type: 'string', pattern: patterns.address } as const;
const counter = { type: 'string', pattern: '^[1-9][0-9]{0,18}$' } as const;
const text = { type: 'string' } as const;
const documented = { type: 'object', required: ['token', 'ddo'], properties: { token: tokenId, ddo: bytes32 } } as const;

/** A job spec from outside. @throws DT_DOCUMENT_INVALID */
export const parseJobSpec = documentParser<JobSpec>('job spec', {
  type: 'object',
  required: ['kind', 'version', 'chain', 'job', 'task', 'consumer', 'algorithm', 'steps', 'documents'],
  properties: {
    kind: { const: 'job-spec' },
    version: { const: 1 },
    chain: { type: 'object', required: ['chainId', 'market'], properties: { chainId: { type: 'integer' }, market: address } },
    job: counter,
    task: counter,
    consumer: address,
    algorithm: documented,
    steps: {
      type: 'array',
      items: {
        type: 'object',
        required: ['token', 'ddo', 'owner', 'service', 'path', 'operator', 'arguments'],
        properties: {
          token: tokenId,
          ddo: bytes32,
          owner: address,
          service: text,
          path: { type: 'array', items: tokenId },
          operator: {
            type: 'object',
            required: ['id', 'version', 'digest', 'runtime'],
            properties: { id: tokenId, version: { type: 'integer', minimum: 1 }, digest: bytes32, runtime: { enum: runtimes } },
          },
          arguments: { type: 'object' },
        },
      },
    },
    joint: {
      type: 'array',
      items: {
        type: 'object',
        required: ['operator', 'seats'],
        properties: {
          operator: tokenId,
          seats: {
            type: 'array',
            items: {
              type: 'object',
              required: ['seat', 'organization', 'inputs'],
              properties: {
                seat: text,
                organization: address,
                inputs: {
                  type: 'array',
                  items: { type: 'object', required: ['number', 'token'], properties: { number: text, token: tokenId } },
                },
              },
            },
          },
        },
      },
    },
    documents: { type: 'array', items: documented },
  },
});
