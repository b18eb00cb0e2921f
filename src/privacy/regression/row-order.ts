import { createHash } from 'node:crypto';
import { RandomStream } from '../random-stream.js';

/** Draws a uniform permutation of 0 .. count - 1 (Fisher-Yates, numbers without bias by rejection). */
export function drawPermutation(stream: RandomStream, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const block = new Uint32Array(4096);
  let used = block.length;
  for (let i = count - 1; i > 0; i--) {
    const range = i + 1;
    const limit = 2 ** 32 - (2 ** 32 % range);
    let drawn: number;
    do {
      if (used === block.length) {
        stream.fill(new Uint8Array(block.buffer));
        used = 0;
      }
      drawn = block[used] as number;
      used += 1;
    } while (drawn >= limit);
    const j = drawn % range;
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}

export interface RowOrderRequest {
  readonly rows: number;
  readonly trainRows: number;
  /** `given`: the first trainRows rows train. `seeded`: the rows are shuffled before they are split. */
  readonly rowOrder: 'given' | 'seeded';
  /** Public, part of the agreed terms. */
  readonly rowSeed: string;
}

/**
 * The order in which every party takes its rows: training rows first, permuted once by the public seed so that batches taken
 * in order are random draws without replacement, then the held-out rows.
 */
export function orderRows(request: RowOrderRequest): Uint32Array {
  const key = createHash('sha256').update(`row order\0${request.rowSeed}`).digest().subarray(0, 16);
  const stream = new RandomStream(key);
  if (request.rowOrder === 'seeded') return drawPermutation(stream, request.rows);
  const order = Uint32Array.from({ length: request.rows }, (_, i) => i);
  order.set(drawPermutation(stream, request.trainRows));
  return order;
}
