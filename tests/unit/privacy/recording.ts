import type { Channel } from '../../../src/privacy/channel.js';
import { type MessageKind, messageHeaderBytes, messageKinds } from '../../../src/privacy/message-link.js';

export interface ReceivedMessage {
  readonly receiver: string;
  readonly sender: string;
  readonly kind: MessageKind;
  readonly payload: Uint8Array;
}

/** Wraps every channel of a run so that all that each party receives is kept. */
export class Recorder {
  readonly messages: ReceivedMessage[] = [];

  readonly wrap = (channel: Channel, receiver: string): Channel => {
    const receive = async (): Promise<Uint8Array> => {
      const message = await channel.receive();
      const kind = Object.entries(messageKinds).find(([, value]) => value === message[0])?.[0];
      this.messages.push({ receiver, sender: channel.peer, kind: kind as MessageKind, payload: message.slice(messageHeaderBytes) });
      return message;
    };
    return {
      peer: channel.peer,
      counters: channel.counters,
      transcript: () => channel.transcript(),
      send: (message) => channel.send(message),
      receive,
      close: () => channel.close(),
      abort: (reason) => channel.abort(reason),
    };
  };

  kindsOf(receiver: string): MessageKind[] {
    return [...new Set(this.messages.filter((message) => message.receiver === receiver).map(({ kind }) => kind))];
  }

  /** Everything of these kinds that a party received, one after the other. */
  bytesOf(receiver: string, kinds: readonly MessageKind[]): Uint8Array {
    return Buffer.concat(
      this.messages.filter((message) => message.receiver === receiver && kinds.includes(message.kind)).map(({ payload }) => payload),
    );
  }
}

/** Chi-square statistic of byte values against the uniform distribution: 255 degrees of freedom. */
export function chiSquare(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  const expected = bytes.byteLength / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/**
 * Uniform bytes stay below this but for about one test in ten million (Wilson-Hilferty: 5.2 standard deviations). With some hundred
 * statistics in a run of the tests, a false alarm comes once in a hundred thousand runs.
 */
export const chiSquareLimit = 255 * (1 - 2 / (9 * 255) + 5.2 * Math.sqrt(2 / (9 * 255))) ** 3;

/** Statistic of all bytes, and of the highest and the lowest byte of every 64-bit word, where a small value would show. */
export function wordStatistics(bytes: Uint8Array): { all: number; top: number; bottom: number } {
  const every = (offset: number): Uint8Array => bytes.filter((_, i) => i % 8 === offset);
  return { all: chiSquare(bytes), top: chiSquare(every(7)), bottom: chiSquare(every(0)) };
}
