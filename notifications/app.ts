import express, { type Express, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { sendData } from '../kernel/http/envelope.ts';
import { type Dependency, healthRouter } from '../kernel/http/health.ts';
import { measureRequests, metricsRouter } from '../kernel/http/measure.ts';
import { errorHandler, methodNotAllowed, notFound } from '../kernel/http/middleware.ts';
import { requestId } from '../kernel/http/request-id.ts';
import type { Metrics } from '../kernel/metrics.ts';
import type { Engine } from '../stream/engine.ts';
import type { Deliverer } from './deliver/deliver.ts';
import type { Channel } from './notification.ts';
import type { Queue } from './queue/queue.ts';

export interface AppParts {
  logger: Logger;
  metrics: Metrics;
  metricsEnabled: boolean;
  dependencies: Dependency[];
  engineName: string;
  engine: Pick<Engine, 'status'>;
  queue: Pick<Queue, 'countOpen'>;
  deliverers: Readonly<Record<Channel, Pick<Deliverer, 'outage'>>>;
  /** The reason of the alarm, once there is one. */
  alarm(): string | null;
}

/** Health, metrics and what waits. Nothing can be changed over HTTP. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(requestId);
  if (parts.metricsEnabled) app.use(measureRequests(parts.metrics));
  app.use(healthRouter(parts.dependencies, 2_000));
  app.use(metricsRouter(parts.metrics));
  app.use(statusRouter(parts));
  app.use(helmet());
  app.use(notFound);
  app.use(errorHandler(parts.logger));
  return app;
}

/** GET /status: where the reader stands, and by channel what waits and why. */
function statusRouter(parts: AppParts): Router {
  const router = Router();
  router
    .route('/status')
    .get(async (_request, response) => sendData(response, 'notifications_status', await status(parts)))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

async function status({ engine, engineName, queue, deliverers, alarm }: AppParts) {
  const reader = engine.status();
  const open = await queue.countOpen();
  const count = (channel: string, state: string) =>
    open.find((row) => row.channel === channel && row.status === state)?.count ?? 0;
  const channels = Object.entries(deliverers).map(([channel, deliverer]) => [
    channel,
    { pending: count(channel, 'pending'), dead: count(channel, 'dead'), outage: deliverer.outage() },
  ]);
  return {
    engine: engineName,
    state: reader.state,
    alarm: alarm(),
    slot_lag_bytes: reader.lagBytes ?? null,
    consumer_lag: reader.consumerLag ?? null,
    channels: Object.fromEntries(channels),
  };
}
