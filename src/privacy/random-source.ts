import { createCipheriv, randomBytes } from 'node:crypto';

/** Where a party's own secrets come from. Injected, so that a run can be repeated bit for bit in a test. */
export interface RandomSource {
  /** Fresh uniform bytes. */
  bytes(length: number): Uint8Array;
}

/** The operating system's generator: the only source for real data. */
export function systemRandom(): RandomSource {
  return { bytes: (length) => new Uint8Array(randomBytes(length)) };
}

/** AES-128-CTR from a 16-byte seed, for tests and replays only: whoever knows the seed knows every secret of the party. */
export function seededRandom(seed: Uint8Array): RandomSource {
  const cipher = createCipheriv('aes-128-ctr', seed, new Uint8Array(16));
  return { bytes: (length) => new Uint8Array(cipher.update(new Uint8Array(length))) };
}
