/** What has crossed a channel so far. Bytes are those of the messages; framing and encryption come on top. */
export interface ChannelCounters {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
}

/** SHA-256 (hex) over all messages of each direction, in order, framing left out: what one side sent the other received. */
export interface ChannelTranscript {
  readonly sent: string;
  readonly received: string;
}

/**
 * One ordered, reliable link to one peer that keeps message borders. Whoever makes it has authenticated the peer and encrypts
 * the bytes where they leave the machine; protocols only see this interface.
 *
 * Errors of send and receive: DT_PEER_GONE (the link ended), DT_PEER_STALLED (the upper bound of waiting passed),
 * DT_PEER_ABORTED (the peer said why it ended), DT_PEER_PROTOCOL (bytes that are no message). After one of them the channel is
 * over and every further call fails with the same error.
 */
export interface Channel {
  /** The peer's name for messages to people: a party or an organization. */
  readonly peer: string;
  readonly counters: ChannelCounters;
  /** Of a channel that keeps running hashes, else undefined. */
  transcript(): ChannelTranscript | undefined;
  /**
   * The bytes are taken before the call returns, so the caller may reuse its buffer at once. The promise resolves when the
   * channel has room for more: waiting for it is what keeps memory bounded.
   */
  send(message: Uint8Array): Promise<void>;
  /** The next message. It belongs to the caller. At most one call waits at a time. */
  receive(): Promise<Uint8Array>;
  /** Ends the link in order: what was sent still arrives. */
  close(): Promise<void>;
  /** Ends the link at once and tells the peer why. The reason is shown to people there, so it holds no secret and no row. */
  abort(reason: string): void;
}
