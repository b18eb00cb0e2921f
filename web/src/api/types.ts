import type { Address, Bytes32, TokenId } from '../../../src/documents/ids.js';

/** Answers of the daemon's HTTP API (docs/API.md), as far as the page shows them. */
export type Role = 'owner' | 'operator' | 'viewer' | 'auditor';

export interface Session {
  readonly id: string;
  readonly role: Role;
  readonly subject: string;
  readonly scope?: TokenId;
  readonly createdAt: string;
  readonly seenAt: string;
  readonly endsAt: string;
}

export interface Home {
  readonly organization: Address;
  readonly chain: { readonly chainId: number; readonly market: Address };
  readonly software: string;
  readonly session?: Session;
}

export const liveStates = ['awaiting-approval', 'queued', 'staging', 'running', 'releasing', 'held', 'settling'] as const;
export const endStates = ['succeeded', 'failed', 'canceled', 'refused'] as const;
export type RunState = (typeof liveStates)[number] | (typeof endStates)[number];
export const isEnded = (state: RunState): boolean => (endStates as readonly RunState[]).includes(state);

export interface Output {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Bytes32;
}

export interface RunFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface OwnerAnswer {
  readonly outcome: 'approved' | 'refused' | 'expired';
  readonly at: string;
  readonly reason?: string;
}

export interface Run {
  readonly id: string;
  readonly job: string;
  readonly task: string;
  readonly algorithm: TokenId;
  readonly token: TokenId;
  readonly consumer: Address;
  readonly state: RunState;
  readonly attempt: number;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** Of a run that waits for its owner: until when. */
  readonly deadlineAt?: string;
  /** The owner's word on the request, and on the outputs. */
  readonly approval?: OwnerAnswer;
  readonly hold?: OwnerAnswer;
  readonly failure?: RunFailure;
  readonly outputs: readonly Output[];
  readonly receipt?: Bytes32;
  readonly settlement: 'none' | 'pending' | 'anchored';
}

export interface Overview {
  readonly software: string;
  readonly runs: Readonly<Partial<Record<RunState, number>>>;
  readonly assets: number;
  readonly limits: { readonly concurrency: number; readonly queue: number };
  readonly chain: boolean;
  readonly store: boolean;
  readonly sandbox: { readonly level: string; readonly layers: readonly string[] };
  readonly links: {
    readonly key: string;
    readonly port?: number;
    readonly peers: readonly {
      readonly peer: Address;
      readonly isConnected: boolean;
      readonly bytesSent: number;
      readonly bytesReceived: number;
    }[];
  };
}

export interface HeldAsset {
  readonly token: TokenId;
  readonly addedAt: string;
  readonly name?: string;
  readonly path?: string;
  readonly sizeBytes?: number;
  readonly sha256?: Bytes32;
}

export interface AccessToken {
  readonly id: string;
  readonly role: Role;
  readonly label: string;
  readonly scope?: TokenId;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly usedAt?: string;
}
