import { headerBytes } from './frames.js';

const slabBytes = 1 << 18;

/** A piece of memory with consecutive bytes of the stream; `start` is the offset in the stream of its first byte. */
interface Slab {
  readonly bytes: Buffer;
  start: number;
  used: number;
}

/**
 * The outgoing half of a stream: frames are written here once, go out from here, and stay until the peer has acknowledged them,
 * so that nothing is copied or allocated for a message and everything can be sent again over another connection.
 */
export class SendBuffer {
  private readonly slabs: Slab[] = [{ bytes: Buffer.allocUnsafeSlow(slabBytes), start: 0, used: 0 }];
  /** One emptied slab is kept, so that a busy link does not allocate. */
  private spare: Buffer | undefined;
  private sending = 0;
  private sent = 0;
  private highest = 0;
  private acknowledged = 0;
  private written = 0;

  /** Where the frame under way is: `reserve` says it without an object for each frame. */
  bytes: Buffer = (this.slabs[0] as Slab).bytes;

  get unacknowledgedBytes(): number {
    return this.written - this.acknowledged;
  }

  get unsentBytes(): number {
    return this.written - this.sent;
  }

  get acknowledgedOffset(): number {
    return this.acknowledged;
  }

  /** Bytes of the stream so far. */
  get offset(): number {
    return this.written;
  }

  /** Writes a header and leaves room for its payload, both in one piece of `bytes`; returns where the payload starts. */
  frame(type: number, id: number, value: number, payloadBytes: number): number {
    const size = headerBytes + payloadBytes;
    let slab = this.slabs[this.slabs.length - 1] as Slab;
    if (slab.used + size > slabBytes) {
      slab = { bytes: this.spare ?? Buffer.allocUnsafeSlow(slabBytes), start: this.written, used: 0 };
      this.spare = undefined;
      this.slabs.push(slab);
    }
    const at = slab.used;
    const bytes = slab.bytes;
    bytes[at] = type;
    bytes.writeUIntBE(id, at + 1, 3);
    bytes.writeUInt32BE(value, at + 4);
    slab.used += size;
    this.written += size;
    this.bytes = bytes;
    return at + headerBytes;
  }

  /** The next bytes that have not gone out, as a view; undefined when all have. */
  nextUnsent(): Buffer | undefined {
    while (this.sent < this.written) {
      const slab = this.slabs[this.sending] as Slab;
      const from = this.sent - slab.start;
      if (from < slab.used) {
        this.sent = slab.start + slab.used;
        if (this.sent > this.highest) this.highest = this.sent;
        return slab.bytes.subarray(from, slab.used);
      }
      this.sending += 1;
    }
    return undefined;
  }

  /** The peer has all before `offset`. False when it claims what has not been sent over this connection. */
  acknowledge(offset: number): boolean {
    if (offset > this.sent) return false;
    if (offset > this.acknowledged) this.forget(offset);
    return true;
  }

  /** A new connection: the peer has all before `offset`, the rest goes out again. False when that cannot be. */
  rewind(offset: number): boolean {
    if (offset < this.acknowledged || offset > this.highest) return false;
    this.forget(offset);
    this.sent = offset;
    this.sending = 0;
    return true;
  }

  private forget(offset: number): void {
    this.acknowledged = offset;
    while (this.slabs.length > 1) {
      const first = this.slabs[0] as Slab;
      if (first.start + first.used > offset) break;
      this.slabs.shift();
      this.sending = Math.max(0, this.sending - 1);
      this.spare ??= first.bytes;
    }
    const last = this.slabs[0] as Slab;
    if (this.slabs.length === 1 && offset === this.written) {
      // Everything has arrived: the same warm memory from its start again.
      last.start = offset;
      last.used = 0;
    }
  }
}
