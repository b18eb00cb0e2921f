import { digestOf } from '../canonical.js';
import type { Address, Bytes32, TokenId } from '../ids.js';
import { documentParser, patterns } from '../schema.js';

export type RunOutcome = 'succeeded' | 'failed' | 'canceled' | 'refused';

/** What went one way over a link of a joint job: both ends count the same. */
export interface LinkTraffic {
  readonly bytes: number;
  readonly messages: number;
  /** SHA-256 (hex) over all messages in order. */
  readonly sha256: string;
}

/** A party's part in a joint computation. */
export interface JointRecord {
  /** Own seat. */
  readonly seat: string;
  /** What all parties agreed to before any data moved: 64 hex digits, the same in all their receipts. */
  readonly execution: string;
  readonly peers: readonly {
    readonly seat: string;
    readonly organization: Address;
    /** Its signed decisions for the same job spec. */
    readonly decisions: readonly { readonly token: TokenId; readonly decision: Bytes32; readonly signature: string }[];
    /** Absent when the run ended before both ends had agreed on it. */
    readonly sent?: LinkTraffic;
    readonly received?: LinkTraffic;
  }[];
}

/** The summary of one party's run or refusal. */
export interface Receipt {
  readonly kind: 'receipt';
  readonly version: 1;
  readonly chain: { readonly chainId: number; readonly market: Address };
  readonly job: string;
  readonly algorithm: TokenId;
  /** From the algorithm down to the token; empty when the token is not part of it, and then nothing is anchored. */
  readonly path: readonly TokenId[];
  readonly token: TokenId;
  readonly owner: Address;
  readonly consumer: Address;
  readonly spec: Bytes32;
  readonly decision: Bytes32;
  readonly operator?: { readonly id: TokenId; readonly digest: Bytes32 };
  /** Salted commitment to the bytes of the data: sha256(salt ‖ sha256(file)); the salt stays with the owner, so small files cannot be guessed. */
  readonly input?: Bytes32;
  readonly outcome: RunOutcome;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly sandbox?: { readonly level: string; readonly layers: readonly string[]; readonly limits: Readonly<Record<string, number>> };
  readonly outputs: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: Bytes32 }[];
  readonly joint?: JointRecord;
  readonly startedAt?: string;
  readonly finishedAt: string;
  readonly software: string;
}

/** What a regulator is shown; the digest of this is what the chain holds. */
export interface SignedReceipt {
  readonly receipt: Receipt;
  /** EIP-712 over job, token and the digest of `receipt`, by the owner. */
  readonly signature: string;
}

export const digestOfReceipt = (receipt: Receipt): Bytes32 => digestOf(receipt);

const bytes32 = { type: 'string', pattern: patterns.bytes32 } as const;
const address = { type: 'string', pattern: patterns.address } as const;
const tokenId = { type: 'string', pattern: patterns.tokenId } as const;
const traffic = {
  type: 'object',
  required: ['bytes', 'messages', 'sha256'],
  properties: {
    bytes: { type: 'integer', minimum: 0 },
    messages: { type: 'integer', minimum: 0 },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  },
} as const;

const joint = {
  type: 'object',
  required: ['seat', 'execution', 'peers'],
  properties: {
    seat: { type: 'string' },
    execution: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    peers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['seat', 'organization', 'decisions'],
        properties: {
          seat: { type: 'string' },
          organization: address,
          decisions: {
            type: 'array',
            items: {
              type: 'object',
              required: ['token', 'decision', 'signature'],
              properties: { token: tokenId, decision: bytes32, signature: { type: 'string' } },
            },
          },
          sent: traffic,
          received: traffic,
        },
      },
    },
  },
} as const;

/** A receipt from outside. Keys that this version does not know stay: they are signed, too. @throws DT_DOCUMENT_INVALID */
export const parseSignedReceipt = documentParser<SignedReceipt>('receipt', {
  type: 'object',
  required: ['receipt', 'signature'],
  additionalProperties: false,
  properties: {
    signature: { type: 'string', pattern: '^0x[0-9a-fA-F]{130}$' },
    receipt: {
      type: 'object',
      required: [
        'kind',
        'version',
        'chain',
        'job',
        'algorithm',
        'path',
        'token',
        'owner',
        'consumer',
        'spec',
        'decision',
        'outcome',
        'outputs',
      ],
      properties: {
        kind: { const: 'receipt' },
        version: { const: 1 },
        chain: { type: 'object', required: ['chainId', 'market'], properties: { chainId: { type: 'integer' }, market: address } },
        job: { type: 'string', pattern: '^[1-9][0-9]{0,18}$' },
        algorithm: tokenId,
        path: { type: 'array', items: tokenId },
        token: tokenId,
        owner: address,
        consumer: address,
        spec: bytes32,
        decision: bytes32,
        outcome: { enum: ['succeeded', 'failed', 'canceled', 'refused'] },
        outputs: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name', 'sizeBytes', 'sha256'],
            properties: { name: { type: 'string' }, sizeBytes: { type: 'integer', minimum: 0 }, sha256: bytes32 },
          },
        },
        joint,
      },
    },
  },
});
