/**
 * What travels over a link: frames of eight bytes, some with a payload.
 *
 *   byte 0: type   1-3: id (big endian)   4-7: value (big endian); the length of the payload where the type has one
 *
 * `id` is the sender's own number of the channel, whoever opened it first. The frames above 15 are one stream that outlives its
 * connection: both ends count its bytes, and after a break each resends what the other has not seen.
 */
export const frameType = {
  // The handshake, once for each connection.
  hello: 1,
  welcome: 2,
  use: 3,
  refuse: 4,
  // The stream.
  acknowledge: 16,
  heartbeat: 17,
  goodbye: 18,
  open: 19,
  accept: 20,
  cancel: 21,
  reject: 22,
  message: 23,
  firstPart: 24,
  part: 25,
  credit: 26,
  close: 27,
  abort: 28,
} as const;

export const headerBytes = 8;
export const maxFrameId = 0xffffff;
export const maxReasonBytes = 1024;

export interface FrameSink {
  /**
   * One complete frame; its payload is bytes[at .. at + value], and the four bytes in front of it are its length, big endian.
   * `shared`: the bytes belong to a larger chunk. Returns false to take no further frame for now.
   */
  onFrame(type: number, id: number, value: number, bytes: Buffer, at: number, shared: boolean): boolean;
  /** The peer sent what is no frame; nothing more is read. */
  onGarbage(reason: string): void;
}

/** Longest payload of each type: 0 where it has none, -1 where the type is not known. */
export function payloadLimits(fragmentBytes: number): Int32Array {
  const limits = new Int32Array(256).fill(-1);
  for (const type of Object.values(frameType)) limits[type] = 0;
  limits[frameType.hello] = 128;
  limits[frameType.welcome] = 128;
  limits[frameType.open] = 512;
  limits[frameType.message] = fragmentBytes;
  // The length of the whole message comes first.
  limits[frameType.firstPart] = fragmentBytes + 4;
  limits[frameType.part] = fragmentBytes;
  for (const type of [frameType.refuse, frameType.goodbye, frameType.reject, frameType.abort]) limits[type] = maxReasonBytes;
  return limits;
}

/** Cuts chunks of bytes into frames. A frame that lies within one chunk is handed out as a view of it. */
export class FrameReader {
  private readonly header = Buffer.alloc(headerBytes);
  private headerFilled = 0;
  /** The frame under way: its length field and its payload. */
  private body: Buffer | undefined;
  private bodyFilled = 0;
  private broken = false;

  constructor(private readonly limits: Int32Array) {}

  /** Reads from `at` on; returns where it stopped, which is before the end only when the sink asked for it. */
  push(chunk: Buffer, at: number, sink: FrameSink): number {
    let next = at;
    let goOn = true;
    while (goOn && next < chunk.length && !this.broken) {
      if (this.body !== undefined) {
        const taken = this.fill(this.body, this.bodyFilled, chunk, next);
        next += taken;
        this.bodyFilled += taken;
        if (this.bodyFilled === this.body.length) goOn = this.finishBody(this.body, sink);
      } else if (this.headerFilled === 0 && chunk.length - next >= headerBytes) {
        const from = next;
        const length = this.payloadLength(chunk, from, sink);
        if (length < 0) break;
        next += headerBytes;
        if (chunk.length - next >= length) {
          goOn = sink.onFrame(chunk[from] as number, chunk.readUIntBE(from + 1, 3), chunk.readUInt32BE(from + 4), chunk, next, true);
          next += length;
        } else {
          chunk.copy(this.header, 0, from, next);
          this.startBody(length);
        }
      } else {
        const taken = this.fill(this.header, this.headerFilled, chunk, next);
        next += taken;
        this.headerFilled += taken;
        if (this.headerFilled < headerBytes) continue;
        this.headerFilled = 0;
        const length = this.payloadLength(this.header, 0, sink);
        if (length < 0) break;
        // A frame that ends with its header must not wait for the next chunk.
        if (length === 0) goOn = this.emit(this.header, headerBytes, sink);
        else this.startBody(length);
      }
    }
    return this.broken ? chunk.length : next;
  }

  private startBody(length: number): void {
    const body = Buffer.allocUnsafe(4 + length);
    this.header.copy(body, 0, 4, headerBytes);
    this.body = body;
    this.bodyFilled = 4;
  }

  private finishBody(body: Buffer, sink: FrameSink): boolean {
    this.body = undefined;
    return this.emit(body, 4, sink);
  }

  private emit(bytes: Buffer, at: number, sink: FrameSink): boolean {
    return sink.onFrame(this.header[0] as number, this.header.readUIntBE(1, 3), this.header.readUInt32BE(4), bytes, at, false);
  }

  private fill(target: Buffer, filled: number, chunk: Buffer, at: number): number {
    const taken = Math.min(target.length - filled, chunk.length - at);
    chunk.copy(target, filled, at, at + taken);
    return taken;
  }

  /** -1 when these bytes are no header. */
  private payloadLength(bytes: Buffer, at: number, sink: FrameSink): number {
    const type = bytes[at] as number;
    const limit = this.limits[type] as number;
    if (limit < 0) return this.refuse(sink, `it sent a frame of type ${type}, which is not known`);
    if (limit === 0) return 0;
    const length = bytes.readUInt32BE(at + 4);
    if (length > limit) return this.refuse(sink, `it announced a frame of ${length} bytes, more than ${limit}`);
    return length;
  }

  private refuse(sink: FrameSink, reason: string): number {
    this.broken = true;
    sink.onGarbage(reason);
    return -1;
  }
}
