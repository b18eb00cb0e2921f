import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { LedgerEvent } from '../../ledger/ledger.js';
import type { DaemonDeps } from '../deps.js';
import type { Run } from '../store/run.js';
import { waitingStates } from '../store/run-state.js';
import { grantsEndOf, lossBy, lossIn, type Obligations, obligationsOf } from './live-obligations.js';
import { answerHold } from './owner-answer.js';
import { resolveAgain, revoked } from './run-job.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** After which what could not be done is tried again: the chain was down, or a folder could not be deleted. */
const RETRY_MS = 5_000;
const MOST_RUNS = 1_000;

export interface WaitWatch {
  /** Something began or ceased to wait. */
  look(): void;
  onLedgerEvent(event: LedgerEvent): void;
  stop(): Promise<void>;
}

/**
 * Follows what nobody works on, by events of store and chain and one timer at the next due time: runs in the queue, for which the owner is
 * asked, or whose outputs it has to look at, end when their deadline passes or what they are allowed by is lost; folders whose retention
 * time is over go.
 */
export function watchWaits(deps: DaemonDeps): WaitWatch {
  const { store, log, config, now } = deps;
  const retentionMs = config.jobs.retentionHours * 3_600_000;
  /** Of runs that were looked at. */
  const known = new Map<string, Obligations>();
  let events: readonly LedgerEvent[] = [];
  /** Where nobody has watched the chain before: what has happened in between is found by reading. */
  let isFirst = true;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let isStopped = false;

  const look = (): void => {
    if (isStopped) return;
    if (looking !== undefined) {
      lookAgain = true;
      return;
    }
    looking = sweep().finally(() => {
      looking = undefined;
      if (lookAgain) look();
    });
  };

  const sweep = async (): Promise<void> => {
    lookAgain = false;
    let isDone = false;
    try {
      isDone = (await Promise.all([endLost(), endOverdue(), expireFolders()])).every((done) => done);
      const due = await store.runs.nextDue(retentionMs);
      clearTimeout(timer);
      const waitMs = Math.max(due === undefined ? LONGEST_TIMER_MS : due - now(), 0);
      timer = setTimeout(look, Math.min(isDone ? Math.max(waitMs, 1) : RETRY_MS, LONGEST_TIMER_MS));
      if (isStopped) clearTimeout(timer);
    } catch (error) {
      log.error({ err: error }, 'what waits could not be looked at');
      clearTimeout(timer);
      if (!isStopped) timer = setTimeout(look, RETRY_MS);
    }
  };

  /** Runs that have lost what they are allowed by. */
  const endLost = async (): Promise<boolean> => {
    const told = events;
    if (told.length === 0 && !isFirst) return true;
    events = [];
    const waiting = await store.runs.list({ states: isFirst ? ['awaiting-approval', 'held'] : waitingStates, limit: MOST_RUNS });
    for (const runId of known.keys()) if (waiting.every((run) => run.runId !== runId)) known.delete(runId);
    let isDone = true;
    for (const run of waiting) {
      const obligations = known.get(run.runId);
      const lost = obligations && told.map((event) => lossBy(event, obligations)).find((reason) => reason !== undefined);
      if (lost !== undefined) await end(run, lost);
      else if (obligations === undefined) isDone = (await check(run)) && isDone;
    }
    if (isDone) isFirst = false;
    else events = [...told, ...events];
    return isDone;
  };

  const endOverdue = async (): Promise<boolean> => {
    let isDone = true;
    for (const run of await store.runs.list({ dueAt: now(), limit: MOST_RUNS }))
      if (run.deadlineAt !== undefined && run.deadlineAt <= now()) await answerHold(deps, run, { outcome: 'expired' });
      else isDone = (await check(run)) && isDone;
    return isDone;
  };

  /** Reads what a run is allowed by. False when that cannot be read now: nothing of it leaves meanwhile. */
  const check = async (run: Run): Promise<boolean> => {
    try {
      const resolved = await resolveAgain(deps, run);
      known.set(run.runId, obligationsOf(resolved, deps.organization));
      const lost = lossIn(resolved, deps.organization);
      const endsAt = grantsEndOf(resolved);
      if (lost !== undefined || (endsAt !== undefined && endsAt <= now())) await end(run, lost ?? 'a grant ran out');
      else if (endsAt !== run.grantsEndAt) await store.runs.setGrantsEnd(run.runId, endsAt);
      return true;
    } catch (error) {
      log.warn({ problem: toToolkitError(error).message, run: run.runId }, 'what a waiting run is allowed by cannot be read');
      return false;
    }
  };

  const end = async (run: Run, reason: string): Promise<void> => {
    known.delete(run.runId);
    await store.runs.endWaiting(run.runId, revoked(run, reason));
  };

  /** The row, the decision and the receipt stay. */
  const expireFolders = async (): Promise<boolean> => {
    try {
      for (const { runId } of await store.runs.expirable({ now: now(), retentionMs }, MOST_RUNS)) {
        await rm(join(config.jobs.folder, runId), { recursive: true, force: true });
        await store.runs.markExpired(runId);
      }
      return true;
    } catch (error) {
      log.warn({ problem: toToolkitError(error).message }, 'old job folders could not be removed');
      return false;
    }
  };

  return {
    look,
    onLedgerEvent: (event) => {
      events = [...events, event];
      look();
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await looking;
      clearTimeout(timer);
    },
  };
}
