import type { RingMemory } from '../ring/ring-memory.js';

/**
 * Weights between steps: w = visible + mask for each bank's columns. A bank holds `visible` of its own columns and `otherMask`, the
 * mask of the other bank's; neither says anything about w alone. At the start both are zero, and so are the weights.
 */
export interface SplitWeights {
  readonly visible: number;
  readonly otherMask: number;
}

export function allocateSplitWeights(ring: RingMemory, ownColumns: number, otherColumns: number): SplitWeights {
  return { visible: ring.allocate(ownColumns), otherMask: ring.allocate(otherColumns) };
}
