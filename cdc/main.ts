import { createClient } from '@clickhouse/client';
import { loadCdcConfig } from '../kernel/config/cdc.ts';
import { processEnvironment } from '../kernel/config/environment.ts';
import { serveUntilSignal } from '../kernel/http/serve.ts';
import { listen } from '../kernel/http/server.ts';
import { createKafkaClient } from '../kernel/kafka/kafkajs.ts';
import { createLogger } from '../kernel/logging.ts';
import { createMetrics } from '../kernel/metrics.ts';
import { CdcAlarm } from '../stream/alarm.ts';
import type { Engine } from '../stream/engine.ts';
import { createKafkaEngine } from '../stream/kafka-source/kafka-engine.ts';
import { combineEngines, oneAtATime } from '../stream/native/cluster.ts';
import { createNativeEngine } from '../stream/native/native-engine.ts';
import { createApp } from './app.ts';
import { createClickhouseSink } from './clickhouse/clickhouse-sink.ts';
import { withDebezium } from './debezium/with-debezium.ts';
import { Recorder } from './recorder.ts';

/** Of a process that stopped because going on would lose events; a supervisor should not just start it again. */
const alarmExitStatus = 4;

const config = loadCdcConfig(processEnvironment());
const logger = createLogger({ service: 'cdc', level: config.LOG_LEVEL, topology: config.TOPOLOGY });
const metrics = createMetrics({ service: 'cdc', topology: config.TOPOLOGY });
const nowMs = (): number => Date.now();
const stopping = new AbortController();

const clickhouse = createClient({ url: config.CLICKHOUSE_URL, application: 'lab-cdc', request_timeout: 30_000 });
const sink = createClickhouseSink({
  client: clickhouse,
  onRetry: (error, attempt, delayMs) => logger.warn({ err: error, attempt, delayMs }, 'the sink did not answer'),
});

const recorder = new Recorder({ metrics, nowMs, status: () => engine.status() });
const common = {
  sink,
  logger,
  nowMs,
  limits: {
    maxEvents: config.CDC_BATCH_EVENTS,
    maxBytes: config.CDC_BATCH_BYTES,
    maxWaitMs: config.CDC_BATCH_WAIT_MS,
  },
  graceMs: Math.max(1_000, config.SHUTDOWN_TIMEOUT_MS - 5_000),
  onSunk: recorder.sunk.bind(recorder),
  onRefused: recorder.refused.bind(recorder),
  onRestart: recorder.restarted.bind(recorder),
};
const kafka =
  config.CDC_ENGINE === 'kafka'
    ? createKafkaClient({ brokers: config.KAFKA_BROKERS, clientId: 'lab-cdc', logger })
    : undefined;
const engine: Engine =
  config.CDC_ENGINE === 'native'
    ? nativeEngine(config.DATABASE_URL, config.WORKER_DATABASE_URLS)
    : behindDebezium(
        createKafkaEngine({ ...common, kafka: kafka!, groupId: config.CDC_GROUP, watchEveryMs: config.CDC_WATCH_MS }),
      );

let alarm: string | null = null;
const running = async (): Promise<void> => {
  const { state } = engine.status();
  if (alarm !== null || (state !== 'streaming' && state !== 'loading')) throw new Error(`the engine is ${state}`);
};
const app = createApp({
  logger,
  metrics,
  recorder,
  engine,
  nowMs,
  metricsEnabled: config.METRICS_ENABLED,
  engineName: config.CDC_ENGINE,
  alarm: () => alarm,
  dependencies: [
    { name: 'engine', required: true, check: running },
    { name: 'clickhouse', required: true, check: pingClickhouse },
  ],
});
const http = await listen(app, {
  host: config.CDC_HOST,
  port: config.CDC_PORT,
  requestTimeoutMs: 5_000,
  onClosedConnection: (reason) => metrics.closedConnections.inc({ reason }),
});
const ran = engine.run(stopping.signal).catch(stopWithAlarm);
serveUntilSignal(http, {
  service: 'cdc',
  config,
  logger,
  shutdown: [
    { name: 'engine', run: stopEngine },
    { name: 'http', run: () => http.close(1_000) },
    { name: 'sink', run: () => sink.close() },
    { name: 'kafka', run: async () => kafka?.close() },
  ],
});

async function stopEngine(): Promise<void> {
  stopping.abort();
  // After an alarm the engine has stopped, and what `ran` waits for is the end of the process.
  if (alarm === null) await ran;
}

/** Of workers each has a slot of its own, by whose name the sink tells their batches apart. */
function nativeEngine(dsn: string, workers: readonly string[]): Engine {
  const options = {
    ...common,
    publication: config.CDC_PUBLICATION,
    onLostSlot: config.CDC_ON_LOST_SLOT,
    watchEveryMs: config.CDC_WATCH_MS,
    idleAdvanceBytes: config.CDC_IDLE_ADVANCE_BYTES,
    queryTimeoutMs: 15_000,
  };
  if (workers.length === 0) return createNativeEngine({ ...options, dsn, slotName: config.CDC_SLOT });
  const shared = oneAtATime(sink);
  return combineEngines(
    workers.map((worker, index) =>
      createNativeEngine({ ...options, sink: shared, dsn: worker, slotName: `${config.CDC_SLOT}_${index + 1}` }),
    ),
  );
}

/** Without Connect's address the operator registers and watches Debezium's connector. */
function behindDebezium(topicsEngine: Engine): Engine {
  if (config.CDC_ENGINE !== 'kafka' || !config.CONNECT_URL || !config.DATABASE_URL) return topicsEngine;
  return withDebezium({
    engine: topicsEngine,
    kafka: kafka!,
    logger,
    onRestart: common.onRestart,
    connectUrl: config.CONNECT_URL,
    dsn: config.DATABASE_URL,
    onLostSlot: config.CDC_ON_LOST_SLOT,
  });
}

async function pingClickhouse(): Promise<void> {
  const answer = await clickhouse.ping();
  if (!answer.success) throw answer.error;
}

async function stopWithAlarm(error: unknown): Promise<void> {
  if (error instanceof CdcAlarm) {
    alarm = error.reason;
    recorder.alarm(error.reason);
    logger.fatal(
      { alarm: error.reason, detail: error.message, remedy: error.remedy },
      'change data capture has stopped',
    );
  } else {
    alarm = 'failed';
    logger.fatal({ err: error }, 'change data capture has failed');
  }
  await new Promise((resolve) => setTimeout(resolve, config.CDC_ALARM_HOLD_MS));
  process.exit(error instanceof CdcAlarm ? alarmExitStatus : 1);
}
