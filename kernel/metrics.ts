import { readdir } from 'node:fs/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Bucket bounds in seconds, dense around the targets of 10 ms, 100 ms and 1 s. */
const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10];

/** What a connection pool says of itself; `pg.Pool` does. */
export interface PoolState {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/**
 * The metrics that every service exports, in a registry of their own. Every series carries `topology` and `service`.
 * Prometheus naming: https://prometheus.io/docs/practices/naming/
 */
export function createMetrics(labels: { service: string; topology: string }) {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  replaceSlowMetrics(registry);
  const registers = [registry];
  const pools = new Map<string, PoolState>();
  return {
    registry,
    /** Reports the pool's connections under that name whenever the metrics are asked for. */
    watchPool: (name: string, pool: PoolState): void => void pools.set(name, pool),
    poolConnections: poolConnections(registers, pools),
    ...requestMetrics(registers),
    ...webhookMetrics(registers),
    ...databaseMetrics(registers),
    ...pipelineMetrics(registers),
    ...paymentMetrics(registers),
  };
}

/**
 * Some default metrics are counted one by one, in a synchronous call, at every scrape: with 10,000 connections all
 * requests wait some 40 ms for it. Files are counted off the main thread; handles and requests tell what other metrics do.
 */
function replaceSlowMetrics(registry: Registry): void {
  for (const what of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${what}`);
    registry.removeSingleMetric(`nodejs_active_${what}_total`);
  }
  if (!registry.getSingleMetric('process_open_fds')) return;
  registry.removeSingleMetric('process_open_fds');
  new Gauge({
    name: 'process_open_fds',
    help: 'Number of open file descriptors.',
    registers: [registry],
    async collect() {
      // One of them reads the directory.
      this.set((await readdir('/proc/self/fd')).length - 1);
    },
  });
}

function poolConnections(registers: Registry[], pools: ReadonlyMap<string, PoolState>): Gauge {
  return new Gauge({
    name: 'postgres_pool_connections',
    help: 'Connections of a pool that are busy or idle, and the callers that wait for one.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [pool, { totalCount, idleCount, waitingCount }] of pools) {
        this.set({ pool, state: 'busy' }, totalCount - idleCount);
        this.set({ pool, state: 'idle' }, idleCount);
        this.set({ pool, state: 'waiting' }, waitingCount);
      }
    },
  });
}

/** What the HTTP server does. */
function requestMetrics(registers: Registry[]) {
  return {
    httpRequestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to the end of its response.',
      labelNames: ['method', 'route', 'status'],
      buckets: latencyBuckets,
      registers,
    }),
    refusedConnections: new Counter({
      name: 'http_connections_refused_total',
      help: 'Connections closed at once, since MAX_CONNECTIONS were open.',
      registers,
    }),
    closedConnections: new Counter({
      name: 'http_connections_closed_total',
      help: 'Connections closed because of what the client sent, or did not send in time, by the error code.',
      labelNames: ['reason'],
      registers,
    }),
  };
}

/** What the payment worker does. */
function paymentMetrics(registers: Registry[]) {
  return {
    paymentCommands: new Counter({
      name: 'payment_commands_total',
      help: 'Steps on commands of payments, by what became of the command.',
      labelNames: ['operation', 'end'],
      registers,
    }),
    paymentCommandsWaiting: new Gauge({
      name: 'payment_commands_waiting',
      help: 'Commands of payments that have no outcome yet; dead ones wait for an operator.',
      labelNames: ['status'],
      registers,
    }),
    paymentBreakerOpen: new Gauge({
      name: 'payment_breaker_open',
      help: 'Whether requests are kept away from a provider of payments.',
      labelNames: ['provider'],
      registers,
    }),
    paymentConfirmations: new Counter({
      name: 'payment_confirmations_total',
      help: 'Webhooks in which a provider says that there is news of a payment.',
      labelNames: ['was'],
      registers,
    }),
    settlementDifferences: new Gauge({
      name: 'payment_settlement_differences',
      help: 'Differences to the provider that the last reconciliation of a day found.',
      labelNames: ['provider'],
      registers,
    }),
  };
}

/** From the webhook to the transaction that applies it. */
function webhookMetrics(registers: Registry[]) {
  return {
    webhooks: new Counter({
      name: 'webhooks_total',
      help: 'Webhooks that reached a verdict.',
      labelNames: ['provider', 'verdict'],
      registers,
    }),
    webhooksRejected: new Counter({
      name: 'webhooks_rejected_total',
      help: 'Webhooks refused before they were stored.',
      labelNames: ['provider', 'code'],
      registers,
    }),
    webhooksMasked: new Counter({
      name: 'webhooks_masked_total',
      help: 'Requests with correctly signed webhooks in which card numbers or security codes were masked.',
      labelNames: ['provider'],
      registers,
    }),
    batchSize: new Histogram({
      name: 'webhook_batch_size',
      help: 'Webhooks applied by one transaction.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      registers,
    }),
    batchDuration: new Histogram({
      name: 'webhook_batch_duration_seconds',
      help: 'Time of one applyWebhooks transaction, COMMIT included.',
      buckets: latencyBuckets,
      registers,
    }),
    queueLength: new Gauge({ name: 'webhook_queue_length', help: 'Webhooks that wait for the next batch.', registers }),
    parkedWebhooks: new Gauge({
      name: 'webhooks_parked',
      help: 'Webhooks that wait for their order.',
      registers,
    }),
    parkedOldestSeconds: new Gauge({
      name: 'webhooks_parked_oldest_seconds',
      help: 'How long the oldest parked webhook has waited for its order.',
      registers,
    }),
    quarantinedWebhooks: new Gauge({
      name: 'webhooks_quarantined',
      help: 'Webhooks that contradict what is known and wait for the decision of an operator.',
      registers,
    }),
    providerRequestDuration: new Histogram({
      name: 'provider_request_duration_seconds',
      help: 'Time of one call to the payment provider.',
      labelNames: ['operation', 'outcome'],
      buckets: latencyBuckets,
      registers,
    }),
  };
}

/** Reads, replicas and partitions. */
function databaseMetrics(registers: Registry[]) {
  return {
    reads: new Counter({
      name: 'reads_total',
      help: 'Reads by the node that answered them and why it was chosen.',
      labelNames: ['node', 'reason'],
      registers,
    }),
    replicaLag: new Gauge({
      name: 'replica_lag_bytes',
      help: 'WAL that the primary has written and the replica has not replayed.',
      labelNames: ['replica'],
      registers,
    }),
    replicaLagSeconds: new Gauge({
      name: 'replica_lag_seconds',
      help: 'Age of the oldest write that the replica has not replayed.',
      labelNames: ['replica'],
      registers,
    }),
    replicaHealthy: new Gauge({
      name: 'replica_healthy',
      help: '1 while the replica gets reads, 0 while it is gone or too far behind.',
      labelNames: ['replica'],
      registers,
    }),
    defaultPartitionRows: new Gauge({
      name: 'default_partition_rows',
      help: 'Rows in a default partition; above 0 means that premake fell behind.',
      labelNames: ['table'],
      registers,
    }),
  };
}

/** Through Kafka and change data capture. */
function pipelineMetrics(registers: Registry[]) {
  return {
    produceDuration: new Histogram({
      name: 'kafka_produce_duration_seconds',
      help: 'Time until the broker had stored the webhooks of one request, or until that was given up.',
      labelNames: ['outcome'],
      buckets: latencyBuckets,
      registers,
    }),
    consumedMessages: new Counter({
      name: 'consumer_messages_total',
      help: 'Messages that the consumers are done with, by what became of them: applied, retry or dead_letter.',
      labelNames: ['topic', 'outcome'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'consumer_dead_letters_total',
      help: 'Messages put into a dead-letter topic, by the reason.',
      labelNames: ['topic', 'reason'],
      registers,
    }),
    consumerLag: new Gauge({
      name: 'consumer_lag_messages',
      help: 'Messages of a partition that the consumer group has not processed yet.',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    consumerPaused: new Gauge({
      name: 'consumer_paused',
      help: '1 while the consumers wait for the database, else 0.',
      registers,
    }),
    stageDuration: new Histogram({
      name: 'pipeline_stage_seconds',
      help: 'Time that an event spent in one stage of the pipeline.',
      labelNames: ['stage'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300],
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
