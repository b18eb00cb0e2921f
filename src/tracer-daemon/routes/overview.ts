import { Router } from 'express';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type DaemonDeps, SOFTWARE } from '../deps.js';
import { authenticate, EXACT, requesterOf } from '../middleware/authenticate.js';

/** What the page shows first, and what the owner has set: nothing of it is a secret, and nothing of it is for strangers. */
export function overviewRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  const proven = authenticate(deps);

  router.get('/v1/overview', proven, async (_request, response) => {
    ownOnly(deps, requesterOf(response));
    const { sandbox, config, links } = deps;
    const ok = (check: Promise<unknown>): Promise<boolean> =>
      check.then(
        () => true,
        () => false,
      );
    const [runs, held, chain, store] = await Promise.all([
      deps.store.runs.counts(),
      deps.store.datasets.list(),
      ok(deps.ledger.head()),
      ok(deps.store.ping()),
    ]);
    response.json({
      software: SOFTWARE,
      runs,
      assets: held.length,
      limits: { concurrency: config.jobs.concurrency, queue: config.jobs.queueLimit },
      chain,
      store,
      sandbox: { level: sandbox.level, layers: sandbox.layers },
      links: {
        key: deps.linkKeyState(),
        ...(links.port !== undefined && { port: links.port }),
        peers: links.peers().map(({ peer, isConnected, bytesSent, bytesReceived }) => ({ peer, isConnected, bytesSent, bytesReceived })),
      },
    });
  });

  router.get('/v1/settings', proven, (_request, response) => {
    ownOnly(deps, requesterOf(response));
    const { jobs, sandbox, grants, joint, link, datasets, web } = deps.config;
    const { concurrency, queueLimit, attempts, retentionHours, requestMaxBytes, requestMaxAgeSeconds } = jobs;
    response.json({
      jobs: { concurrency, queueLimit, attempts, retentionHours, requestMaxBytes, requestMaxAgeSeconds },
      sandbox: { level: sandbox.level, ...sandbox.limits },
      grants: { auto: grants.auto, ...(grants.maxDays !== undefined && { maxDays: grants.maxDays }) },
      joint,
      link: { graceSeconds: link.graceSeconds, peerWaitSeconds: link.peerWaitSeconds, direct: link.direct },
      datasets: { roots: datasets.roots },
      web,
    });
  });

  return router;
}

function ownOnly({ organization }: Pick<DaemonDeps, 'organization'>, requester: string): void {
  if (requester !== organization)
    throw new ToolkitError('DT_AUTH_FORBIDDEN', { address: requester, action: 'see this', required: organization });
}
