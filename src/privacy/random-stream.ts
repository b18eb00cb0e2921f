import { type Cipher, createCipheriv } from 'node:crypto';

const chunkBytes = 64 * 1024;

/**
 * A pseudo-random stream: AES-128 in counter mode under a key that is used for this stream alone, so the counter starts at
 * zero. Two holders of the key draw the same bytes as long as they draw the same lengths in the same order.
 * Draw 16 to 64 KiB at a time where possible: a call costs some microseconds, the bytes next to nothing.
 */
export class RandomStream {
  private readonly cipher: Cipher;
  private readonly zeros = new Uint8Array(chunkBytes);

  /** key: 16 bytes. */
  constructor(key: Uint8Array) {
    this.cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16));
  }

  fill(target: Uint8Array): void {
    const length = target.byteLength;
    for (let at = 0; at < length; at += chunkBytes) {
      const size = Math.min(chunkBytes, length - at);
      target.set(this.cipher.update(size === chunkBytes ? this.zeros : this.zeros.subarray(0, size)), at);
    }
  }
}
