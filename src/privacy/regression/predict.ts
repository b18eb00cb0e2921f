import { ToolkitError } from '../../errors/toolkit-error.js';
import { agreeOnTerms, type Terms } from '../handshake.js';
import { agreeOnStreams, keyBytes } from '../key-agreement.js';
import { MessageLink, messageHeaderBytes } from '../message-link.js';
import { runParty } from '../party.js';
import type { RandomSource } from '../random-source.js';
import { RingMemory } from '../ring/ring-memory.js';
import type { Columns } from './columns.js';
import type { Role } from './joint-options.js';
import { type BankLinks, type DealerLinks, sayDone } from './joint-session.js';
import { contributions, type ModelPart } from './model-part.js';

export interface PredictOptions {
  readonly jobDigest: string;
  /** Who gets the scores. */
  readonly scoresTo: Role;
}

export interface PredictInput {
  readonly part: ModelPart;
  /** Names the fit that the part is of: both banks must say the same. */
  readonly model: string;
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
 * `bank`: any numbering of the two that all three parties share; which part each holds is agreed between the banks.
 * Returns the scores (logits, or values of a linear model) at the recipient, else undefined.
 * Errors: DT_INPUT_COLUMN before any message; DT_PEER_TERMS when recipients, models or parts do not fit; DT_INPUT_INVALID when row
 * counts differ; DT_PEER_* afterwards.
 */
export function predictBank(
  links: BankLinks,
  bank: 0 | 1,
  options: PredictOptions,
  input: PredictInput,
  random: RandomSource,
): Promise<Float64Array | undefined> {
  return runParty([links.otherBank, links.dealer], async () => {
    const own = ownScores(input);
    const { rows } = input.columns;
    const { scoresTo } = options;
    const other = new MessageLink(links.otherBank);
    const third = new MessageLink(links.dealer);
    const terms = predictTerms(options);
    const partOfBank0 = bank === 0 ? input.part.owner : otherOwner(input.part.owner);
    const [digest] = await Promise.all([agreeOnTerms(other, { ...terms, model: input.model, partOfBank0 }), agreeOnTerms(third, terms)]);
    for (const link of [other, third]) await announceRows(link, rows);
    requireSameRows('this side', rows, other.peer, await receiveRows(other));
    const ring = new RingMemory();
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
    const [rows, others] = [await receiveRows(banks[0]), await receiveRows(banks[1])];
    requireSameRows(banks[0].peer, rows, banks[1].peer, others);
    let scores: Float64Array | undefined;
    if (options.scoresTo === 'dealer') {
      const ring = new RingMemory();
      const [first, second] = [ring.allocate(rows), ring.allocate(rows)];
      await banks[0].receiveParts('partialScores', ring.bytes(first, 8 * rows));
      await banks[1].receiveParts('partialScores', ring.bytes(second, 8 * rows));
      scores = decodeSum(ring, first, second, rows);
    }
    await sayDone(banks);
    return scores;
  });
}

function ownScores({ part, columns }: PredictInput): Float64Array {
  const scores = contributions(part, columns);
  const row = scores.findIndex((score) => !(Math.abs(score) < largestScore));
  if (row >= 0) throw new ToolkitError('DT_INPUT_INVALID', { what: 'The table', reason: `the score of row ${row + 1} is out of range` });
  return scores;
}

function otherOwner(owner: ModelPart['owner']): ModelPart['owner'] {
  return owner === 'bank0' ? 'bank1' : 'bank0';
}

function announceRows(link: MessageLink, rows: number): Promise<void> {
  const framed = new Uint8Array(messageHeaderBytes + 4);
  new DataView(framed.buffer).setUint32(messageHeaderBytes, rows, true);
  return link.send('shape', framed);
}

/** A peer's number decides how much memory is taken. */
const mostRows = 1 << 26;

async function receiveRows(link: MessageLink): Promise<number> {
  const payload = await link.receive('shape', 4);
  const rows = new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
  if (rows > mostRows) throw link.broken(`it announces ${rows} rows, more than ${mostRows}`);
  return rows;
}

function requireSameRows(name0: string, rows0: number, name1: string, rows1: number): void {
  if (rows0 === rows1) return;
  throw new ToolkitError('DT_INPUT_INVALID', { what: 'The joint table', reason: `${name0} has ${rows0} rows and ${name1} has ${rows1}` });
}

function predictTerms(options: PredictOptions): Terms {
  return { protocol: 'joint-predict', version: 2, ...options };
}

function decodeSum(ring: RingMemory, a: number, b: number, rows: number): Float64Array {
  ring.kernels.add(a, a, b, rows);
  ring.kernels.decode(a, a, 2 ** -scoreBits, rows);
  return ring.doubles(a, rows).slice();
}
