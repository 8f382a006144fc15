import { startClickhouse } from './clickhouse.ts';
import { startPooler } from './database-access.ts';
import { type Broker, startBroker } from './kafka/broker.ts';
import type { Connect } from './kafka/connect.ts';
import type { Part } from './part.ts';
import type { Pgbouncer } from './pgbouncer.ts';
import type { Service } from './service.ts';
import {
  type Inbox,
  type StartContext,
  startApi,
  startCdc,
  startConnectWorker,
  startInbox,
  startIngest,
  startNotifications,
  startPayments,
  startProvider,
} from './service-starts.ts';
import { startDatabase } from './start-database.ts';
import { createStarts } from './starts.ts';

/** The running parts of a system beside the servers of its database. */
export interface SystemParts {
  pgbouncer: Pgbouncer | undefined;
  broker: Broker | undefined;
  clickhouse: (Part & { url: string }) | undefined;
  provider: Service;
  api: Service;
  payments: Service;
  ingest: Service | undefined;
  connect: Connect | undefined;
  cdcProcess: Service | undefined;
  inbox: Inbox | undefined;
  notifications: Service | undefined;
}

/**
 * A server that was killed replays the WAL since its last checkpoint, and a replica that since its last restartpoint:
 * with the quarter of an hour that benchmarks want, that takes longer than all other parts together.
 */
function withQuickRestart<T extends Pick<StartContext, 'restarts' | 'settings'>>(options: T): T {
  return options.restarts ? { ...options, settings: { checkpoint_timeout: '2min', ...options.settings } } : options;
}

/**
 * Starts every part as soon as what it needs is there, and puts the database into the deployment.
 * @throws the first failure, once nothing is being started any more; what runs by then is the caller's to end.
 * Longer than 60 lines because each part stands once, beside what it waits for.
 */
export async function startParts(
  options: Omit<StartContext, 'signal'> & { signal?: AbortSignal },
): Promise<SystemParts> {
  const { deployment, mode, cdc, runDirectory, progress } = options;
  const starts = createStarts(options.signal);
  const { signal } = starts;
  const context: StartContext = { ...withQuickRestart(options), signal };

  const database = starts.run(async () => {
    deployment.database = await startDatabase({ ...context, topology: deployment.topology });
  });
  const pgbouncer = starts.runIf(options.pgbouncer === true, async () => {
    await database;
    progress('starting pgbouncer');
    return startPooler(deployment, runDirectory, signal);
  });
  const broker = starts.runIf(mode === 'kafka' || cdc === 'debezium', () => {
    progress('starting Kafka');
    return startBroker({ runDirectory, progress, signal });
  });
  const clickhouse = starts.runIf(cdc !== 'off', () => {
    progress('starting ClickHouse');
    return startClickhouse({ runDirectory, signal });
  });
  const provider = starts.run(() => startProvider(context));
  const inbox = starts.runIf(options.notifications === true, () => startInbox(context));
  const api = starts.run(async () => {
    await database;
    return startApi(context, {
      provider: await provider,
      broker: await broker,
      clickhouse: await clickhouse,
      pgbouncer: await pgbouncer,
      inbox: await inbox,
    });
  });
  const payments = starts.run(async () => {
    await database;
    return startPayments(context, await provider);
  });
  const ingest = starts.runIf(mode === 'kafka', async () => startIngest(context, (await broker)!));
  const connect = starts.runIf(cdc === 'debezium', async () => {
    await database;
    return startConnectWorker(context, (await broker)!);
  });
  const cdcProcess = starts.runIf(cdc !== 'off', async () => {
    await database;
    return startCdc(context, {
      clickhouse: (await clickhouse)!,
      broker: await broker,
      connect: await connect,
    });
  });
  const notifications = starts.runIf(options.notifications === true, async () => {
    await database;
    return startNotifications(context, { inbox: (await inbox)!, broker: await broker, connect: await connect });
  });
  await starts.all();
  return settled({
    pgbouncer,
    broker,
    clickhouse,
    provider,
    api,
    payments,
    ingest,
    connect,
    cdcProcess,
    inbox,
    notifications,
  });
}

/** What each of the promises has become. */
async function settled<Parts extends object>(
  promises: Parts,
): Promise<{ [Name in keyof Parts]: Awaited<Parts[Name]> }> {
  const entries = Object.entries(promises).map(async ([name, part]) => [name, await part] as const);
  return Object.fromEntries(await Promise.all(entries)) as { [Name in keyof Parts]: Awaited<Parts[Name]> };
}

/** In the order in which they depend on one another. */
export function listParts(parts: SystemParts): Part[] {
  return Object.values(parts).filter((part) => part !== undefined);
}
