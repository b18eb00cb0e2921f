import { randomUUID } from 'node:crypto';
import express, { type Express, type RequestHandler } from 'express';
import * as OpenApiValidator from 'express-openapi-validator';
import helmet from 'helmet';
import { gatewayRouter } from '../content-store/gateway.js';
import type { DaemonDeps } from './deps.js';
import { FileDescriber } from './describe-file.js';
import { jsonBody } from './middleware/body.js';
import { notFound, problemHandler } from './middleware/problem.js';
import { openApi } from './openapi.js';
import { assetRoutes } from './routes/assets.js';
import { documentRoutes } from './routes/documents.js';
import { draftRoutes } from './routes/drafts.js';
import { evidenceRoutes } from './routes/evidence.js';
import { grantRoutes } from './routes/grants.js';
import { heldAssetRoutes } from './routes/held-asset.js';
import { holdRoutes } from './routes/holds.js';
import { jobRoutes } from './routes/jobs.js';
import { lineageRoutes } from './routes/lineage.js';
import { liveRoutes } from './routes/live.js';
import { nameRoutes } from './routes/names.js';
import { overviewRoutes } from './routes/overview.js';
import { partyRoutes } from './routes/parties.js';
import { sessionRoutes } from './routes/sessions.js';
import { type Metrics, metricsRoute, statusRoutes } from './routes/status.js';
import { tokenRoutes } from './routes/tokens.js';
import { verifyRoutes } from './routes/verify.js';
import { servePage } from './web/page-files.js';
import { streamPlaces } from './web/places.js';
import { accessOfResponse } from './web/prove-access.js';

type ApiSpec = Parameters<typeof OpenApiValidator.middleware>[0]['apiSpec'];

/** The daemon's HTTP side as a value; listening is someone else's job. */
export function createApp(deps: DaemonDeps, metrics: Metrics): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', deps.config.trustProxy);
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');
  app.use(helmet({ contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } } }));
  app.use(audit(deps, metrics));
  app.use(servePage());
  app.use(jsonBody(deps.config.jobs.requestMaxBytes));
  app.use(
    OpenApiValidator.middleware({
      apiSpec: structuredClone<object>(openApi) as ApiSpec,
      validateRequests: { allErrors: false, coerceTypes: false },
      validateResponses: false,
      validateSecurity: false,
      validateApiSpec: false,
      validateFormats: false,
      ignoreUndocumented: true,
    }),
  );
  app.get('/ipfs/:cid', gatewayRouter(deps.localContent));
  const streams = streamPlaces();
  app.use(statusRoutes(deps), metricsRoute(metrics), assetRoutes(deps), documentRoutes(deps), grantRoutes(deps), jobRoutes(deps, streams));
  app.use(evidenceRoutes(deps), holdRoutes(deps));
  app.use(sessionRoutes(deps), tokenRoutes(deps), overviewRoutes(deps), liveRoutes(deps, streams), nameRoutes(deps), partyRoutes(deps));
  const files = new FileDescriber();
  app.use(lineageRoutes(deps), heldAssetRoutes(deps, files), draftRoutes(deps, files), verifyRoutes(deps));
  app.use(notFound);
  app.use(problemHandler(deps));
  return app;
}

/** A request id for every answer, and one line in the owner's record for everything that was asked of the jobs, grants and assets. */
function audit(deps: Pick<DaemonDeps, 'store' | 'log' | 'now'>, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    response.setHeader('x-request-id', randomUUID());
    const started = deps.now();
    // Not `finish`: who hangs up before the answer has asked all the same.
    response.on('close', () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? 'none';
      metrics.observe(request.method, route, response.statusCode);
      const { requester, job, token, code } = response.locals;
      const access = accessOfResponse(response);
      const via = access && `${access.role}: ${access.subject}`;
      const { method, ip: from } = request;
      deps.log.debug({ method, route, status: response.statusCode, ms: deps.now() - started, requester, via, from }, 'request');
      if (!/^\/v1\/(jobs|holds|grants|assets|documents|tokens|sessions?\b)/.test(request.path)) return;
      deps.store.requests
        .record({
          time: started,
          requester,
          action: `${request.method} ${route}`,
          jobId: job,
          token,
          status: response.statusCode,
          code,
          via,
        })
        .catch((error) => deps.log.warn({ err: error }, 'a request could not be recorded'));
    });
    next();
  };
}
