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

/** AES-128 on single blocks, in bulk: a pseudo-random function of the block. */
export class BlockFunction {
  private readonly cipher: Cipher;

  /** key: 16 bytes. */
  constructor(key: Uint8Array) {
    this.cipher = createCipheriv('aes-128-ecb', key, null);
    this.cipher.setAutoPadding(false);
  }

  apply(blocks: Uint8Array): Uint8Array {
    return this.cipher.update(blocks);
  }
}
