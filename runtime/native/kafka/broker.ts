import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import path from 'node:path';
import { createKafkaClient } from '../../../kernel/kafka/kafkajs.ts';
import type { KafkaClient, TopicSpec } from '../../../kernel/kafka/port.ts';
import { createLogger } from '../../../kernel/logging.ts';
import type { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { type Part, startListening } from '../part.ts';
import { untilDone, untilReady } from '../until-ready.ts';
import { findJava, type Java } from './java.ts';
import { jvmStopSteps, logFileOf, ownDirectory, startJvm, writeProperties } from './jvm.ts';
import { kafkaLibraries } from './libraries.ts';

export interface BrokerOptions {
  runDirectory: string;
  /** Unique in the run; names files and directories. */
  name?: string;
  /** A port that must be used; without one a free port. */
  port?: number;
  /** Broker settings beyond the lab's own, https://kafka.apache.org/documentation/#brokerconfigs */
  settings?: Readonly<Record<string, string>>;
  progress?: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** A running Kafka broker that is its own controller (KRaft). A restart keeps its data and ports. */
export interface Broker extends Part {
  /** As in `127.0.0.1:9092`. */
  readonly bootstrapServers: string;
  readonly port: number;
  readonly logFile: string;
  readonly version: string;
}

/** As the pom has it. */
const kafkaVersion = '4.3.1';

const offsetsPartitions = 4;

/**
 * Starts a broker on 127.0.0.1 with a data directory of its own; topics are never made by writing to them.
 * @throws MissingPartError without Java 17, or without Maven where the libraries were not fetched yet.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { runDirectory, name = 'kafka', settings = {}, signal } = options;
  const java = await findJava();
  const libraries = await kafkaLibraries(options.progress);
  const dataDirectory = await ownDirectory({ runDirectory, name: `${name}-data`, java });
  const file = path.join(runDirectory, `${name}.properties`);
  const place = { runDirectory, name, java, libraries, file };

  let configuredPort: number | undefined;
  const startOn = async (port: number): Promise<Child> => {
    if (port !== configuredPort) {
      const ports = { port, controllerPort: await freePort() };
      await writeProperties(file, { ...brokerProperties({ ...ports, dataDirectory }), ...settings });
      if (configuredPort === undefined) await format(place);
      configuredPort = port;
    }
    return startServer({ ...place, port, signal });
  };
  const part = await startListening({
    name,
    port: options.port,
    portTaken: /BindException|Address already in use/,
    start: startOn,
    stopSteps: jvmStopSteps,
  });
  await withLabClient(part.port, (client) => client.ensureTopics([offsetsTopic]));
  return Object.assign(part, {
    bootstrapServers: `127.0.0.1:${part.port}`,
    logFile: logFileOf(place),
    version: kafkaVersion,
  });
}

interface Place {
  runDirectory: string;
  name: string;
  java: Java;
  libraries: string;
  /** The broker's configuration. */
  file: string;
}

async function startServer(options: Place & { port: number; signal: AbortSignal | undefined }): Promise<Child> {
  const { name, file, port, signal } = options;
  const child = await startJvm({
    ...options,
    mainClass: 'kafka.Kafka',
    arguments: [file],
    heapMb: 384,
    classes: 'broker',
    recordsClasses: true,
    // A broker of the lab lives for minutes, beside what it serves: for the first of them the second compiler takes
    // more of the cores than its better code gives back.
    jvmOptions: ['-XX:TieredStopAtLevel=1'],
  });
  return untilReady(child, {
    name,
    logFile: logFileOf(options),
    timeoutMs: 60_000,
    ready: () => answers(port),
    stopSteps: jvmStopSteps,
    signal,
  });
}

/** Gives the data directory its cluster id. */
async function format(options: Place): Promise<void> {
  const { file } = options;
  const name = `${options.name}-format`;
  const child = await startJvm({
    ...options,
    name,
    mainClass: 'kafka.tools.StorageTool',
    // With an equals sign, because one id in 64 begins with a dash.
    arguments: ['format', '--config', file, `--cluster-id=${randomBytes(16).toString('base64url')}`, '--standalone'],
    heapMb: 128,
    classes: 'broker',
  });
  await untilDone(child, "Kafka's storage was not formatted", logFileOf({ ...options, name }));
}

function brokerProperties(place: { port: number; controllerPort: number; dataDirectory: string }) {
  const { port, controllerPort, dataDirectory } = place;
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: `BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `BROKER://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataDirectory,
    // A misspelt name has to be an error, not a topic with default settings.
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': offsetsPartitions,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // One broker has no copy on another, so what it acknowledges is on disk first: kill -9 of the machine included.
    'log.flush.interval.messages': 1,
    // A group of the lab has all its members from the start; waiting for more only delays it.
    'group.initial.rebalance.delay.ms': 0,
    // After kill -9 the broker may register again only when its former session has ended. Its controller is in the same
    // process: a session that ends by mistake, in a pause of both, begins again with the next heartbeat.
    'broker.session.timeout.ms': 1_500,
    'broker.heartbeat.interval.ms': 250,
    // A member that was killed holds its group up for the rest of its session.
    'group.min.session.timeout.ms': 1_000,
    'log.segment.bytes': 256 * 1024 * 1024,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'socket.request.max.bytes': 100 * 1024 * 1024,
  };
}

/**
 * Where the broker keeps the groups' offsets, as it would make it by itself, except that it does not sync each commit.
 * An offset that a power cut takes back only makes messages come again, which their readers know already.
 */
export const offsetsTopic: TopicSpec = {
  name: '__consumer_offsets',
  partitions: offsetsPartitions,
  settings: {
    'cleanup.policy': 'compact',
    'compression.type': 'producer',
    'segment.bytes': String(100 * 1024 * 1024),
    'flush.messages': '9223372036854775807',
  },
};

/** The port is bound early in the start; only an answer shows that the broker serves clients. */
async function answers(port: number): Promise<boolean> {
  if (!(await accepts(port))) return false;
  return withLabClient(port, (client) => client.ping(2_000)).then(
    () => true,
    () => false,
  );
}

async function withLabClient(port: number, work: (client: KafkaClient) => Promise<void>): Promise<void> {
  const client = createKafkaClient({
    brokers: [`127.0.0.1:${port}`],
    clientId: 'lab-start',
    logger: createLogger({ service: 'lab', level: 'silent' }),
  });
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
