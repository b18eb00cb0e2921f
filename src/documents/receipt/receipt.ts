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

/** A file by its digest; `name` is its path below the job folder, or below released/ for an output. */
export interface FileDigest {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Bytes32;
}

/** What the owner, or a deadline, said of a request or of outputs that were held. */
export interface OwnerAnswer {
  readonly outcome: 'approved' | 'refused' | 'expired';
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Absent when a deadline decided. */
  readonly by?: Address;
  readonly reason?: string;
  /** Digest of what it was said about: one changed byte there needs another answer. */
  readonly subject: Bytes32;
}

/** The summary of one party's run or refusal. */
export interface Receipt {
  readonly kind: 'receipt';
  readonly version: 2;
  readonly chain: { readonly chainId: number; readonly market: Address };
  readonly job: string;
  readonly algorithm: TokenId;
  /** From the algorithm down to the token; empty when the token is not part of it, and then nothing is anchored. */
  readonly path: readonly TokenId[];
  readonly token: TokenId;
  readonly owner: Address;
  readonly consumer: Address;
  /** Digest of the signed request as it came (the canonical bytes of a ComputeBody). */
  readonly request: Bytes32;
  /** Digest of the job spec that was decided on. Of a refusal it may be another than the request's. */
  readonly spec: Bytes32;
  readonly decision: Bytes32;
  /** Digest of the token's document; for a helper the algorithm's. */
  readonly ddo?: Bytes32;
  readonly operator?: { readonly id: TokenId; readonly version: number; readonly digest: Bytes32 };
  /**
   * Salted commitment to the bytes of the data: sha256(salt ‖ sha256(file)), both as 32 bytes. The salt is of this run alone and stays with
   * the owner, so that small files cannot be guessed, and one run can be opened without the others.
   */
  readonly input?: Bytes32;
  readonly approval?: OwnerAnswer;
  readonly outcome: RunOutcome;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly sandbox?: { readonly level: string; readonly layers: readonly string[]; readonly limits: Readonly<Record<string, number>> };
  /** How the operator ended; `limit` names the one that ended it. */
  readonly exit?: { readonly code: number | null; readonly signal: string | null; readonly limit?: string };
  /** What it took. Absent where the machine does not measure it. */
  readonly usage?: { readonly wallMs: number; readonly cpuMs?: number; readonly peakMemoryBytes?: number };
  /** What the operator was given beside the data: its code, arguments, for a joint job the description and the kit. */
  readonly files?: readonly FileDigest[];
  /** What it printed. */
  readonly log?: { readonly sizeBytes: number; readonly sha256: Bytes32 };
  readonly hold?: OwnerAnswer;
  /** `recipient`: who may read it, the consumer where nothing is said. */
  readonly outputs: readonly (FileDigest & { readonly recipient?: 'owner' })[];
  /** How many files the operator wrote that the asset does not let out. */
  readonly withheld?: number;
  readonly joint?: JointRecord;
  readonly startedAt?: string;
  /** When the staged data was deleted. */
  readonly wipedAt?: string;
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

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' } as const;
const files = {
  type: 'array',
  items: { type: 'object', required: ['name', 'sizeBytes', 'sha256'], properties: { name: text, sizeBytes: count, sha256: bytes32 } },
} as const;
const answer = {
  type: 'object',
  required: ['outcome', 'at', 'subject'],
  properties: { outcome: { enum: ['approved', 'refused', 'expired'] }, at: time, by: address, reason: text, subject: bytes32 },
} as const;

/** @throws DT_DOCUMENT_INVALID */
export const parseOwnerAnswer = documentParser<OwnerAnswer>('answer of an owner', answer);

/** A receipt from outside. Keys that this version does not know stay: they are signed, too. @throws DT_DOCUMENT_INVALID */
export const parseSignedReceipt = documentParser<SignedReceipt>('receipt', {
  type: 'object',
  required: ['receipt', 'signature'],
  additionalProperties: false,
  properties: {
    // One spelling only: other letters or another recovery number would recover the same signer from bytes that differ.
    signature: { type: 'string', pattern: '^0x[0-9a-f]{128}1[bc]$' },
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
        'request',
        'spec',
        'decision',
        'outcome',
        'outputs',
        'finishedAt',
        'software',
      ],
      properties: {
        kind: { const: 'receipt' },
        version: { const: 2 },
        chain: { type: 'object', required: ['chainId', 'market'], properties: { chainId: { type: 'integer' }, market: address } },
        job: { type: 'string', pattern: '^[1-9][0-9]{0,18}$' },
        algorithm: tokenId,
        path: { type: 'array', items: tokenId },
        token: tokenId,
        owner: address,
        consumer: address,
        request: bytes32,
        spec: bytes32,
        decision: bytes32,
        ddo: bytes32,
        operator: {
          type: 'object',
          required: ['id', 'version', 'digest'],
          properties: { id: tokenId, version: { type: 'integer', minimum: 1 }, digest: bytes32 },
        },
        input: bytes32,
        approval: answer,
        outcome: { enum: ['succeeded', 'failed', 'canceled', 'refused'] },
        failure: { type: 'object', required: ['code', 'message'], properties: { code: text, message: text } },
        sandbox: {
          type: 'object',
          required: ['level', 'layers', 'limits'],
          properties: {
            level: text,
            layers: { type: 'array', items: text },
            limits: { type: 'object', additionalProperties: { type: 'number', minimum: 0 } },
          },
        },
        exit: {
          type: 'object',
          required: ['code', 'signal'],
          properties: { code: { type: ['integer', 'null'] }, signal: { type: ['string', 'null'] }, limit: text },
        },
        usage: { type: 'object', required: ['wallMs'], properties: { wallMs: count, cpuMs: count, peakMemoryBytes: count } },
        files,
        log: { type: 'object', required: ['sizeBytes', 'sha256'], properties: { sizeBytes: count, sha256: bytes32 } },
        hold: answer,
        outputs: files,
        withheld: count,
        joint,
        startedAt: time,
        wipedAt: time,
        finishedAt: time,
        software: text,
      },
    },
  },
});
