import express, { type Express, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { type Dependency, healthRouter } from '../kernel/http/health.ts';
import { measureRequests, metricsRouter } from '../kernel/http/measure.ts';
import { errorHandler, notFound } from '../kernel/http/middleware.ts';
import { requestId } from '../kernel/http/request-id.ts';
import type { Metrics } from '../kernel/metrics.ts';

export interface AppParts {
  logger: Logger;
  metrics: Metrics;
  metricsEnabled: boolean;
  dependencies: Dependency[];
  confirmations: Router;
}

/** Health, metrics, and what the wallet confirms. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(requestId);
  if (parts.metricsEnabled) app.use(measureRequests(parts.metrics));
  app.use(parts.confirmations);
  app.use(healthRouter(parts.dependencies, 2_000));
  app.use(metricsRouter(parts.metrics));
  app.use(helmet());
  app.use(notFound);
  app.use(errorHandler(parts.logger));
  return app;
}
