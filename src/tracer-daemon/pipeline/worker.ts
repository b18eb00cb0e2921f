import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenId } from '../../documents/ids.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { LedgerEvent } from '../../ledger/ledger.js';
import type { DaemonDeps } from '../deps.js';
import type { ClaimedRun } from '../store/run.js';
import { type AbortCause, RunAborted, runJob, settleRun } from './run-job.js';
import { anchorReceipt } from './settle.js';
import type { AuthorizedJob } from './stages.js';

const LEASE_MS = 60_000;
/** While one daemon writes a receipt to the chain no other does. Alone on a store there is no other, so a failed write is soon repeated. */
const ANCHOR_LEASE_MS = { sqlite: 2_000, postgres: 120_000 } as const;
const LONGEST_ANCHOR_PAUSE_MS = 300_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface ActiveRun {
  readonly claimed: ClaimedRun;
  readonly controller: AbortController;
  readonly done: Promise<unknown>;
  authorized?: AuthorizedJob;
  expiry?: NodeJS.Timeout;
}

export interface Worker {
  /** Ends running jobs (they go back to the queue) and waits for them. */
  stop(): Promise<void>;
  /** Ids of the runs that run in this process. */
  running(): readonly string[];
}

/**
 * Takes runs from the queue, as many at a time as configured, and follows what may end them early: cancel requests, revoked or expired
 * grants, a lost lease, the daemon's stop. Woken by the store and the chain; the only timers are leases, grant ends and back-off.
 */
export async function startWorker(deps: DaemonDeps, workerId: string): Promise<Worker> {
  const { store, log, config } = deps;
  const active = new Map<string, ActiveRun>();
  const stopping = new AbortController();
  let chainPause: NodeJS.Timeout | undefined;
  let chainPauseMs = 0;
  let anchorPause: NodeJS.Timeout | undefined;
  let anchorPauseMs = 0;
  let pumping = false;
  let pumpAgain = false;
  let anchoring = false;
  let anchorAgain = false;

  const abort = (run: ActiveRun, cause: AbortCause): void => run.controller.abort(new RunAborted(cause));

  const pump = async (): Promise<void> => {
    if (pumping || stopping.signal.aborted) {
      pumpAgain = true;
      return;
    }
    pumping = true;
    try {
      do {
        pumpAgain = false;
        for (let claimed = await store.runs.claimSettling({ workerId, leaseMs: LEASE_MS }); claimed; ) {
          await settleRun(deps, claimed);
          claimed = await store.runs.claimSettling({ workerId, leaseMs: LEASE_MS });
        }
        while (active.size < config.jobs.concurrency && chainPause === undefined && !stopping.signal.aborted) {
          const claimed = await store.runs.claim({ workerId, leaseMs: LEASE_MS });
          if (claimed === undefined) break;
          launch(claimed);
        }
      } while (pumpAgain);
    } catch (error) {
      log.error({ err: error }, 'the queue cannot be read');
    } finally {
      pumping = false;
    }
  };

  const launch = (claimed: ClaimedRun): void => {
    const controller = new AbortController();
    const { runId } = claimed.run;
    const renewal = setInterval(() => {
      store.runs.renewLease(claimed.lease, LEASE_MS).then(
        (held) => held || controller.abort(new RunAborted({ kind: 'lost' })),
        (error) => log.warn({ err: error, run: runId }, 'the lease could not be renewed'),
      );
    }, LEASE_MS / 3);
    const onAuthorized = (job: AuthorizedJob): void => {
      const run = active.get(runId);
      if (run === undefined) return;
      run.authorized = job;
      if (job.grantsEndAt !== undefined) {
        const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, job.grantsEndAt - deps.now()));
        run.expiry = setTimeout(() => abort(run, { kind: 'revoked' }), wait);
      }
    };
    const done = runJob(deps, { claimed, signal: controller.signal, onAuthorized })
      .then((result) => {
        if (result === 'chain-down') pauseForChain();
        else chainPauseMs = 0;
      })
      .catch((error) => log.error({ err: error, run: runId }, 'a run could not be brought to its end'))
      .finally(() => {
        clearInterval(renewal);
        clearTimeout(active.get(runId)?.expiry);
        active.delete(runId);
        void pump();
      });
    active.set(runId, { claimed, controller, done });
  };

  const pauseForChain = (): void => {
    if (chainPause !== undefined || stopping.signal.aborted) return;
    chainPauseMs = Math.min(30_000, Math.max(500, chainPauseMs * 2));
    chainPause = setTimeout(() => {
      chainPause = undefined;
      void pump();
    }, chainPauseMs);
  };

  const anchor = async (): Promise<void> => {
    if (anchoring || stopping.signal.aborted) {
      anchorAgain = true;
      return;
    }
    anchoring = true;
    try {
      do {
        anchorAgain = false;
        for (let run = await store.runs.claimPendingSettlement({ workerId, leaseMs: ANCHOR_LEASE_MS[store.backend] }); run; ) {
          await anchorReceipt(deps, run);
          anchorPauseMs = 0;
          run = stopping.signal.aborted
            ? undefined
            : await store.runs.claimPendingSettlement({ workerId, leaseMs: ANCHOR_LEASE_MS[store.backend] });
        }
      } while (anchorAgain && !stopping.signal.aborted);
    } catch (error) {
      log.warn({ err: error }, 'a receipt could not be anchored yet');
      // The claim runs out by itself; a retryable failure is tried again then, growing slower.
      anchorPauseMs = Math.min(LONGEST_ANCHOR_PAUSE_MS, Math.max(ANCHOR_LEASE_MS[store.backend] + 100, anchorPauseMs * 2));
      anchorPause ??= setTimeout(() => {
        anchorPause = undefined;
        void anchor();
      }, anchorPauseMs);
    } finally {
      anchoring = false;
    }
  };

  const onLedgerEvent = (event: LedgerEvent): void => {
    if (event.kind !== 'revoked') return;
    for (const run of active.values()) if (usesGrant(run.authorized, event.child, event.composite)) abort(run, { kind: 'revoked' });
  };

  const onCancel = async (runId: string): Promise<void> => {
    const run = active.get(runId);
    if (run !== undefined) abort(run, { kind: 'cancel', by: (await store.runs.get(runId))?.cancelRequestedBy ?? 'its owner' });
  };

  const unsubscribe = store.waker.subscribe((signal) => {
    if (signal.kind === 'queued' || signal.kind === 'settling' || signal.kind === 'resync') void pump();
    if (signal.kind === 'pending-settlement' || signal.kind === 'resync') void anchor();
    if (signal.kind === 'cancel') void onCancel(signal.runId);
  });

  // Where several daemons share a store, the runs of one that died are taken over when its leases have run out. Nobody says that it died,
  // so this is a watchdog: at the end of the next lease, or after one lease's time when none is held.
  let takeover: NodeJS.Timeout | undefined;
  const watchLeases = async (): Promise<void> => {
    if (store.backend === 'sqlite' || stopping.signal.aborted) return;
    const expiry = (await store.runs.nextLeaseExpiry(workerId)) ?? deps.now() + LEASE_MS;
    clearTimeout(takeover);
    const recover = (): void => {
      store.runs
        .recover({ workerId, atStart: false })
        .catch((error) => log.error({ err: error }, 'the leases of other daemons cannot be read'))
        .finally(() => void watchLeases());
    };
    takeover = setTimeout(recover, Math.max(1000, expiry - deps.now() + 1000));
  };

  const recovered = await store.runs.recover({ workerId, atStart: true });
  if (recovered.requeued.length + recovered.ended.length + recovered.settling.length > 0)
    log.info(
      { requeued: recovered.requeued.length, ended: recovered.ended.length, settling: recovered.settling.length },
      'runs of an earlier life were taken up',
    );
  const { block } = await deps.ledger.head().catch(() => ({ block: 0 }));
  deps.ledger
    .watch(onLedgerEvent, {
      fromBlock: block,
      signal: stopping.signal,
      onGap: (reason) => log.warn({ reason }, 'the watch of the chain has a gap'),
    })
    .catch((error) => log.error({ err: error }, 'the chain is not watched any more: revoked grants end running jobs only when they start'));
  void pump();
  void anchor();
  void watchLeases();
  const retention = setInterval(() => void expireFolders(deps), 3_600_000);
  retention.unref();

  return {
    running: () => [...active.keys()],
    stop: async () => {
      stopping.abort();
      unsubscribe();
      clearTimeout(chainPause);
      clearTimeout(anchorPause);
      clearTimeout(takeover);
      clearInterval(retention);
      for (const run of active.values()) abort(run, { kind: 'stop' });
      await Promise.allSettled([...active.values()].map((run) => run.done));
    },
  };
}

function usesGrant(job: AuthorizedJob | undefined, child: TokenId, composite: TokenId): boolean {
  const grants = job?.request.facts.tokens.get(composite)?.grants;
  return grants?.some((grant) => grant.child === child) === true;
}

/** Job folders whose retention time is over; the row, the decision and the receipt stay. */
async function expireFolders(deps: DaemonDeps): Promise<void> {
  try {
    const runs = await deps.store.runs.expirable(deps.now() - deps.config.jobs.retentionHours * 3_600_000, 100);
    for (const { runId } of runs) {
      await rm(join(deps.config.jobs.folder, runId), { recursive: true, force: true });
      await deps.store.runs.markExpired(runId);
    }
  } catch (error) {
    deps.log.warn({ problem: toToolkitError(error).message }, 'old job folders could not be removed');
  }
}
