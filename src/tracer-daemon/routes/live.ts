import { type Response, Router } from 'express';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requesterOf } from '../middleware/authenticate.js';
import { viewOf } from '../run-view.js';
import type { Run } from '../store/run.js';
import { ChainFeed } from '../web/chain-feed.js';
import { mayRead } from '../web/may-read.js';
import type { Places } from '../web/places.js';
import { accessOfResponse } from '../web/prove-access.js';
import { watchAccess } from '../web/watch-access.js';
import { drained } from './drained.js';
import { readsAsAuditor } from './scoped-run.js';

/** One stream of all that changes, as far as the requester may see it. It tells what to read again, not what was missed: there is no resuming. */
export function liveRoutes(deps: DaemonDeps, places: Places): Router {
  const router = Router(EXACT);
  const chain = new ChainFeed(deps.ledger);
  router.get('/v1/events', authenticate(deps), async (_request, response) => {
    const leave = places.take(response);
    await stream(deps, chain, response).finally(leave);
  });
  return router;
}

async function stream(deps: DaemonDeps, chain: ChainFeed, response: Response): Promise<void> {
  const access = accessOfResponse(response);
  const requester = requesterOf(response);
  const isOwn = requester === deps.organization;
  const runs = new Set<string>();
  const news = new Set<string>();
  let isOpen = !response.closed && !response.destroyed;
  let wake = (): void => undefined;
  const ring = (...what: string[]): void => {
    for (const one of what) news.add(one);
    wake();
  };
  response.on('close', () => {
    isOpen = false;
    wake();
  });
  const unsubscribe = deps.store.waker.subscribe((signal) => {
    if (signal.kind === 'events') {
      runs.add(signal.runId);
      ring();
    } else if (signal.kind === 'datasets' && isOwn) ring('assets');
    else if (signal.kind === 'access' && isOwn) ring('access');
    else if (signal.kind === 'resync') ring('everything');
  });
  const leave = chain.subscribe((event) => ring(event === undefined ? 'everything' : 'chain'));
  const partWithLinks = isOwn ? deps.links.onChange(() => ring('peers')) : () => undefined;
  const keepAlive = setInterval(() => response.write(': alive\n\n'), 15_000);
  let isSignedOut = false;
  const unwatch = watchAccess(deps, access, () => {
    isSignedOut = true;
    ring();
  });
  const seen = new Map<string, string>();
  const write = async (event: string, data: unknown): Promise<void> => {
    if (!response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`) && isOpen) await drained(response);
  };
  /** Log lines ring as well; only what a list shows is told. */
  const isNews = (run: Run): boolean => {
    const facts = JSON.stringify([run.state, run.attempt, run.settlement, run.cancelRequestedBy]);
    if (seen.get(run.runId) === facts) return false;
    if (run.finishedAt !== undefined && run.settlement !== 'pending') seen.delete(run.runId);
    else seen.set(run.runId, facts);
    return true;
  };
  try {
    response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.flushHeaders();
    await write('hello', {});
    while (isOpen) {
      if (runs.size + news.size === 0 && !isSignedOut)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const changed = [...runs].map((id) => deps.store.runs.get(id));
      const what = [...news];
      runs.clear();
      news.clear();
      if (isSignedOut) {
        await write('signed-out', {});
        break;
      }
      for (const one of what) await write(one, {});
      const known = (await Promise.all(changed)).filter((run) => run !== undefined);
      const own = known.filter((run) => (isOwn || run.consumer === requester) && isNews(run));
      for (const run of await mayRead(deps.ledger, access, own))
        await write('run', await viewOf(deps, run, { audited: readsAsAuditor(deps, response, run) }));
    }
  } finally {
    clearInterval(keepAlive);
    unwatch();
    unsubscribe();
    leave();
    partWithLinks();
    response.end();
  }
}
