import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, type FrameSink, frameType, headerBytes, payloadLimits } from '../../../src/peers/link/frames.js';
import { SendBuffer } from '../../../src/peers/link/send-buffer.js';
import { payload } from './link-world.js';

const limits = payloadLimits(1 << 16);

class Collector implements FrameSink {
  readonly frames: { type: number; id: number; value: number; payload: string }[] = [];
  garbage: string | undefined;
  constructor(private readonly goOn: () => boolean = () => true) {}

  onFrame(type: number, id: number, value: number, bytes: Buffer, at: number): boolean {
    const length = (limits[type] as number) > 0 ? value : 0;
    if (length > 0 || type === frameType.message) expect(bytes.readUInt32BE(at - 4)).toBe(value);
    this.frames.push({ type, id, value, payload: bytes.toString('hex', at, at + length) });
    return this.goOn();
  }

  onGarbage(reason: string): void {
    this.garbage = reason;
  }
}

const frames = fc.array(
  fc.record({
    type: fc.constantFrom(frameType.message, frameType.part, frameType.credit, frameType.heartbeat, frameType.abort),
    id: fc.integer({ min: 0, max: 0xffffff }),
    length: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 1_000 })),
  }),
  { minLength: 1, maxLength: 30 },
);

/** All frames as one piece of bytes, written by the buffer that links send from. */
function written(list: readonly { type: number; id: number; length: number }[]): Buffer {
  const buffer = new SendBuffer();
  for (const { type, id, length } of list) {
    const size = (limits[type] as number) > 0 ? length : 0;
    const at = buffer.frame(type, id, length, size);
    buffer.bytes.set(payload(length, size), at);
  }
  const pieces: Buffer[] = [];
  for (let bytes = buffer.nextUnsent(); bytes !== undefined; bytes = buffer.nextUnsent()) pieces.push(Buffer.from(bytes));
  return Buffer.concat(pieces);
}

describe('frames', () => {
  it('are the same however they are cut into chunks, and however often the reader is told to stop', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), fc.boolean(), (list, cuts, stops) => {
        const bytes = written(list);
        const collector = new Collector(() => !stops);
        const reader = new FrameReader(limits);
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const chunk = bytes.subarray(at, at + (cuts[turn % cuts.length] as number));
          for (let from = 0; from < chunk.length; ) from = reader.push(chunk, from, collector);
          at += chunk.length;
        }
        expect(collector.garbage).toBeUndefined();
        expect(collector.frames).toEqual(
          list.map(({ type, id, length }) => ({
            type,
            id,
            value: length,
            payload: Buffer.from(payload(length, (limits[type] as number) > 0 ? length : 0)).toString('hex'),
          })),
        );
      }),
    );
  });

  it('that are none stop the reader for good, before anything is made for them', () => {
    const collector = new Collector();
    const reader = new FrameReader(limits);
    const chunk = Buffer.alloc(64);
    chunk[0] = frameType.message;
    chunk.writeUInt32BE(0x7fffffff, 4);
    expect(reader.push(chunk, 0, collector)).toBe(64);
    expect(collector.garbage).toContain('2147483647 bytes');
    expect(reader.push(written([{ type: frameType.heartbeat, id: 1, length: 0 }]), 0, collector)).toBe(headerBytes);
    expect(collector.frames).toEqual([]);
  });
});

describe('the buffer that a link sends from', () => {
  type Step = { readonly write: number } | { readonly acknowledge: number } | { readonly send: true } | { readonly rewind: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ write: fc.integer({ min: 0, max: 65_536 }) }),
    fc.record({ acknowledge: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ send: fc.constant(true as const) }),
    fc.record({ rewind: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );

  it('sends every byte in order, again from where a new connection starts, and forgets what has arrived', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const buffer = new SendBuffer();
        let all = Buffer.alloc(0);
        let [acknowledged, sent, highest] = [0, 0, 0];
        for (const [number, next] of steps.entries()) {
          if ('write' in next) {
            const at = buffer.frame(frameType.message, number, next.write, next.write);
            buffer.bytes.set(payload(number, next.write), at);
            all = Buffer.concat([all, buffer.bytes.subarray(at - headerBytes, at + next.write)]);
          } else if ('acknowledge' in next) {
            expect(buffer.acknowledge(sent + 1)).toBe(false);
            acknowledged += Math.floor(next.acknowledge * (sent - acknowledged));
            expect(buffer.acknowledge(acknowledged)).toBe(true);
            expect(buffer.acknowledge(Math.max(0, acknowledged - 5))).toBe(true);
          } else if ('rewind' in next) {
            const offset = acknowledged + Math.floor(next.rewind * (highest - acknowledged));
            expect(buffer.rewind(offset)).toBe(true);
            acknowledged = offset;
            sent = offset;
          } else {
            for (let bytes = buffer.nextUnsent(); bytes !== undefined; bytes = buffer.nextUnsent()) {
              expect(bytes.equals(all.subarray(sent, sent + bytes.length))).toBe(true);
              sent += bytes.length;
            }
            expect(sent).toBe(all.length);
            highest = sent;
          }
          expect(buffer.offset).toBe(all.length);
          expect(buffer.unacknowledgedBytes).toBe(all.length - acknowledged);
          expect(buffer.unsentBytes).toBe(all.length - sent);
        }
        expect(buffer.rewind(highest + 1)).toBe(false);
        if (acknowledged > 0) expect(buffer.rewind(acknowledged - 1)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});
