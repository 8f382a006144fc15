import express, { type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { measureRequests, metricsRouter } from '../kernel/http/measure.ts';
import { errorHandler, notFound } from '../kernel/http/middleware.ts';
import { requestId } from '../kernel/http/request-id.ts';
import type { Metrics } from '../kernel/metrics.ts';

export interface AppParts {
  logger: Logger;
  metrics: Metrics;
  metricsEnabled: boolean;
  health: Router;
  webhooks: Router;
  /** Mounted below /api/v1, in this order. */
  resources: Router[];
  /** As these, for requests that come without an access token. */
  openResources: Router[];
  /** Runs before the resources. */
  limiter: RequestHandler;
  /** Reads access tokens, behind the limiter: what is refused counts too. */
  authenticate: RequestHandler;
  /** /openapi.json and /docs. */
  documentation: Router;
}

/** Puts the routers together. The webhook path comes first and passes as little middleware as possible. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.use(requestId);
  if (parts.metricsEnabled) app.use(measureRequests(parts.metrics));
  app.use('/webhooks', parts.webhooks);
  app.use(parts.health);
  app.use(metricsRouter(parts.metrics));
  app.use(helmet());
  app.use(parts.documentation);
  app.use('/api/v1', parts.limiter, ...parts.openResources, parts.authenticate, ...parts.resources);
  app.use(notFound);
  app.use(errorHandler(parts.logger));
  return app;
}
