import type { RandomSource } from '../random-source.js';
import { RandomStream } from '../random-stream.js';
import type { PsiMemory } from './psi-memory.js';

const wordsAtOnce = 1 << 14;

/** Writes a uniformly random order of 0 .. count - 1 (u32), from a stream whose key comes from the party's own source. */
export function shuffledOrder(memory: PsiMemory, order: number, count: number, random: RandomSource): void {
  const stream = new RandomStream(random.bytes(16));
  const mark = memory.mark();
  const words = memory.allocate(4 * wordsAtOnce);
  memory.kernels.countUp(order, count);
  let place = count - 1;
  while (place > 0) {
    stream.fill(memory.bytes(words, 4 * wordsAtOnce));
    place = memory.kernels.shuffle(order, place, words, wordsAtOnce);
  }
  memory.release(mark);
}
