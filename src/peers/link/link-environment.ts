import type { Address, Bytes32 } from '../../documents/ids.js';
import type { ToolkitError } from '../../errors/toolkit-error.js';
import type { LinkEndpoint } from './link-dialer.js';
import type { LinkKey } from './link-key.js';
import type { LinkLimits } from './link-limits.js';

/** What happens to links, for the log and the metrics of a daemon. */
export interface LinkEvent {
  readonly kind: 'connected' | 'disconnected' | 'refused' | 'failed';
  /** Whom it is about; of a caller that was refused only what it claimed to be. */
  readonly peer?: Address;
  readonly remote?: string;
  readonly reason?: string;
  readonly error?: ToolkitError;
}

/** What one link needs of the hub that it belongs to. */
export interface LinkEnvironment {
  readonly address: Address;
  readonly limits: LinkLimits;
  readonly key: () => LinkKey;
  readonly linkKeyOf: (organization: Address) => Promise<Bytes32 | undefined>;
  /** Where the peer's daemon listens; undefined for one that cannot be called and has to call. */
  readonly endpointOf: (organization: Address) => Promise<LinkEndpoint | undefined>;
  readonly onSession: (peer: Address, session: string, purpose: string) => void;
  readonly closedBecause: (session: string) => string | undefined;
  readonly onEvent: (event: LinkEvent) => void;
  /** Nothing is open, wanted or offered, and there is no connection. */
  readonly onIdle: () => void;
}
