/**
 * What one evaluation may cost, counted in steps of roughly 20 ns, so that the same documents are given up at the same place on every
 * machine. Who runs out of it is denied.
 */
export interface Effort {
  left: number;
}

export const newEffort = (): Effort => ({ left: 50_000_000 });

/** false: there is not enough left, and the work must not be started. */
export function spend(effort: Effort, steps: number): boolean {
  effort.left -= steps;
  return effort.left >= 0;
}

export const TOO_MUCH = 'checking it takes more work than is allowed';
