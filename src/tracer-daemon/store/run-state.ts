/** What one run goes through. The last four are final. */
export const runStates = ['queued', 'staging', 'running', 'releasing', 'settling', 'succeeded', 'failed', 'canceled', 'refused'] as const;
export type RunState = (typeof runStates)[number];

/** How a run ends. It is decided on entering `settling`, before the receipt is written. */
export type RunOutcome = 'succeeded' | 'failed' | 'canceled' | 'refused';

/** States in which one worker holds the run by a lease. `settling` may also wait for a worker. */
export const leasedStates = ['staging', 'running', 'releasing', 'settling'] as const satisfies readonly RunState[];
export const finalStates = ['succeeded', 'failed', 'canceled', 'refused'] as const satisfies readonly RunState[];

/**
 * queued is entered again from the three working states when the worker died or gave the run back, and from a final state by
 * `rerun`. Every way to an end goes through settling, so that every end has its receipt.
 */
export const transitions: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['staging', 'settling'],
  staging: ['running', 'settling', 'queued'],
  running: ['releasing', 'settling', 'queued'],
  releasing: ['settling', 'queued'],
  settling: ['succeeded', 'failed', 'canceled', 'refused'],
  succeeded: [],
  failed: ['queued'],
  canceled: ['queued'],
  refused: ['queued'],
};

export const isLegal = (from: RunState, to: RunState): boolean => transitions[from].includes(to);
export const isFinal = (state: RunState): boolean => (finalStates as readonly RunState[]).includes(state);

/** Nothing succeeds that was not released, and what never started can only have been canceled. */
export function isLegalOutcome(from: RunState, outcome: RunOutcome): boolean {
  if (!isLegal(from, 'settling')) return false;
  if (from === 'queued') return outcome === 'canceled';
  return outcome !== 'succeeded' || from === 'releasing';
}
