/**
 * Bounds of one hub. What the two ends must agree on (window, longest message) is announced to the peer, so ends with different
 * settings work together; everything else is each end's own affair.
 */
export interface LinkLimits {
  /** From the first byte of a connection to the end of its handshake, dialing included. */
  readonly handshakeMs: number;
  /** Connections that have not shown who they are. One more ends the oldest. */
  readonly strangers: number;
  /** Peers with a link at the same time. */
  readonly links: number;
  /** Channels of one link, those included that the peer has offered and nobody has taken. */
  readonly channels: number;
  /** Longest message of a channel; a receiver holds at most one unfinished message of a channel beside its window. */
  readonly messageBytes: number;
  /** What a channel's receiver holds for a reader that is slow. At least `minWindowBytes`. */
  readonly windowBytes: number;
  /** What a link keeps for retransmission; data waits beyond it. */
  readonly unacknowledgedBytes: number;
  /** A link that has written nothing for so long says that it lives. */
  readonly heartbeatMs: number;
  /** A connection on which nothing arrives for so long is given up. */
  readonly silenceMs: number;
  /** Open channels outlive their connection for so long. */
  readonly graceMs: number;
  /** A link without channels is closed after this. */
  readonly idleMs: number;
  /** A refusal (wrong key, unknown organization, other version) that lasts so long fails those who wait. */
  readonly refusalMs: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** How long one end of a channel waits for the other to be opened, where the caller does not say. */
  readonly openMs: number;
  /** Upper bound of one wait of an open channel, for a message or for room. */
  readonly stallMs: number;
}

export const defaultLinkLimits: LinkLimits = {
  handshakeMs: 5_000,
  strangers: 64,
  links: 256,
  channels: 256,
  messageBytes: 16 << 20,
  windowBytes: 4 << 20,
  unacknowledgedBytes: 4 << 20,
  heartbeatMs: 5_000,
  silenceMs: 15_000,
  graceMs: 30_000,
  idleMs: 60_000,
  refusalMs: 5_000,
  firstBackoffMs: 50,
  maxBackoffMs: 2_000,
  openMs: 60_000,
  stallMs: 60_000,
};

/** Longer messages travel in fragments of this size, so that other channels get their turn between them. */
export const fragmentBytes = 1 << 16;

/** Charged against the window for each fragment beside its bytes, so that a flood of empty messages is bounded as well. */
export const fragmentCost = 64;

/** Two fragments must fit: a receiver hands back room only in halves of its window. */
export const minWindowBytes = 2 * (fragmentBytes + fragmentCost);
