import type { Logger } from 'pino';
import type { IndexSource } from '../catalog/ledger-index.js';
import type { ContentStore } from '../content-store/content-store.js';
import type { Address } from '../documents/ids.js';
import type { SignatureDomain } from '../documents/job/typed-data.js';
import type { Ledger } from '../ledger/ledger.js';
import type { LinkHub } from '../peers/link/link-hub.js';
import type { TypedDataSigner } from '../peers/signer.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { DaemonConfig } from './config/config.js';
import type { JointRuns } from './joint/joint-runs.js';
import type { LinkKeyState } from './links/link-key-keeper.js';
import type { Store } from './store/store.js';

/** Everything that the daemon's routes and pipeline need; put together once, in start-daemon.ts, so that a test swaps one part. */
export interface DaemonDeps {
  readonly config: DaemonConfig;
  /** The organization whose data this daemon guards. */
  readonly organization: Address;
  readonly domain: SignatureDomain;
  readonly signer: TypedDataSigner;
  readonly ledger: Ledger;
  /** What the chain says, kept on this machine: lineage, jobs, reports. */
  readonly index: IndexSource;
  /** Public documents: DDOs and operators, from here or from others. */
  readonly content: ContentStore;
  /** Those of them that lie here, which this daemon serves to anyone. */
  readonly localContent: ContentStore;
  /** Decisions and receipts, by digest; read only by the consumer and the owner. */
  readonly records: ContentStore;
  readonly store: Store;
  readonly sandbox: Sandbox;
  readonly links: LinkHub;
  /** Whether the chain has the link key of this daemon. */
  readonly linkKeyState: () => LinkKeyState;
  readonly joint: JointRuns;
  /** Secret of this daemon that salts the commitments to its data. */
  readonly commitmentKey: Uint8Array;
  readonly log: Logger;
  readonly now: () => number;
}

export const SOFTWARE = 'compute-to-data/0.1.0';
