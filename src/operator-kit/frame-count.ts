import { createHash } from 'node:crypto';
import { abortMark, endMark, frameHeaderBytes } from '../privacy/stream-channel.js';

export interface FrameTotals {
  readonly messages: number;
  /** Of the messages; framing is left out. */
  readonly bytes: number;
  /** SHA-256 (hex) over all whole messages, each with its length: as ChannelTranscript has it. */
  readonly sha256: string;
}

/** Counts the messages in one direction of a channel from the bytes that pass by, which it leaves as they are. */
export class FrameCount {
  private messages = 0;
  private bytes = 0;
  private readonly hash = createHash('sha256');
  private readonly header = Buffer.alloc(frameHeaderBytes);
  private headerFilled = 0;
  private left = 0;
  private inReason = false;

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.left > 0) {
        const part = chunk.subarray(at, at + this.left);
        this.pass(part);
        at += part.length;
      } else {
        this.header[this.headerFilled] = chunk[at] as number;
        this.headerFilled += 1;
        at += 1;
        if (this.headerFilled === frameHeaderBytes) this.begin();
      }
    }
  }

  totals(): FrameTotals {
    return { messages: this.messages, bytes: this.bytes, sha256: this.hash.copy().digest('hex') };
  }

  private begin(): void {
    this.headerFilled = 0;
    const length = this.header.readUInt32BE(0);
    if (length === abortMark && !this.inReason) {
      this.inReason = true;
      return;
    }
    // No message: its sender says no more.
    if (length === endMark && !this.inReason) return;
    this.left = length;
    if (!this.inReason) this.hash.update(this.header);
    if (length === 0) this.end();
  }

  private pass(part: Buffer): void {
    this.left -= part.length;
    if (!this.inReason) {
      this.hash.update(part);
      this.bytes += part.length;
    }
    if (this.left === 0) this.end();
  }

  private end(): void {
    if (!this.inReason) this.messages += 1;
    this.inReason = false;
  }
}
