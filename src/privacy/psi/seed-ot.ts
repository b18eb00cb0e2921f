import { createCipheriv, createHash } from 'node:crypto';
import { messageHeaderBytes } from '../message-link.js';
import { BaseOtSending, receiveBaseOts, seedBytes } from './base-ot.js';
import type { PsiSession } from './psi-session.js';

/** Base transfers: the computational security parameter. */
const baseCount = 128;

/** Both seeds of each column, 16 bytes each. */
export interface SeedPairs {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** The secret of the sender, a bit a column, and the seed of each column that it picks. */
export interface ChosenSeeds {
  readonly secret: Uint8Array;
  readonly seeds: Uint8Array;
}

/**
 * `columns` random oblivious transfers of seeds out of 128 public-key ones, semi-honest.
 *
 * Source: Ishai, Kilian, Nissim, Petrank, "Extending Oblivious Transfers Efficiently" (CRYPTO 2003), in the random-transfer form of Asharov,
 * Lindell, Schneider, Zohner (CCS 2013). Correlation-robust hash: SHA-256 with the index of the transfer. Saves two thirds of the public-key
 * operations that as many base transfers would take.
 * `meanwhile` runs while the peer computes.
 * Trust: semi-honest. Learned: nothing. Rounds: 1.5 (key, points, corrections). Bytes: 64 + 128 (64 + columns / 8).
 */
export async function obtainChosenSeeds(session: PsiSession, columns: number, meanwhile: () => void): Promise<ChosenSeeds> {
  const { link, random, clock } = session;
  const width = columns / 8;
  const base = clock.run('baseOt', () => new BaseOtSending(link, random));
  const secret = random.bytes(width);
  await base.offer();
  meanwhile();
  const { keys } = await base.finish(baseCount, (body) => clock.run('baseOt', body));
  const message = new Uint8Array(messageHeaderBytes + baseCount * width);
  const seeds = clock.run('baseOt', () => {
    const matrix = new Uint8Array(baseCount * width);
    for (let i = 0; i < baseCount; i++) {
      const [own, other] = [expand(keys[0], i, width), expand(keys[1], i, width)];
      matrix.set(own, i * width);
      for (let b = 0; b < width; b++) {
        message[messageHeaderBytes + i * width + b] = (own[b] as number) ^ (other[b] as number) ^ (secret[b] as number);
      }
    }
    return hashRows(rowsOf(matrix, width), columns);
  });
  await link.send('psiSeedCorrections', message);
  return { secret, seeds };
}

/** The other end: learns both seeds of every column. */
export async function obtainSeedPairs(session: PsiSession, columns: number, meanwhile: () => void): Promise<SeedPairs> {
  const { link, random, clock } = session;
  const width = columns / 8;
  const { choices, keys } = await receiveBaseOts(link, baseCount, random, (body) => clock.run('baseOt', body));
  meanwhile();
  const corrections = await link.receive('psiSeedCorrections', baseCount * width);
  return clock.run('baseOt', () => {
    const matrix = new Uint8Array(baseCount * width);
    for (let i = 0; i < baseCount; i++) {
      const stream = expand(keys, i, width);
      const mask = -(choices[i] as number) & 255;
      for (let b = 0; b < width; b++) matrix[i * width + b] = (stream[b] as number) ^ ((corrections[i * width + b] as number) & mask);
    }
    const rows = rowsOf(matrix, width);
    const first = hashRows(rows, columns);
    const difference = packBits(choices);
    for (let at = 0; at < rows.byteLength; at++) rows[at] = (rows[at] as number) ^ (difference[at % seedBytes] as number);
    return { first, second: hashRows(rows, columns) };
  });
}

function expand(keys: Uint8Array, index: number, length: number): Uint8Array {
  const key = keys.subarray(seedBytes * index, seedBytes * (index + 1));
  return createCipheriv('aes-128-ctr', key, new Uint8Array(16)).update(new Uint8Array(length));
}

/** Rows of 128 bits out of 128 columns of `width` bytes. */
function rowsOf(matrix: Uint8Array, width: number): Uint8Array {
  const rows = new Uint8Array(8 * width * seedBytes);
  for (let i = 0; i < baseCount; i++) {
    for (let j = 0; j < 8 * width; j++) {
      const bit = ((matrix[i * width + (j >> 3)] as number) >> (j & 7)) & 1;
      const at = j * seedBytes + (i >> 3);
      rows[at] = (rows[at] as number) | (bit << (i & 7));
    }
  }
  return rows;
}

function packBits(bits: Uint8Array): Uint8Array {
  const packed = new Uint8Array(bits.length / 8);
  bits.forEach((bit, i) => {
    packed[i >> 3] = (packed[i >> 3] as number) | (bit << (i & 7));
  });
  return packed;
}

function hashRows(rows: Uint8Array, columns: number): Uint8Array {
  const seeds = new Uint8Array(seedBytes * columns);
  for (let j = 0; j < columns; j++) {
    const row = rows.subarray(seedBytes * j, seedBytes * (j + 1));
    const digest = createHash('sha256').update(`compute-to-data psi seed ${j}\0`).update(row).digest();
    seeds.set(digest.subarray(0, seedBytes), seedBytes * j);
  }
  return seeds;
}
