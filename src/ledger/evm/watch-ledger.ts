import { type ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { LedgerEvent, LedgerReader } from '../ledger.js';
import type { ChainClient } from './chain-client.js';
import { eventsOf, parseLog } from './chain-events.js';
import { delay } from './delay.js';
import { EventTracker } from './event-tracker.js';
import { logFilter, readLogs } from './read-logs.js';
import { NoWebSocketError, type Rpc } from './rpc.js';

export interface WatchOptions {
  /** Where to listen: given, or derived from the RPC URL. */
  readonly wsUrl: URL;
  /** For endpoints without WebSocket, which cannot push: how often to ask. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 10_000;
/** Blocks before the last one seen that are read again after a loss: shorter reorganizations are noticed. */
const REPLAY_BLOCKS = 32;

/**
 * Calls back for each event from a block on, in order and once, until the signal aborts. A lost connection is opened again
 * and what was missed is replayed. `onGap` tells of losses, and of reorganizations: then what was told of the blocks it
 * names is no longer true, and the caller reads the events again.
 * @throws DT_CHAIN_WRONG, DT_CHAIN_NOT_DEPLOYED: what waiting does not heal
 */
export async function watchLedger(
  client: ChainClient,
  watching: WatchOptions,
  onEvent: (event: LedgerEvent) => void,
  options: Parameters<LedgerReader['watch']>[1],
): Promise<void> {
  const tracker = new EventTracker(Math.max(options.fromBlock, client.book.block), REPLAY_BLOCKS);
  const { signal } = options;
  let pushes = true;
  let retryMs = FIRST_RETRY_MS;
  let isLost = false;
  const lost = (reason: string): void => {
    isLost = true;
    options.onGap?.(reason);
  };
  const watched = (): void => {
    retryMs = FIRST_RETRY_MS;
    if (isLost) options.onWatched?.();
    isLost = false;
  };
  const listener: Listener = { client, tracker, signal, onEvent, onGap: options.onGap };

  while (!signal.aborted) {
    try {
      if (pushes) {
        const reason = await listen(listener, watching, watched);
        if (!signal.aborted) lost(reason);
      } else {
        await catchUp(listener, client.rpc);
        watched();
        await delay(watching.intervalMs, signal);
        continue;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof NoWebSocketError) {
        pushes = false;
        continue;
      }
      const known = toToolkitError(error);
      if (!known.retryable) throw known;
      lost(known.message);
    }
    // Not all clients of a chain that starts again should come back in the same moment.
    await delay(retryMs * (0.5 + Math.random()), signal);
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  }
}

interface Listener {
  readonly client: ChainClient;
  readonly tracker: EventTracker;
  readonly signal: AbortSignal;
  readonly onEvent: (event: LedgerEvent) => void;
  readonly onGap: ((reason: string) => void) | undefined;
}

/** One connection, from its opening to its end, whose reason it resolves with. */
async function listen(listener: Listener, watching: WatchOptions, onReady: () => void): Promise<string> {
  const { client, signal } = listener;
  const { connectWs } = await import('./ws-connection.js');
  const connection = await connectWs(watching.wsUrl, { timeoutMs: watching.timeoutMs, signal });
  try {
    // Subscribed before the replay, so that nothing falls between; what comes meanwhile waits, and duplicates are dropped.
    const waiting: unknown[] = [];
    let failure: ToolkitError | undefined;
    let work: Promise<void> | undefined;
    const drain = async () => {
      while (waiting.length > 0) await deliver(listener, connection, waiting.splice(0));
    };
    const start = () => {
      work ??= drain()
        .catch((error: unknown) => {
          failure = toToolkitError(error);
          connection.close();
        })
        .finally(() => {
          work = undefined;
        });
    };
    let replayed = false;
    await connection.subscribe(['logs', logFilter(client)], (log) => {
      waiting.push(log);
      if (replayed) start();
    });
    await catchUp(listener, connection);
    replayed = true;
    onReady();
    start();
    const reason = await connection.closed;
    await work;
    if (failure !== undefined) throw failure;
    return reason;
  } finally {
    connection.close();
  }
}

async function deliver(listener: Listener, rpc: Rpc, raw: readonly unknown[]): Promise<void> {
  const logs = raw.map((log) => parseLog(log, rpc));
  const gone = logs.filter((log) => log.removed && listener.tracker.forget(log));
  if (gone.length > 0) reorganized(listener, Math.min(...gone.map((log) => log.block)));
  const fresh = logs.filter((log) => !log.removed && listener.tracker.isNew(log));
  for (const event of await eventsOf(listener.client, fresh, rpc)) emit(listener, event);
  for (const log of fresh) listener.tracker.remember(log);
}

/** Reads what was missed. Events that were told and are no longer there were reorganized away. */
async function catchUp(listener: Listener, rpc: Rpc): Promise<void> {
  const { client, tracker } = listener;
  const from = tracker.replayFrom();
  const { logs, head } = await readLogs(client, from, rpc);
  const gone = tracker.missingFrom(logs, from);
  if (gone !== undefined) reorganized(listener, gone);
  const fresh = logs.filter((log) => tracker.isNew(log));
  for (const event of await eventsOf(client, fresh, rpc)) emit(listener, event);
  for (const log of fresh) tracker.remember(log);
  tracker.advance(head);
}

function emit(listener: Listener, event: LedgerEvent): void {
  if (!listener.signal.aborted) listener.onEvent(event);
}

function reorganized(listener: Listener, block: number): void {
  listener.onGap?.(`the chain was reorganized: events from block ${block} on have changed`);
}
