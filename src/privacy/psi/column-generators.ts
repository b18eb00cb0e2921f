import { type Cipher, createCipheriv } from 'node:crypto';
import { seedBytes } from './base-ot.js';

const maxColumnBytes = 64 * 1024;

/** Pseudo-random columns: AES-128 in counter mode, one key a column, drawn piece by piece. */
export class ColumnGenerators {
  private readonly ciphers: Cipher[];

  /** seeds: 16 bytes a column. */
  constructor(
    seeds: Uint8Array,
    private readonly zeros = new Uint8Array(maxColumnBytes),
  ) {
    this.ciphers = Array.from({ length: seeds.byteLength / seedBytes }, (_, i) =>
      createCipheriv('aes-128-ctr', seeds.subarray(seedBytes * i, seedBytes * (i + 1)), new Uint8Array(16)),
    );
  }

  /** The next `columnBytes` bytes of every column, one column after the other. */
  fill(target: Uint8Array, columnBytes: number): void {
    const zeros = this.zeros.subarray(0, columnBytes);
    let at = 0;
    for (const cipher of this.ciphers) {
      target.set(cipher.update(zeros), at);
      at += columnBytes;
    }
  }
}

/** AES-128 on single blocks, in bulk: a pseudo-random function of the block under each of several keys. */
export class BlockFunctions {
  private readonly ciphers: Cipher[];

  /** keys: 16 bytes each. */
  constructor(keys: Uint8Array) {
    this.ciphers = Array.from({ length: keys.byteLength / 16 }, (_, i) => {
      const cipher = createCipheriv('aes-128-ecb', keys.subarray(16 * i, 16 * (i + 1)), null);
      cipher.setAutoPadding(false);
      return cipher;
    });
  }

  apply(index: number, blocks: Uint8Array, target: Uint8Array): void {
    target.set((this.ciphers[index] as Cipher).update(blocks));
  }
}
