import { processEnvironment } from '../kernel/config/environment.ts';
import { loadNotificationsConfig } from '../kernel/config/notifications.ts';
import { serveUntilSignal } from '../kernel/http/serve.ts';
import { listen } from '../kernel/http/server.ts';
import { createLogger } from '../kernel/logging.ts';
import { createMetrics } from '../kernel/metrics.ts';
import { createPool } from '../kernel/postgres/pool.ts';
import { repeat } from '../kernel/repeat.ts';
import { CdcAlarm } from '../stream/alarm.ts';
import type { Engine } from '../stream/engine.ts';
import { combineEngines } from '../stream/native/cluster.ts';
import { createNativeEngine } from '../stream/native/native-engine.ts';
import { createApp } from './app.ts';
import { createDeliverer, type Deliverer } from './deliver/deliver.ts';
import { createMailer } from './email/mailer.ts';
import type { Channel } from './notification.ts';
import { createPlanner } from './plan/plan.ts';
import { createQueue } from './queue/queue.ts';
import { createSeries } from './series.ts';
import { createWebhookSender } from './webhook/sender.ts';

/** Of a process that stopped because going on would lose events; a supervisor should not just start it again. */
const alarmExitStatus = 4;

const config = loadNotificationsConfig(processEnvironment());
const logger = createLogger({ service: 'notifications', level: config.LOG_LEVEL, topology: config.TOPOLOGY });
const metrics = createMetrics({ service: 'notifications', topology: config.TOPOLOGY });
const stopping = new AbortController();

const pool = createPool({ dsn: config.DATABASE_URL, applicationName: 'lab-notifications', logger, max: 6 });
metrics.watchPool('notifications', pool);
const queue = createQueue(pool);
const series = createSeries(metrics, {
  status: () => engine.status(),
  isOut: (channel) => deliverers[channel].outage() !== null,
});

const deliverers: Record<Channel, Deliverer> = {
  email: deliverer(
    'email',
    createMailer({ smtpUrl: config.SMTP_URL, from: config.MAIL_FROM, timeoutMs: config.SEND_TIMEOUT_MS }),
  ),
  webhook: deliverer(
    'webhook',
    createWebhookSender({
      allowedTargets: config.WEBHOOK_ALLOWED_TARGETS,
      timeoutMs: config.SEND_TIMEOUT_MS,
      now: () => new Date(),
    }),
  ),
};
const planner = createPlanner({
  pool,
  logger,
  maxAgeSeconds: config.NOTIFICATIONS_MAX_AGE_SECONDS,
  onPlanned: (count) => {
    series.planned.inc(count);
    for (const one of Object.values(deliverers)) one.wake();
  },
});

const reader = {
  sink: planner,
  logger,
  nowMs: () => Date.now(),
  limits: { maxEvents: 1_000, maxBytes: 8 * 1024 * 1024, maxWaitMs: 50 },
  graceMs: Math.max(1_000, config.SHUTDOWN_TIMEOUT_MS - 5_000),
  onSunk: () => {},
  onRefused: (reason: string) => series.refusedEvents.inc({ reason }),
  onRestart: () => series.restarts.inc(),
};
// The client is loaded where topics are read only.
const kafka =
  config.CDC_ENGINE === 'kafka'
    ? (await import('../kernel/kafka/kafkajs.ts')).createKafkaClient({
        brokers: config.KAFKA_BROKERS,
        clientId: 'lab-notifications',
        logger,
      })
    : undefined;
const engine: Engine =
  config.CDC_ENGINE === 'native'
    ? nativeEngine(config.SOURCE_DATABASE_URL, config.WORKER_DATABASE_URLS)
    : (await import('../stream/kafka-source/kafka-engine.ts')).createKafkaEngine({
        ...reader,
        kafka: kafka!,
        groupId: config.CDC_GROUP,
        watchEveryMs: config.CDC_WATCH_MS,
      });

let alarm: string | null = null;
const running = async (): Promise<void> => {
  const { state } = engine.status();
  // A second process waits while the first one reads, and sends meanwhile.
  if (alarm !== null || state === 'starting' || state === 'stopped') throw new Error(`the reader is ${state}`);
};
const app = createApp({
  logger,
  metrics,
  metricsEnabled: config.METRICS_ENABLED,
  engineName: config.CDC_ENGINE,
  engine,
  queue,
  deliverers,
  alarm: () => alarm,
  dependencies: [
    { name: 'reader', required: true, check: running },
    { name: 'postgres', required: true, check: () => pool.query('select 1') },
  ],
});
const http = await listen(app, {
  host: config.NOTIFICATIONS_HOST,
  port: config.NOTIFICATIONS_PORT,
  requestTimeoutMs: 5_000,
  onClosedConnection: (reason) => metrics.closedConnections.inc({ reason }),
});
const sent = Promise.all(Object.values(deliverers).map((one) => one.run(stopping.signal)));
const counted = repeat(countOpen, { pauseMs: 5_000, signal: stopping.signal });
const ran = engine.run(stopping.signal).catch(stopWithAlarm);
serveUntilSignal(http, {
  service: 'notifications',
  config,
  logger,
  shutdown: [
    { name: 'reader and senders', run: stopWork },
    { name: 'http', run: () => http.close(1_000) },
    { name: 'kafka', run: async () => kafka?.close() },
    { name: 'pool', run: () => pool.end() },
  ],
});

async function stopWork(): Promise<void> {
  stopping.abort();
  await Promise.all([sent, counted]);
  // After an alarm the reader has stopped, and what `ran` waits for is the end of the process.
  if (alarm === null) await ran;
}

function deliverer(channel: Channel, send: ReturnType<typeof createMailer>): Deliverer {
  return createDeliverer({
    channel,
    queue,
    send,
    concurrency: config.NOTIFICATIONS_CONCURRENCY,
    maxAttempts: config.NOTIFICATIONS_MAX_ATTEMPTS,
    backoffMs: config.NOTIFICATIONS_BACKOFF_MS,
    leaseSeconds: (config.SEND_TIMEOUT_MS * 2) / 1_000 + 5,
    pollMs: config.NOTIFICATIONS_POLL_MS,
    random: Math.random,
    logger,
    onOutcome: (name, outcome) => series.outcomes.inc({ channel: name, outcome }),
  });
}

/** Of workers each has a slot of its own. */
function nativeEngine(dsn: string, workers: readonly string[]): Engine {
  const options = {
    ...reader,
    publication: config.CDC_PUBLICATION,
    onLostSlot: config.CDC_ON_LOST_SLOT,
    watchEveryMs: config.CDC_WATCH_MS,
    idleAdvanceBytes: 262_144,
    queryTimeoutMs: 15_000,
  };
  if (workers.length === 0) return createNativeEngine({ ...options, dsn, slotName: config.CDC_SLOT });
  return combineEngines(
    workers.map((worker, index) =>
      createNativeEngine({ ...options, dsn: worker, slotName: `${config.CDC_SLOT}_${index + 1}` }),
    ),
  );
}

async function countOpen(): Promise<void> {
  try {
    const open = await queue.countOpen();
    series.open.reset();
    for (const { channel, status, count } of open) series.open.set({ channel, status }, count);
  } catch {
    // The next look may succeed; that the database is away is told by others.
  }
}

async function stopWithAlarm(error: unknown): Promise<void> {
  if (error instanceof CdcAlarm) {
    alarm = error.reason;
    series.alarm.set({ reason: error.reason }, 1);
    logger.fatal({ alarm: error.reason, detail: error.message, remedy: error.remedy }, 'notifications have stopped');
  } else {
    alarm = 'failed';
    logger.fatal({ err: error }, 'notifications have failed');
  }
  await new Promise((resolve) => setTimeout(resolve, config.CDC_ALARM_HOLD_MS));
  process.exit(error instanceof CdcAlarm ? alarmExitStatus : 1);
}
