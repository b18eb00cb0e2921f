import type { Address } from '../../documents/ids.js';
import { frameType } from './frames.js';
import type { HandshakeFrame } from './link-connection.js';

/** Protocol and version in one name, as ALPN (RFC 7301) compares it. Every change of frames or handshake changes it. */
export const linkProtocol = 'dt-link/1';

/** Where an end stands in the stream that the two share. */
export interface StreamState {
  readonly epoch: bigint;
  /** What it holds for the peer's epoch; 0: none yet. */
  readonly peerEpoch: bigint;
  /** Bytes of the peer's stream that it has taken in. */
  readonly received: number;
  /**
   * Of the connections that the two have used, the last that it knows of. The end with the lower address counts them: it alone
   * decides which connection is used, so that two that were dialed at once become one.
   */
  readonly use: number;
}

/** The caller's first frame, sent only to who has shown the key that was expected. */
export interface Hello extends StreamState {
  readonly from: Address;
  readonly to: Address;
}

const addressBytes = 20;
const stateBytes = 28;

export function encodeHello(hello: Hello): Buffer {
  return Buffer.concat([Buffer.from(hello.from.slice(2), 'hex'), Buffer.from(hello.to.slice(2), 'hex'), encodeState(hello)]);
}

/** Undefined for what is no hello. */
export function decodeHello(frame: HandshakeFrame): Hello | undefined {
  if (frame.type !== frameType.hello || frame.payload.length !== 2 * addressBytes + stateBytes) return undefined;
  const addressAt = (at: number): Address => `0x${frame.payload.toString('hex', at, at + addressBytes)}` as Address;
  return { from: addressAt(0), to: addressAt(addressBytes), ...decodeState(frame.payload, 2 * addressBytes) };
}

export function encodeState(state: StreamState): Buffer {
  const bytes = Buffer.alloc(stateBytes);
  bytes.writeBigUInt64BE(state.epoch, 0);
  bytes.writeBigUInt64BE(state.peerEpoch, 8);
  bytes.writeBigUInt64BE(BigInt(state.received), 16);
  bytes.writeUInt32BE(state.use, 24);
  return bytes;
}

/** Undefined for what is no welcome. */
export function decodeWelcome(frame: HandshakeFrame): StreamState | undefined {
  return frame.type === frameType.welcome && frame.payload.length === stateBytes ? decodeState(frame.payload, 0) : undefined;
}

function decodeState(bytes: Buffer, at: number): StreamState {
  return {
    epoch: bytes.readBigUInt64BE(at),
    peerEpoch: bytes.readBigUInt64BE(at + 8),
    // Beyond 2^53 it is none of ours, and fails as an offset that was never sent.
    received: Number(bytes.readBigUInt64BE(at + 16)),
    use: bytes.readUInt32BE(at + 24),
  };
}
