import { toToolkitError } from '../../errors/toolkit-error.js';
import { type AnchorDeps, anchorReceipts } from './anchor-receipts.js';

/** While one daemon writes receipts to the chain no other does. Alone on a store there is no other, so a failed write is soon repeated. */
const LEASE_MS = { sqlite: 2_000, postgres: 120_000 } as const;
const LONGEST_PAUSE_MS = 30_000;
/** Some 4 million gas with reports of two levels: far below what a block, or one transaction, may take. */
const LIMIT = 100;

export interface AnchorLoop {
  /** There may be receipts to anchor. */
  wake(): void;
  stop(): void;
}

/**
 * Takes all receipts that wait, one transaction after the other: while one is in flight the next gather, and that is all the batching there
 * is. A daemon with little to do anchors each at once; one with much, up to a hundred at a time.
 */
export function anchorLoop(deps: AnchorDeps, workerId: string): AnchorLoop {
  const { store, log } = deps;
  const leaseMs = LEASE_MS[store.backend];
  let stopped = false;
  let running = false;
  let again = false;
  let pause: NodeJS.Timeout | undefined;
  let pauseMs = 0;
  /** No receipt would fare better now. */
  let down = false;

  const wake = (): void => {
    again = true;
    if (!running && !stopped && !down) void run();
  };

  const run = async (): Promise<void> => {
    running = true;
    const isDone = await drain().catch((error) => {
      down = true;
      log.warn({ err: error }, 'receipts cannot be anchored yet');
      return false;
    });
    running = false;
    if (again && !down && !stopped) return run();
    if (isDone || stopped) return;
    // Claims run out by themselves, also those of a process that died; what failed is tried again then, growing slower.
    pauseMs = down ? Math.min(LONGEST_PAUSE_MS, Math.max(leaseMs + 100, pauseMs * 2)) : leaseMs + 100;
    pause ??= setTimeout(() => {
      pause = undefined;
      down = false;
      wake();
    }, pauseMs);
  };

  /** @returns whether nothing waits any more */
  const drain = async (): Promise<boolean> => {
    const refused = new Set<string>();
    while (again && !stopped) {
      again = false;
      for (;;) {
        const plan = stopped ? undefined : await store.runs.claimAnchor({ workerId, leaseMs, limit: LIMIT });
        if (plan === undefined || refused.has(plan.root)) break;
        try {
          await anchorReceipts(deps, plan);
          pauseMs = 0;
        } catch (error) {
          // One plan that the chain does not take must not stand in the way of those behind it.
          if (toToolkitError(error).code !== 'DT_CHAIN_REVERTED') throw error;
          log.warn({ err: error, receipts: plan.runs.length }, 'the chain does not take these receipts');
          refused.add(plan.root);
        }
      }
    }
    return (await store.runs.pendingSettlements(1)).length === 0;
  };

  return {
    wake,
    stop: () => {
      stopped = true;
      clearTimeout(pause);
    },
  };
}
