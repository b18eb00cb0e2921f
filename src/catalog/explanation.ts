import type { Address, TokenId } from '../documents/ids.js';
import type { Receipt } from '../documents/receipt/receipt.js';
import type { ShareEnd } from './root-cause.js';

/** What is known of one party's share, from its daemon and from the chain. Whatever could not be learnt is absent. */
export interface ShareFacts extends ShareEnd {
  readonly token: TokenId;
  readonly asset: string;
  readonly owner: Address;
  readonly daemon: string;
  readonly failure?: NonNullable<ShareEnd['failure']> & { readonly hint: string };
  readonly startedAt?: string;
  /** Until when it waits for its owner. */
  readonly deadlineAt?: string;
  /** The last lines of the operator, oldest first. */
  readonly log?: readonly string[];
  readonly receipt?: Receipt;
  /** What the chain holds of its end. */
  readonly reported?: string;
  /** Its daemon says that it cannot reach the chain. */
  readonly isChainDown?: boolean;
}

export interface ExplainFacts {
  readonly job: bigint;
  readonly task: bigint;
  readonly algorithm: TokenId;
  /** Who asks added the job. To anyone else a daemon tells only of shares of its own. */
  readonly isDemander: boolean;
  /** Who asks, where that is known. */
  readonly asker?: Address;
  readonly isJoint: boolean;
  /** What the chain calls organizations. */
  readonly names: ReadonlyMap<string, string>;
  readonly shares: readonly ShareFacts[];
}

export interface Next {
  readonly text: string;
  /** To be typed, where one command does it. */
  readonly command?: string;
}

export interface Explanation {
  /** `waiting`: somebody has to do something; `running`: nobody has. */
  readonly status: 'failed' | 'waiting' | 'running' | 'succeeded';
  /** An error code, or the state of the share that decides. */
  readonly code: string;
  readonly cause: string;
  /** Whose share it is about. */
  readonly at?: Place;
  readonly evidence: readonly string[];
  readonly next: Next;
  /** The shares beside it. In a joint job their ends followed from it. */
  readonly others: readonly (Place & { readonly state: string; readonly code?: string })[];
}

export type Place = Pick<ShareFacts, 'token' | 'asset' | 'owner' | 'ownerName' | 'daemon'>;
