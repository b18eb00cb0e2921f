import type { Interface } from 'ethers/abi';

export interface DecodedEvent {
  readonly name: string;
  /** In the order of the event's declaration: integers as bigint, addresses and words in hex. */
  readonly args: readonly unknown[];
}

const WORD = 64;

/**
 * The events of one contract, out of topics and data in hex. It knows the types that they have: whole words, texts, lists of integers. A tracer
 * reads a million of them, and the decoder of ethers takes a hundred times as long for one.
 */
export class EventDecoder {
  readonly #events = new Map<string, { name: string; inputs: readonly { type: string; indexed: boolean }[] }>();

  /** @throws TypeError for an event with a type that it does not know */
  constructor(abi: Interface) {
    abi.forEachEvent(({ name, topicHash, inputs }) => {
      for (const { type } of inputs)
        if (!/^(uint\d+|address|bytes32|bool|string|uint256\[\])$/.test(type))
          throw new TypeError(`an event cannot have the type ${type} here`);
      this.#events.set(topicHash, { name, inputs: inputs.map(({ type, indexed }) => ({ type, indexed: indexed === true })) });
    });
  }

  /** undefined: no event of this contract. @throws RangeError when topics or data are too short */
  decode(topics: readonly string[], data: string): DecodedEvent | undefined {
    const event = this.#events.get(topics[0] ?? '');
    if (event === undefined) return undefined;
    let topic = 1;
    let head = 2;
    const args = event.inputs.map(({ type, indexed }) => {
      if (indexed) return staticValue(type, wordAt(topics[topic++] ?? '', 2));
      const word = wordAt(data, head);
      head += WORD;
      if (type === 'string') return textAt(data, lengthOf(word));
      if (type === 'uint256[]') return listAt(data, lengthOf(word));
      return staticValue(type, word);
    });
    return { name: event.name, args };
  }
}

function wordAt(hex: string, at: number): string {
  if (at + WORD > hex.length) throw new RangeError('a log is too short');
  return hex.slice(at, at + WORD);
}

/** An offset or a length in bytes; what is beyond any log is as wrong as what is beyond this one. */
function lengthOf(word: string): number {
  return Number.parseInt(word, 16);
}

function staticValue(type: string, word: string): unknown {
  if (type === 'address') return `0x${word.slice(24)}`;
  if (type === 'bytes32') return `0x${word}`;
  if (type === 'bool') return BigInt(`0x${word}`) !== 0n;
  return BigInt(`0x${word}`);
}

/** Anyone may have written bytes that are no UTF-8: that text, and only that, becomes a replacement character. */
function textAt(data: string, offset: number): string {
  const start = 2 + offset * 2;
  const end = start + WORD + lengthOf(wordAt(data, start)) * 2;
  if (end > data.length) throw new RangeError('a log is too short');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(data.slice(start + WORD, end), 'hex'));
  } catch {
    return '\u{fffd}';
  }
}

function listAt(data: string, offset: number): readonly bigint[] {
  const start = 2 + offset * 2;
  const length = lengthOf(wordAt(data, start));
  if (start + WORD + length * WORD > data.length) throw new RangeError('a log is too short');
  return Array.from({ length }, (_, i) => BigInt(`0x${wordAt(data, start + WORD * (i + 1))}`));
}
