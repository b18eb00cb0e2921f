import type { LedgerEvent } from '../../ledger/ledger.js';
import type { DaemonDeps } from '../deps.js';
import type { ClaimedRun } from '../store/run.js';
import { anchorLoop } from './anchor-loop.js';
import { reopenLost } from './anchor-receipts.js';
import { forgetEndings } from './ending-file.js';
import { lossBy, type Obligations, obligationsOf, takesAway } from './live-obligations.js';
import { type AbortCause, RunAborted } from './run-aborted.js';
import { runJob, settleRun } from './run-job.js';
import type { AuthorizedJob } from './stages.js';
import { watchWaits } from './watch-waits.js';

const LEASE_MS = 60_000;
/** How long a run whose end could not be written down waits before it is taken up again. */
const RETRY_MS = { first: 1_000, longest: 60_000 } as const;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface ActiveRun {
  readonly claimed: ClaimedRun;
  readonly controller: AbortController;
  readonly done: Promise<unknown>;
  /** What the chain said before the job was authorized: what was read for that may be older. */
  readonly early: LedgerEvent[];
  authorized?: { readonly job: AuthorizedJob; readonly obligations: Obligations };
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
  let pumped: Promise<unknown> = Promise.resolve();
  let pumping = false;
  let pumpAgain = false;
  const anchors = anchorLoop(deps, workerId);
  const retries = new Set<NodeJS.Timeout>();
  let retryMs: number = RETRY_MS.first;

  const abort = (run: ActiveRun, cause: AbortCause): void => run.controller.abort(new RunAborted(cause));

  /**
   * A disk that is full or a store that fails keeps a run from its end. It keeps its lease for the pause, so that nobody spins on it, and
   * then goes back to where its state says: into the queue, or to settling.
   */
  const giveBackLater = (lease: ClaimedRun['lease']): void => {
    if (stopping.signal.aborted) return; // the next start takes it up
    const timer = setTimeout(() => {
      retries.delete(timer);
      store.runs.giveBack(lease).catch((error) => {
        log.error({ err: error, run: lease.runId }, 'a run could not be given back');
        giveBackLater(lease);
      });
    }, retryMs);
    retries.add(timer);
    retryMs = Math.min(RETRY_MS.longest, retryMs * 2);
  };

  const pump = (): void => {
    if (pumping || stopping.signal.aborted) {
      pumpAgain = true;
      return;
    }
    pumping = true;
    pumped = takeRuns();
  };

  /**
   * Joint runs wait for other daemons, so they do not count against the others: two daemons, each with one place, that took two joint jobs
   * in different orders would wait for each other. What a run is, is known once it is authorized.
   */
  const hasRoom = (): boolean => {
    const joint = [...active.values()].filter((run) => run.authorized?.job.joint !== undefined).length;
    return active.size - joint < config.jobs.concurrency && joint < config.joint.limit;
  };

  const takeRuns = async (): Promise<void> => {
    try {
      do {
        pumpAgain = false;
        for (let claimed = await store.runs.claimSettling({ workerId, leaseMs: LEASE_MS }); claimed; ) {
          const { lease } = claimed;
          await settleRun(deps, claimed).catch((error) => {
            log.error({ err: error, run: lease.runId }, 'the receipt of a run could not be written');
            giveBackLater(lease);
          });
          claimed = stopping.signal.aborted ? undefined : await store.runs.claimSettling({ workerId, leaseMs: LEASE_MS });
        }
        while (hasRoom() && chainPause === undefined && !stopping.signal.aborted) {
          const claimed = await store.runs.claim({ workerId, leaseMs: LEASE_MS });
          if (claimed === undefined) break;
          // stop() has told all runs that it knew to end; this one came too late for that.
          if (stopping.signal.aborted) await store.runs.giveBack(claimed.lease);
          else launch(claimed);
        }
      } while (pumpAgain && !stopping.signal.aborted);
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
      const obligations = obligationsOf(job.request, deps.organization);
      run.authorized = { job, obligations };
      if (job.joint !== undefined) pump();
      for (const event of run.early.splice(0)) endIfLost(run, event);
      if (job.grantsEndAt !== undefined) {
        const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, job.grantsEndAt - deps.now()));
        run.expiry = setTimeout(() => abort(run, { kind: 'revoked', reason: 'a grant ran out' }), wait);
      }
    };
    const done = runJob(deps, { claimed, signal: controller.signal, onAuthorized })
      .then((result) => {
        if (result === 'chain-down') pauseForChain();
        else {
          chainPauseMs = 0;
          retryMs = RETRY_MS.first;
        }
      })
      .catch((error) => {
        log.error({ err: error, run: runId }, 'a run could not be brought to its end');
        giveBackLater(claimed.lease);
      })
      .finally(() => {
        clearInterval(renewal);
        clearTimeout(active.get(runId)?.expiry);
        active.delete(runId);
        pump();
      });
    active.set(runId, { claimed, controller, done, early: [] });
    // A request to cancel it may have come after it was claimed and before it was known here.
    if (claimed.run.cancelRequestedBy === undefined) void onCancel(runId, false);
  };

  const pauseForChain = (): void => {
    if (chainPause !== undefined || stopping.signal.aborted) return;
    chainPauseMs = Math.min(30_000, Math.max(500, chainPauseMs * 2));
    chainPause = setTimeout(() => {
      chainPause = undefined;
      pump();
    }, chainPauseMs);
  };

  const endIfLost = ({ authorized, controller }: ActiveRun, event: LedgerEvent): void => {
    const reason = authorized && lossBy(event, authorized.obligations);
    if (reason !== undefined) controller.abort(new RunAborted({ kind: 'revoked', reason }));
  };

  const onLedgerEvent = (event: LedgerEvent): void => {
    if (!takesAway(event)) return;
    for (const run of active.values())
      if (run.authorized === undefined) run.early.push(event);
      else endIfLost(run, event);
    waits.onLedgerEvent(event);
  };

  const onCancel = async (runId: string, isTold: boolean): Promise<void> => {
    const run = active.get(runId);
    if (run === undefined) return;
    const asked = await store.runs.get(runId).catch(() => undefined);
    const { cancelRequestedBy: by, cancelReason: reason } = asked ?? {};
    if (isTold || by !== undefined) abort(run, { kind: 'cancel', by: by ?? 'its owner', ...(reason !== undefined && { reason }) });
  };

  const waits = watchWaits(deps);
  const unsubscribe = store.waker.subscribe((signal) => {
    if (signal.kind === 'queued' || signal.kind === 'settling' || signal.kind === 'resync') pump();
    if (signal.kind === 'pending-settlement' || signal.kind === 'resync') anchors.wake();
    if (signal.kind === 'due' || signal.kind === 'resync') waits.look();
    if (signal.kind === 'cancel') void onCancel(signal.runId, true);
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
  // What was anchored may have been lost while nobody watched, and while somebody did.
  const checkAnchors = (): void => {
    reopenLost(deps).catch((error) => log.warn({ err: error }, 'whether the chain still has the last receipts cannot be read'));
  };
  checkAnchors();
  forgetEndings(deps).catch((error) => log.warn({ err: error }, 'what a kill has left in job folders could not be removed'));
  const { block } = await deps.ledger.head().catch(() => ({ block: 0 }));
  deps.ledger
    .watch(onLedgerEvent, {
      fromBlock: block,
      signal: stopping.signal,
      onGap: (reason) => {
        log.warn({ reason }, 'the watch of the chain has a gap');
        checkAnchors();
      },
      onWatched: () => log.info('the chain is watched again, and what was missed is read'),
    })
    .catch((error) => log.error({ err: error }, 'the chain is not watched any more: revoked grants end running jobs only when they start'));
  pump();
  anchors.wake();
  void watchLeases();
  waits.look();

  return {
    running: () => [...active.keys()],
    stop: async () => {
      stopping.abort();
      unsubscribe();
      anchors.stop();
      clearTimeout(chainPause);
      clearTimeout(takeover);
      for (const timer of retries) clearTimeout(timer);
      await waits.stop();
      await pumped;
      for (const run of active.values()) abort(run, { kind: 'stop' });
      await Promise.allSettled([...active.values()].map((run) => run.done));
    },
  };
}
