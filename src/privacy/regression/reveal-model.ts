import { type MessageLink, messageHeaderBytes } from '../message-link.js';
import type { RingMemory } from '../ring/ring-memory.js';
import type { Role } from './joint-options.js';
import type { BankSession, DealerSession } from './joint-session.js';
import { type ModelPart, modelPart, type PartFrame } from './model-part.js';
import type { SplitWeights } from './split-weights.js';

export interface BankReveal {
  readonly session: BankSession;
  readonly weights: SplitWeights;
  readonly frame: PartFrame;
  /** Fitted values of each bank, the intercept counted. */
  readonly widths: readonly [number, number];
  readonly weightBits: number;
  readonly modelTo: 'owners' | Role;
}

const maxFrameBytes = 1 << 20;

/**
 * Opens the fitted weights, to each owner those of its columns or to one party all of them.
 * Learned: the named weights by the named party; the recipient of a whole model also how each bank prepared its columns (means,
 * deviations, for a whitened fit the whitening matrix). Rounds: 1. Returns the parts that this bank got.
 */
export async function revealToBank(reveal: BankReveal): Promise<ModelPart[]> {
  const { session, weights, frame, widths, modelTo } = reveal;
  const me = session.first ? 0 : 1;
  const [own, other] = [widths[me], widths[1 - me] as number];
  const { ring } = session;
  const visible = ring.words(weights.visible, own).slice();
  const otherMask = ring.words(weights.otherMask, other).slice();
  if (modelTo === 'owners') {
    const [, mask] = await Promise.all([sendWords(session.other, otherMask), receiveWords(session.other, own)]);
    return [modelPart(frame, decodeSum(ring, visible, mask, reveal.weightBits))];
  }
  if (modelTo === frame.owner) {
    const theirs = await receiveFrame(session.other, me === 0 ? 'bank1' : 'bank0', other);
    const theirVisible = await receiveWords(session.other, other);
    const mask = await receiveWords(session.other, own);
    const parts = [
      modelPart(frame, decodeSum(ring, visible, mask, reveal.weightBits)),
      modelPart(theirs, decodeSum(ring, theirVisible, otherMask, reveal.weightBits)),
    ];
    return session.first ? parts : parts.reverse();
  }
  const recipient = modelTo === 'dealer' ? session.dealer : session.other;
  await sendFrame(recipient, frame);
  await sendWords(recipient, visible);
  await sendWords(recipient, otherMask);
  return [];
}

/** The dealer's part: all weights when it is the named recipient, else nothing. */
export async function revealToDealer(
  session: DealerSession,
  widths: readonly [number, number],
  weightBits: number,
  modelTo: 'owners' | Role,
): Promise<ModelPart[]> {
  if (modelTo !== 'dealer') return [];
  const { ring, banks } = session;
  const frames = [await receiveFrame(banks[0], 'bank0', widths[0]), await receiveFrame(banks[1], 'bank1', widths[1])] as const;
  const visible = [await receiveWords(banks[0], widths[0]), await receiveWords(banks[1], widths[1])] as const;
  const masks = [await receiveWords(banks[1], widths[0]), await receiveWords(banks[0], widths[1])] as const;
  return [0, 1].map((bank) => {
    const index = bank as 0 | 1;
    return modelPart(frames[index], decodeSum(ring, visible[index], masks[index], weightBits));
  });
}

function decodeSum(ring: RingMemory, a: BigInt64Array, b: BigInt64Array, bits: number): Float64Array {
  const mark = ring.mark();
  const at = ring.allocate(2 * a.length);
  ring.words(at, a.length).set(a);
  ring.words(at + 8 * a.length, b.length).set(b);
  ring.kernels.add(at, at, at + 8 * a.length, a.length);
  ring.kernels.decode(at, at, 2 ** -bits, a.length);
  const values = ring.doubles(at, a.length).slice();
  ring.release(mark);
  return values;
}

function sendWords(link: MessageLink, words: BigInt64Array): Promise<void> {
  const framed = new Uint8Array(messageHeaderBytes + words.byteLength);
  framed.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), messageHeaderBytes);
  return link.send('model', framed);
}

async function receiveWords(link: MessageLink, count: number): Promise<BigInt64Array> {
  const words = new BigInt64Array(count);
  new Uint8Array(words.buffer).set(await link.receive('model', count * 8));
  return words;
}

function sendFrame(link: MessageLink, frame: PartFrame): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(frame), 'utf8');
  const framed = new Uint8Array(messageHeaderBytes + bytes.byteLength);
  framed.set(bytes, messageHeaderBytes);
  return link.send('model', framed);
}

async function receiveFrame(link: MessageLink, owner: 'bank0' | 'bank1', width: number): Promise<PartFrame> {
  const text = Buffer.from(await link.receiveUpTo('model', maxFrameBytes)).toString('utf8');
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    frame = undefined;
  }
  if (!isPartFrame(frame, owner, width)) throw link.broken('its description of its columns is not readable');
  return frame;
}

function isPartFrame(value: unknown, owner: 'bank0' | 'bank1', width: number): value is PartFrame {
  if (typeof value !== 'object' || value === null) return false;
  const frame: Partial<Record<keyof PartFrame, unknown>> = value;
  const { columns, transform, centers } = frame;
  if (frame.owner !== owner || typeof frame.intercept !== 'boolean' || !isFinite64(frame.clip) || !Array.isArray(columns)) return false;
  if (columns.length + (frame.intercept ? 1 : 0) !== width || !columns.every(isColumn)) return false;
  return isNumbers(transform, width * width) && isNumbers(centers, columns.length);
}

function isColumn(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const column: { name?: unknown; mean?: unknown; deviation?: unknown } = value;
  return typeof column.name === 'string' && isFinite64(column.mean) && isFinite64(column.deviation);
}

function isNumbers(value: unknown, length: number): boolean {
  return value === undefined || (Array.isArray(value) && value.length === length && value.every(isFinite64));
}

function isFinite64(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
