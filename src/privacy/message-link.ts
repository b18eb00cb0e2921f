import { ToolkitError } from '../errors/toolkit-error.js';
import type { Channel } from './channel.js';

/** Every kind of message that the protocols exchange. A received kind that is not the expected one ends the run. */
export const messageKinds = {
  terms: 1,
  shape: 2,
  publicKey: 3,
  maskedColumns: 4,
  maskedLogits: 5,
  maskedResiduals: 6,
  stepMaterial: 7,
  maskedWeights: 8,
  opening: 9,
  material: 10,
  blindedScores: 11,
  shuffledScores: 12,
  shuffleMaterial: 13,
  metrics: 14,
  model: 15,
  maskedTarget: 16,
  done: 17,
  partialScores: 18,
  maskedValues: 19,
  psiShape: 40,
  psiBaseKey: 41,
  psiBasePoints: 42,
  psiSeedCorrections: 43,
  psiLocations: 44,
  psiMasked: 45,
  psiTags: 46,
  psiElements: 47,
  psiReturned: 48,
  psiVerdict: 49,
  psiMatches: 50,
  psiProof: 51,
  psiMaskedBins: 52,
  psiDealtSeed: 53,
  psiDealt: 54,
} as const;

export type MessageKind = keyof typeof messageKinds;

/** Bytes that a sender leaves free in front of every payload; the link writes kind and sequence number there. */
export const messageHeaderBytes = 8;

/** Larger payloads are cut into messages of this size. */
export const maxPartBytes = 1 << 20;

/**
 * A channel with numbered, typed messages: what arrives must be of the expected kind, the next in order, and of exactly the
 * expected length. So a short, repeated, dropped, swapped or foreign message ends the run with DT_PEER_PROTOCOL.
 */
export class MessageLink {
  private sent = 0;
  private received = 0;

  constructor(readonly channel: Channel) {}

  get peer(): string {
    return this.channel.peer;
  }

  /** `framed` starts with messageHeaderBytes free bytes, then the payload; it may be reused once the call has returned. */
  send(kind: MessageKind, framed: Uint8Array): Promise<void> {
    writeHeader(framed, messageKinds[kind], this.sent);
    this.sent += 1;
    return this.channel.send(framed);
  }

  /** The payload, of exactly `byteLength` bytes. */
  async receive(kind: MessageKind, byteLength: number): Promise<Uint8Array> {
    const payload = this.check(kind, await this.channel.receive());
    if (payload.byteLength !== byteLength) {
      throw this.broken(`its message "${kind}" has ${payload.byteLength} bytes where ${byteLength} were due`);
    }
    return payload;
  }

  /** For the few messages whose length the peer chooses: up to `maxBytes`. */
  async receiveUpTo(kind: MessageKind, maxBytes: number): Promise<Uint8Array> {
    const payload = this.check(kind, await this.channel.receive());
    if (payload.byteLength > maxBytes) throw this.broken(`its message "${kind}" has ${payload.byteLength} bytes, more than ${maxBytes}`);
    return payload;
  }

  /** Sends a payload of any size, in parts. */
  async sendParts(kind: MessageKind, payload: Uint8Array): Promise<void> {
    for (let at = 0; at < payload.byteLength || at === 0; at += maxPartBytes) {
      const part = payload.subarray(at, at + maxPartBytes);
      const framed = new Uint8Array(messageHeaderBytes + part.byteLength);
      framed.set(part, messageHeaderBytes);
      await this.send(kind, framed);
    }
  }

  /** Receives what sendParts sent, straight into `target`, whose length says how much is due. */
  async receiveParts(kind: MessageKind, target: Uint8Array): Promise<void> {
    for (let at = 0; at < target.byteLength || at === 0; at += maxPartBytes) {
      target.set(await this.receive(kind, Math.min(maxPartBytes, target.byteLength - at)), at);
    }
  }

  /** Both directions at once, so that two full pipes cannot wait for each other. */
  async exchangeParts(kind: MessageKind, payload: Uint8Array, target: Uint8Array): Promise<void> {
    await Promise.all([this.sendParts(kind, payload), this.receiveParts(kind, target)]);
  }

  broken(reason: string): ToolkitError {
    return new ToolkitError('DT_PEER_PROTOCOL', { peer: this.peer, reason });
  }

  private check(kind: MessageKind, message: Uint8Array): Uint8Array {
    if (message.byteLength < messageHeaderBytes) throw this.broken(`a message of ${message.byteLength} bytes is none of ours`);
    const actualKind =
      (message[0] as number) | ((message[1] as number) << 8) | ((message[2] as number) << 16) | ((message[3] as number) << 24);
    const sequence =
      ((message[4] as number) | ((message[5] as number) << 8) | ((message[6] as number) << 16) | ((message[7] as number) << 24)) >>> 0;
    if (actualKind !== messageKinds[kind]) throw this.broken(`it sent ${nameOf(actualKind)} where "${kind}" was due`);
    if (sequence !== this.received) throw this.broken(`it sent message ${sequence} of the run where ${this.received} was due`);
    this.received += 1;
    return message.subarray(messageHeaderBytes);
  }
}

function writeHeader(framed: Uint8Array, kind: number, sequence: number): void {
  framed[0] = kind & 255;
  framed[1] = 0;
  framed[2] = 0;
  framed[3] = 0;
  framed[4] = sequence & 255;
  framed[5] = (sequence >>> 8) & 255;
  framed[6] = (sequence >>> 16) & 255;
  framed[7] = sequence >>> 24;
}

function nameOf(kind: number): string {
  const entry = Object.entries(messageKinds).find(([, value]) => value === kind);
  return entry === undefined ? 'bytes of no known kind' : `"${entry[0]}"`;
}
