import type { Channel } from '../../../src/privacy/channel.js';
import { agreeOnTerms } from '../../../src/privacy/handshake.js';
import { agreeOnStreams, keyBytes } from '../../../src/privacy/key-agreement.js';
import { type MemoryChannelOptions, memoryChannelPair } from '../../../src/privacy/memory-channel.js';
import { MessageLink } from '../../../src/privacy/message-link.js';
import { type RandomSource, seededRandom, systemRandom } from '../../../src/privacy/random-source.js';
import { RingMemory } from '../../../src/privacy/ring/ring-memory.js';
import { BankArithmetic } from '../../../src/privacy/sharing/bank-arithmetic.js';
import { DealerArithmetic } from '../../../src/privacy/sharing/dealer-arithmetic.js';
import type { Arithmetic } from '../../../src/privacy/sharing/secret.js';

/** The six channel ends of two banks and a dealer. */
export interface Triangle {
  readonly bank0: { readonly otherBank: Channel; readonly dealer: Channel };
  readonly bank1: { readonly otherBank: Channel; readonly dealer: Channel };
  readonly dealer: { readonly banks: readonly [Channel, Channel] };
}

export function triangle(
  options: MemoryChannelOptions = {},
  wrap: (channel: Channel, owner: string) => Channel = (channel) => channel,
): Triangle {
  const [a, b] = memoryChannelPair({ ...options, names: ['bank0', 'bank1'] });
  const [c, d] = memoryChannelPair({ ...options, names: ['bank0', 'dealer'] });
  const [e, f] = memoryChannelPair({ ...options, names: ['bank1', 'dealer'] });
  return {
    bank0: { otherBank: wrap(a, 'bank0'), dealer: wrap(c, 'bank0') },
    bank1: { otherBank: wrap(b, 'bank1'), dealer: wrap(e, 'bank1') },
    dealer: { banks: [wrap(d, 'dealer'), wrap(f, 'dealer')] },
  };
}

export interface ArithmeticParty {
  readonly arithmetic: Arithmetic;
  readonly ring: RingMemory;
  /** 0 or 1 for the banks. */
  readonly bank: 0 | 1 | undefined;
}

export function testRandom(seed: number | undefined, party: number): RandomSource {
  return seed === undefined
    ? systemRandom()
    : seededRandom(Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? party : (seed >> (i % 4)) & 255)));
}

/** Runs one program at all three parties and returns what each one returned: bank 0, bank 1, dealer. */
export async function runArithmetic<Result>(
  program: (party: ArithmeticParty) => Promise<Result>,
  links: Triangle = triangle(),
  seed?: number,
): Promise<[Result, Result, Result]> {
  const terms = { protocol: 'test', version: 1 };
  const bank = async (index: 0 | 1): Promise<Result> => {
    const ends = index === 0 ? links.bank0 : links.bank1;
    const dealer = new MessageLink(ends.dealer);
    const streams = await agreeOnStreams(dealer, await agreeOnTerms(dealer, terms), testRandom(seed, index).bytes(keyBytes));
    const ring = new RingMemory();
    const arithmetic = new BankArithmetic({ first: index === 0, other: new MessageLink(ends.otherBank), dealer, streams, ring });
    return program({ arithmetic, ring, bank: index });
  };
  const dealer = async (): Promise<Result> => {
    const banks = [new MessageLink(links.dealer.banks[0]), new MessageLink(links.dealer.banks[1])] as const;
    const [digest] = await Promise.all([agreeOnTerms(banks[0], terms), agreeOnTerms(banks[1], terms)]);
    const random = testRandom(seed, 2);
    const streams = [
      await agreeOnStreams(banks[0], digest, random.bytes(keyBytes)),
      await agreeOnStreams(banks[1], digest, random.bytes(keyBytes)),
    ] as const;
    const ring = new RingMemory();
    return program({ arithmetic: new DealerArithmetic({ banks, streams, ring }), ring, bank: undefined });
  };
  return Promise.all([bank(0), bank(1), dealer()]);
}

/** Shares that sum to the words: the first bank writes words - mask, the second the mask. */
export function shareWords(words: readonly bigint[], masks: readonly bigint[], bank: 0 | 1 | undefined): BigInt64Array {
  return BigInt64Array.from(words, (word, i) => BigInt.asIntN(64, bank === 0 ? word - (masks[i] as bigint) : (masks[i] as bigint)));
}
