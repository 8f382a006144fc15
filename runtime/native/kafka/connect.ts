import path from 'node:path';
import type { Child } from '../child.ts';
import { isHttpReady } from '../http-ready.ts';
import { type Part, startListening } from '../part.ts';
import { untilReady } from '../until-ready.ts';
import { findJava } from './java.ts';
import { jvmStopSteps, logFileOf, startJvm, writeProperties } from './jvm.ts';
import { kafkaLibraries } from './libraries.ts';

export interface ConnectOptions {
  runDirectory: string;
  bootstrapServers: string;
  /** Unique in the run; names files, the worker's group and its topics. */
  name?: string;
  /**
   * Variables that begin with `CDC_`. A connector's configuration names a secret as `${env:CDC_…}`, so that neither
   * Connect's topics nor its REST API, which asks for no password, hold it.
   */
  environment?: Readonly<Record<string, string>>;
  /** Worker settings beyond the lab's own, https://kafka.apache.org/documentation/#connectconfigs */
  settings?: Readonly<Record<string, string>>;
  /** Reads a backlog sooner after a start, and less of it a second later on. */
  quickStart?: boolean;
  progress?: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/**
 * A running Kafka Connect worker that has Debezium's PostgreSQL connector. A restart keeps its connectors and their
 * offsets, which are in Kafka.
 */
export interface Connect extends Part {
  /** Of the REST API. */
  readonly url: string;
  readonly logFile: string;
}

/**
 * Starts a worker in distributed mode, whose REST API listens on 127.0.0.1.
 * @throws MissingPartError without Java 17, or without Maven where the libraries were not fetched yet.
 */
export async function startConnect(options: ConnectOptions): Promise<Connect> {
  const { runDirectory, bootstrapServers, name = 'connect', signal } = options;
  const [java, libraries] = await Promise.all([findJava(), kafkaLibraries(options.progress)]);
  const file = path.join(runDirectory, `${name}.properties`);
  const logFile = logFileOf({ runDirectory, name });

  const start = async (port: number): Promise<Child> => {
    await writeProperties(file, { ...workerProperties({ name, bootstrapServers, port }), ...options.settings });
    const child = await startJvm({
      java,
      libraries,
      runDirectory,
      name,
      heapMb: 512,
      jvmOptions: options.quickStart ? quickStartOptions : [],
      classes: 'connect',
      recordsClasses: true,
      mainClass: 'org.apache.kafka.connect.cli.ConnectDistributed',
      arguments: [file],
      environment: { ...options.environment },
      logLevels,
    });
    const ready = () => isHttpReady(`http://127.0.0.1:${port}/health`);
    return untilReady(child, { name, logFile, timeoutMs: 90_000, ready, stopSteps: jvmStopSteps, signal });
  };
  const portTaken = /BindException|Address already in use|Failed to bind/;
  const part = await startListening({ name, portTaken, start, stopSteps: jvmStopSteps });
  return Object.assign(part, { url: `http://127.0.0.1:${part.port}`, logFile });
}

/**
 * The second compiler takes more of the cores, for the first half minute, than its better code gives back. Meanwhile
 * the events of the time without Connect wait, and so do the newer ones behind them.
 */
const quickStartOptions = ['-XX:TieredStopAtLevel=1'];

/** Chatty at every start about what the lab did not set. */
const logLevels = {
  'org.apache.kafka.clients.consumer.ConsumerConfig': 'error',
  'org.apache.kafka.connect.runtime.isolation': 'error',
  'org.glassfish.jersey': 'error',
};

function workerProperties({ name, bootstrapServers, port }: { name: string; bootstrapServers: string; port: number }) {
  return {
    'bootstrap.servers': bootstrapServers,
    'group.id': name,
    listeners: `http://127.0.0.1:${port}`,
    'rest.advertised.host.name': '127.0.0.1',
    'rest.advertised.port': port,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': false,
    'config.storage.topic': `${name}.configs`,
    'offset.storage.topic': `${name}.offsets`,
    'offset.storage.partitions': 1,
    'status.storage.topic': `${name}.status`,
    'status.storage.partitions': 1,
    'config.storage.replication.factor': 1,
    'offset.storage.replication.factor': 1,
    'status.storage.replication.factor': 1,
    // Until the first flush after a connector's start its stored offset shows from where it went on: `cdc` looks several
    // times meanwhile. And the slot is confirmed then, so this bounds the WAL that is kept and what a crash repeats.
    'offset.flush.interval.ms': 5_000,
    // The only worker: no other could take the tasks over while the others wait for it to come back.
    'scheduled.rebalance.max.delay.ms': 0,
    // After kill -9 the worker's group waits for its former member that long: no longer than the new process starts.
    'session.timeout.ms': 4_000,
    'heartbeat.interval.ms': 500,
    'task.shutdown.graceful.timeout.ms': 3_000,
    // Topics have their partitions and settings from the contract.
    'topic.creation.enable': false,
    'plugin.discovery': 'service_load',
    'config.providers': 'env',
    'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
    'config.providers.env.param.allowlist.pattern': 'CDC_.*',
    'producer.max.request.size': 8 * 1024 * 1024,
    'producer.buffer.memory': 32 * 1024 * 1024,
    'producer.batch.size': 256 * 1024,
  };
}
