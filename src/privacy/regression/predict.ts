import { ToolkitError } from '../../errors/toolkit-error.js';
import { agreeOnTerms, type Terms } from '../handshake.js';
import { agreeOnStreams, keyBytes } from '../key-agreement.js';
import { MessageLink } from '../message-link.js';
import { runParty } from '../party.js';
import type { RandomSource } from '../random-source.js';
import { RingMemory } from '../ring/ring-memory.js';
import type { Columns } from './columns.js';
import type { Role } from './joint-options.js';
import { type BankLinks, type DealerLinks, sayDone } from './joint-session.js';
import { contributions, type ModelPart } from './model-part.js';

export interface PredictOptions {
  readonly jobDigest: string;
  readonly rows: number;
  /** Who gets the scores. */
  readonly scoresTo: Role;
}

export interface PredictInput {
  readonly part: ModelPart;
  /** Raw columns, as they were given to the fit; in any order, found by name. */
  readonly columns: Columns;
}

/** Scores travel at this many bits after the point. */
const scoreBits = 32;
const largestScore = 2 ** 30;

/**
 * Joint scores of aligned rows by a model whose parts lie with the owners of the columns: each bank adds up its own part in
 * clear, and the recipient gets the sums.
 *
 * To a bank: the other bank sends its sums, which that bank could subtract from the scores anyway. To the third party: the banks agree on a mask
 * (X25519 on their own link) that one adds and the other takes off, so that the third party sees nothing but the sums; it must
 * not collude with a bank. Semi-honest.
 * Learned: by the recipient the score of each row; a bank that is recipient thereby learns the other's contribution to it. Rounds: 1 after the
 * handshake. Bytes: 8 a row from each sender.
 * Returns the scores (logits, or values of a linear model) at the recipient, else undefined.
 * Errors: DT_INPUT_COLUMN before any message; DT_PEER_TERMS when row counts or recipients differ; DT_PEER_* afterwards.
 */
export function predictBank(
  links: BankLinks,
  bank: 0 | 1,
  options: PredictOptions,
  input: PredictInput,
  random: RandomSource,
): Promise<Float64Array | undefined> {
  return runParty([links.otherBank, links.dealer], async () => {
    const own = ownScores(options, bank, input);
    const other = new MessageLink(links.otherBank);
    const third = new MessageLink(links.dealer);
    const [digest] = await Promise.all([agreeOnTerms(other, predictTerms(options)), agreeOnTerms(third, predictTerms(options))]);
    const ring = new RingMemory();
    const { rows, scoresTo } = options;
    const words = ring.allocate(rows);
    const second = ring.allocate(rows);
    ring.doubles(words, rows).set(own);
    ring.kernels.encode(words, words, 2 ** scoreBits, rows);
    let scores: Float64Array | undefined;
    if (scoresTo === `bank${bank}`) {
      await other.receiveParts('partialScores', ring.bytes(second, 8 * rows));
      scores = decodeSum(ring, words, second, rows);
    } else if (scoresTo === 'dealer') {
      (await agreeOnStreams(other, digest, random.bytes(keyBytes))).stream('scores').fill(ring.bytes(second, 8 * rows));
      if (bank === 0) ring.kernels.add(words, words, second, rows);
      else ring.kernels.subtract(words, words, second, rows);
      await third.sendParts('partialScores', ring.bytes(words, 8 * rows));
    } else {
      await other.sendParts('partialScores', ring.bytes(words, 8 * rows));
    }
    await sayDone([other, third]);
    return scores;
  });
}

/** The third party's side. */
export function predictThird(links: DealerLinks, options: PredictOptions): Promise<Float64Array | undefined> {
  return runParty(links.banks, async () => {
    const banks = [new MessageLink(links.banks[0]), new MessageLink(links.banks[1])] as const;
    await Promise.all(banks.map((bank) => agreeOnTerms(bank, predictTerms(options))));
    let scores: Float64Array | undefined;
    if (options.scoresTo === 'dealer') {
      const ring = new RingMemory();
      const [first, second] = [ring.allocate(options.rows), ring.allocate(options.rows)];
      await banks[0].receiveParts('partialScores', ring.bytes(first, 8 * options.rows));
      await banks[1].receiveParts('partialScores', ring.bytes(second, 8 * options.rows));
      scores = decodeSum(ring, first, second, options.rows);
    }
    await sayDone(banks);
    return scores;
  });
}

function ownScores(options: PredictOptions, bank: 0 | 1, { part, columns }: PredictInput): Float64Array {
  if (part.owner !== `bank${bank}`)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The part of the model', reason: `it belongs to ${part.owner}` });
  if (columns.rows !== options.rows)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The table', reason: `it has ${columns.rows} rows, not ${options.rows}` });
  const scores = contributions(part, columns);
  const row = scores.findIndex((score) => !(Math.abs(score) < largestScore));
  if (row >= 0) throw new ToolkitError('DT_INPUT_INVALID', { what: 'The table', reason: `the score of row ${row} is out of range` });
  return scores;
}

function predictTerms(options: PredictOptions): Terms {
  return { protocol: 'joint-predict', version: 1, ...options };
}

function decodeSum(ring: RingMemory, a: number, b: number, rows: number): Float64Array {
  ring.kernels.add(a, a, b, rows);
  ring.kernels.decode(a, a, 2 ** -scoreBits, rows);
  return ring.doubles(a, rows).slice();
}
