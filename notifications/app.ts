import { type Express, Router } from 'express';
import { type BackgroundAppParts, createBackgroundApp } from '../kernel/http/background-app.ts';
import { sendData } from '../kernel/http/envelope.ts';
import { methodNotAllowed } from '../kernel/http/middleware.ts';
import type { Engine } from '../stream/engine.ts';
import type { Deliverer } from './deliver/deliver.ts';
import type { Channel } from './notification.ts';
import type { Queue } from './queue/queue.ts';

export interface AppParts extends BackgroundAppParts {
  engineName: string;
  engine: Pick<Engine, 'status'>;
  queue: Pick<Queue, 'countOpen'>;
  deliverers: Readonly<Record<Channel, Pick<Deliverer, 'outage'>>>;
  /** The reason of the alarm, once there is one. */
  alarm(): string | null;
}

/** Health, metrics and what waits. Nothing can be changed over HTTP. */
export function createApp(parts: AppParts): Express {
  return createBackgroundApp(parts, statusRouter(parts));
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
