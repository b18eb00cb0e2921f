import { createHash, type Hash } from 'node:crypto';
import type { ChannelTranscript } from './channel.js';

/** Running SHA-256 of both directions. Each message goes in with its length, so that borders count too. */
export class TranscriptHash {
  private readonly sentHash: Hash = createHash('sha256');
  private readonly receivedHash: Hash = createHash('sha256');
  private readonly length = new DataView(new ArrayBuffer(4));

  sent(message: Uint8Array): void {
    this.include(this.sentHash, message);
  }

  received(message: Uint8Array): void {
    this.include(this.receivedHash, message);
  }

  current(): ChannelTranscript {
    return { sent: this.sentHash.copy().digest('hex'), received: this.receivedHash.copy().digest('hex') };
  }

  private include(hash: Hash, message: Uint8Array): void {
    this.length.setUint32(0, message.byteLength);
    hash.update(new Uint8Array(this.length.buffer)).update(message);
  }
}
