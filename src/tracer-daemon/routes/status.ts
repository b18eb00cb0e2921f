import { Router } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { DaemonIdentity } from '../../peers/daemon-identity.js';
import { splitHostPort } from '../../peers/link/link-address.js';
import { type DaemonDeps, SOFTWARE } from '../deps.js';
import { openApi } from '../openapi.js';
import { runStates } from '../store/run-state.js';

/** Who this is, how it is, and what it counts. Open to anyone: none of it names a consumer, a token or a path. */
export function statusRoutes(deps: DaemonDeps): Router {
  const router = Router();
  router.get('/v1/identity', (_request, response) => {
    const { organization, domain, sandbox } = deps;
    const link = linkOf(deps);
    const identity: DaemonIdentity = {
      organization,
      chain: domain,
      software: SOFTWARE,
      sandbox: { level: sandbox.level, layers: sandbox.layers },
      ...(link && { link }),
    };
    response.json(identity);
  });
  router.get('/v1/openapi.json', (_request, response) => {
    response.json(openApi);
  });
  router.get('/v1/health', async (_request, response) => {
    const state = (check: Promise<unknown>): Promise<'ok' | 'failed'> =>
      check.then(
        () => 'ok' as const,
        () => 'failed' as const,
      );
    const [chain, store] = await Promise.all([state(deps.ledger.head()), state(deps.store.ping())]);
    const healthy = chain === 'ok' && store === 'ok';
    const links = {
      key: deps.linkKeyState(),
      ...(deps.links.port !== undefined && { port: deps.links.port }),
      connected: deps.links.peers().filter(({ isConnected }) => isConnected).length,
    };
    response.status(healthy ? 200 : 503).json({ status: healthy ? 'ok' : 'degraded', chain, store, sandbox: deps.sandbox.level, links });
  });
  return router;
}

/** Absent where nobody can call. */
function linkOf({ config, links }: Pick<DaemonDeps, 'config' | 'links'>): DaemonIdentity['link'] {
  const { publicKey: key, port } = links;
  if (port === undefined) return undefined;
  const advertised = config.link.advertise === undefined ? undefined : splitHostPort(config.link.advertise);
  return { ...(advertised ?? { port }), key };
}

export interface Metrics {
  readonly registry: Registry;
  observe(method: string, route: string, status: number): void;
  roundTrip(): void;
}

export function createMetrics(deps: Pick<DaemonDeps, 'store'>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'dt_http_requests_total',
    help: 'HTTP requests by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const roundTrips = new Counter({ name: 'dt_chain_round_trips_total', help: 'JSON-RPC round trips to the chain', registers: [registry] });
  new Gauge({
    name: 'dt_jobs',
    help: 'Runs by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await deps.store.runs.counts();
      for (const state of runStates) this.set({ state }, counts[state]);
    },
  });
  return {
    registry,
    observe: (method, route, status) => requests.inc({ method, route, status }),
    roundTrip: () => roundTrips.inc(),
  };
}

export function metricsRoute(metrics: Metrics): Router {
  const router = Router();
  router.get('/v1/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return router;
}
