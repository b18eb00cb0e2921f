/** What one run goes through. The last four are final. */
export const runStates = [
  'awaiting-approval',
  'queued',
  'staging',
  'running',
  'releasing',
  'held',
  'settling',
  'succeeded',
  'failed',
  'canceled',
  'refused',
] as const;
export type RunState = (typeof runStates)[number];

/** How a run ends. It is decided on entering `settling`, before the receipt is written. */
export type RunOutcome = 'succeeded' | 'failed' | 'canceled' | 'refused';

/** States in which one worker holds the run by a lease. `settling` may also wait for a worker. */
export const leasedStates = ['staging', 'running', 'releasing', 'settling'] as const satisfies readonly RunState[];
/** States in which nobody works on a run: it waits for a worker, or for its owner. */
export const waitingStates = ['awaiting-approval', 'queued', 'held'] as const satisfies readonly RunState[];
export const finalStates = ['succeeded', 'failed', 'canceled', 'refused'] as const satisfies readonly RunState[];

/**
 * queued is entered again from the three working states when the worker died or gave the run back, and from a final state by
 * `rerun`. A run that the owner has to look at waits before the queue, and again when what it approved has changed; outputs that it has
 * to look at wait before settling. Every way to an end goes through settling, so that every end has its receipt.
 */
export const transitions: Readonly<Record<RunState, readonly RunState[]>> = {
  'awaiting-approval': ['queued', 'settling'],
  queued: ['staging', 'settling'],
  staging: ['running', 'settling', 'queued', 'awaiting-approval'],
  running: ['releasing', 'settling', 'queued'],
  releasing: ['held', 'settling', 'queued'],
  held: ['settling'],
  settling: ['succeeded', 'failed', 'canceled', 'refused'],
  succeeded: [],
  failed: ['queued'],
  canceled: ['queued'],
  refused: ['queued'],
};

export const isLegal = (from: RunState, to: RunState): boolean => transitions[from].includes(to);
export const isFinal = (state: RunState): boolean => (finalStates as readonly RunState[]).includes(state);

/** Nothing succeeds that was not released. */
export function isLegalOutcome(from: RunState, outcome: RunOutcome): boolean {
  if (!isLegal(from, 'settling')) return false;
  return outcome !== 'succeeded' || from === 'releasing' || from === 'held';
}
