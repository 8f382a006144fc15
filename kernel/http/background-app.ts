import express, { type Express, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { type Dependency, healthRouter } from './health.ts';
import { measureRequests, metricsRouter } from './measure.ts';
import { errorHandler, notFound } from './middleware.ts';
import { requestId } from './request-id.ts';

export interface BackgroundAppParts {
  logger: Logger;
  metrics: Metrics;
  metricsEnabled: boolean;
  dependencies: Dependency[];
}

/** What a process whose work is not HTTP shows of itself: health, metrics and what `own` adds. */
export function createBackgroundApp(parts: BackgroundAppParts, own: Router): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(requestId);
  if (parts.metricsEnabled) app.use(measureRequests(parts.metrics));
  app.use(healthRouter(parts.dependencies, 2_000));
  app.use(metricsRouter(parts.metrics));
  app.use(own);
  app.use(helmet());
  app.use(notFound);
  app.use(errorHandler(parts.logger));
  return app;
}
