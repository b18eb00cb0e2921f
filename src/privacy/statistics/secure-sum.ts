import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../channel.js';
import { agreeOnTerms, type Terms } from '../handshake.js';
import { agreeOnStreams, keyBytes } from '../key-agreement.js';
import { MessageLink } from '../message-link.js';
import { runParty } from '../party.js';
import type { RandomSource } from '../random-source.js';
import { requireOption } from '../regression/joint-options.js';
import { sayDone } from '../regression/joint-session.js';
import { decodeTotal, encodeValue } from './fixed-point.js';

/** What all parties of a sum agree on. All of it is public to them. */
export interface SumOptions {
  /** SHA-256 (hex) of the job spec. */
  readonly jobDigest: string;
  /** What is summed, in this order: the names of the values that every contributor brings. */
  readonly names: readonly string[];
  /** Every seat of the job; each has a link to each. */
  readonly parties: readonly string[];
  /** Seats with values. */
  readonly contributors: readonly string[];
  /** Seats that get the sums. */
  readonly recipients: readonly string[];
  /** Largest absolute value that one contributor may bring; 2^40 (about 10^12) by default. */
  readonly largest: number;
  /** Values are rounded to 2^-fractionBits; 16 by default. */
  readonly fractionBits: number;
  /** Of two contributors, one that gets the sum learns the other's value: refused unless this is set. */
  readonly allowTwo: boolean;
}

export const sumDefaults = { largest: 2 ** 40, fractionBits: 16, allowTwo: false } as const satisfies Partial<SumOptions>;

/** One party and its links; an OperatorSession is one. */
export interface SumParty {
  readonly seat: string;
  channel(seat: string): Channel;
}

const mostNames = 1000;
/** Terms travel in one small message. */
const longestNames = 8 * 1024;

/**
 * Sums of one value, or of a list of values, of each contributor. Each two contributors agree on a stream of masks (X25519 on their own
 * link); of each pair one adds the mask and the other subtracts it, modulo 2^64, so that what a recipient gets of one contributor
 * is uniform, and only the sum over all of them has no mask left.
 *
 * Trust: semi-honest parties, no dealer. A contributor can falsify the sum by lying about its value; nobody can notice that, here or elsewhere.
 * Learned: by the recipients the sums, by everyone else nothing but the options. What follows from a sum follows: n - 1 contributors that pool what
 * they know, one of them or a helper of theirs a recipient, learn the value of the last. So a contributor is never recipient with one other
 * unless `allowTwo`, and never with none; and whoever runs two jobs that differ in one contributor learns that one's value.
 * Rounds: 4 (terms, keys, masked values, done). Bytes: terms, 40 for the key on each link between contributors, 8 for each value from every
 * contributor to every recipient; nothing depends on the values.
 * Fixed point: each value is rounded to 2^-fractionBits; contributors x largest x 2^fractionBits stays below 2^62, so the sum cannot wrap.
 * Source: D. Chaum, "The Dining Cryptographers Problem", J. Cryptology 1, 1988; with keyed masks between pairs in Bonawitz et al., "Practical
 * Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017, section 4.0. A party that leaves ends the run: there is no recovery.
 *
 * @param values a number for each name at a contributor, undefined at a helper
 * @returns the sums, in the order of the names, at a recipient; undefined elsewhere
 * @throws DT_INPUT_INVALID before any message, naming the value that is out of range; DT_PEER_TERMS; DT_PEER_* afterwards, on every side
 */
export function secureSum(
  party: SumParty,
  options: SumOptions,
  values: readonly number[] | undefined,
  random: RandomSource,
): Promise<Float64Array | undefined> {
  const others = options.parties.filter((seat) => seat !== party.seat);
  const channels = new Map(others.map((seat) => [seat, party.channel(seat)]));
  return runParty([...channels.values()], async () => {
    checkSumOptions(party.seat, options);
    const own = encodeOwn(party.seat, options, values);
    const links = new Map([...channels].map(([seat, channel]) => [seat, new MessageLink(channel)]));
    // Before anything is awaited, so that a run can be repeated.
    const secretKeys = new Map(options.contributors.map((seat) => [seat, random.bytes(keyBytes)]));
    const meet = async ([seat, link]: readonly [string, MessageLink]): Promise<void> => {
      const digest = await agreeOnTerms(link, sumTerms(options));
      const secretKey = secretKeys.get(seat);
      if (own === undefined || secretKey === undefined) return;
      const { contributors } = options;
      const adds = contributors.indexOf(party.seat) < contributors.indexOf(seat);
      applyMask(own, (await agreeOnStreams(link, digest, secretKey)).stream('sum'), adds);
    };
    await Promise.all([...links].map(meet));
    const total = await exchange(party.seat, options, links, own);
    const sums = total && decode(options, total);
    await sayDone([...links.values()]);
    return sums;
  });
}

/** Every contributor's words to every recipient; the sum of them, with its own, at a recipient. */
async function exchange(
  seat: string,
  { contributors, recipients, names }: SumOptions,
  links: ReadonlyMap<string, MessageLink>,
  own: BigUint64Array | undefined,
): Promise<BigUint64Array | undefined> {
  const total = recipients.includes(seat) ? new BigUint64Array(names.length) : undefined;
  await Promise.all(
    [...links].map(async ([other, link]) => {
      const sends = own !== undefined && recipients.includes(other);
      if (sends) await link.sendParts('maskedValues', new Uint8Array(own.buffer));
      if (total === undefined || !contributors.includes(other)) return;
      const received = new BigUint64Array(names.length);
      await link.receiveParts('maskedValues', new Uint8Array(received.buffer));
      addTo(total, received);
    }),
  );
  if (total !== undefined && own !== undefined) addTo(total, own);
  return total;
}

/** Errors: DT_INPUT_INVALID, naming the option. */
function checkSumOptions(seat: string, options: SumOptions): void {
  const { parties, contributors, recipients, names, largest, fractionBits, allowTwo, jobDigest } = options;
  requireOption(typeof jobDigest === 'string' && jobDigest !== '', 'jobDigest', 'it is missing');
  requireOption(names.length > 0 && names.length <= mostNames, 'names', `${names.length} is not in 1 to ${mostNames}`);
  requireOption(Buffer.byteLength(JSON.stringify(names)) <= longestNames, 'names', `together they have more than ${longestNames} bytes`);
  requireOption(typeof allowTwo === 'boolean', 'allow_two', 'it is neither true nor false');
  requireOption(parties.includes(seat), 'parties', `this one, seat ${seat}, is missing`);
  for (const [what, seats] of [
    ['parties', parties],
    ['contributors', contributors],
    ['recipients', recipients],
  ] as const) {
    requireOption(new Set(seats).size === seats.length, what, 'a seat is named twice');
    for (const other of seats) requireOption(parties.includes(other), what, `there is no seat ${other}`);
  }
  requireOption(recipients.length > 0, 'recipients', 'nobody would get the sum');
  const contributorsThatLearn = recipients.filter((recipient) => contributors.includes(recipient));
  const least = contributorsThatLearn.length > 0 && !allowTwo ? 3 : 2;
  const why = least === 3 ? 'of two, each would learn the value of the other from the sum' : 'the sum of one is its value';
  requireOption(contributors.length >= least, 'contributors', `there are ${contributors.length}, at least ${least} are needed: ${why}`);
  requireOption(
    Number.isSafeInteger(fractionBits) && fractionBits >= 0 && fractionBits <= 40,
    'fractionBits',
    `${fractionBits} is not in 0 to 40`,
  );
  requireOption(
    largest > 0 && contributors.length * largest * 2 ** fractionBits <= 2 ** 62,
    'largest',
    `${contributors.length} times ${largest} does not fit into 62 bits with ${fractionBits} after the point`,
  );
}

function sumTerms(options: SumOptions): Terms {
  const { names, parties, contributors, recipients, ...rest } = options;
  const list = (items: readonly string[]): string => JSON.stringify(items);
  const lists = { names: list(names), contributors: list(contributors), recipients: list(recipients), parties: list(parties) };
  return { protocol: 'secure-sum', version: 1, ...rest, ...lists };
}

function encodeOwn(seat: string, options: SumOptions, values: readonly number[] | undefined): BigUint64Array | undefined {
  const contributes = options.contributors.includes(seat);
  const count = contributes ? options.names.length : 0;
  requireOption((values?.length ?? 0) === count, `The list of values of seat ${seat}`, `it has ${values?.length ?? 0} and not ${count}`);
  if (!contributes || values === undefined) return undefined;
  return BigUint64Array.from(values, (value, i) => encodeValue(value, options, options.names[i] ?? ''));
}

function applyMask(own: BigUint64Array, stream: { fill(target: Uint8Array): void }, adds: boolean): void {
  const mask = new BigUint64Array(own.length);
  stream.fill(new Uint8Array(mask.buffer));
  addTo(own, adds ? mask : mask.map((word) => -word));
}

/** Modulo 2^64, which is what a BigUint64Array keeps of a number. */
function addTo(target: BigUint64Array, words: BigUint64Array): void {
  words.forEach((word, i) => {
    target[i] = (target[i] ?? 0n) + word;
  });
}

function decode(options: SumOptions, total: BigUint64Array): Float64Array {
  return Float64Array.from(total, (word, i) => {
    const sum = decodeTotal(word, options);
    // A word that somebody made up is almost never in this range.
    if (sum !== undefined) return sum;
    const reason = `the sum of "${options.names[i]}" is beyond what the parties may bring, so one of them did not keep to the protocol`;
    throw new ToolkitError('DT_PEER_PROTOCOL', { peer: 'One of the parties', reason });
  });
}
