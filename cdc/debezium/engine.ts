import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { domainTopicSpecs } from '../../kernel/contract/topics.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { formatLsn } from '../../kernel/postgres/lsn.ts';
import { CdcAlarm } from '../alarm.ts';
import type { Engine } from '../engine.ts';
import { type SlotStatus, slotStatus } from '../native/slot.ts';
import { ConnectError, registerConnector } from './connect-api.ts';
import { type ConnectorNames, defaultNames, sourceOf } from './connector.ts';
import { reloadConnector, watchConnector } from './watch.ts';

export interface DebeziumOptions {
  /** The engine that reads the topics which Debezium fills. */
  engine: Engine;
  kafka: KafkaClient;
  /** Of Connect's REST API. */
  connectUrl: string;
  /** Of a login with the rights of lab_cdc and REPLICATION; Connect knows its password as CDC_DATABASE_PASSWORD. */
  dsn: string;
  names?: ConnectorNames;
  onLostSlot: 'stop' | 'reload';
  logger: Logger;
  onRestart(): void;
}

const watchEveryMs = 1_000;

/**
 * The Kafka engine together with what fills its topics: registers the connector, watches it and its slot, and stops with
 * the same alarms as the native engine.
 */
export function withDebezium(options: DebeziumOptions): Engine {
  const { engine, logger, dsn, names = defaultNames } = options;
  const address = { url: options.connectUrl, name: names.name };
  let slot: SlotStatus | undefined;
  let isFed = false;

  const readSlot = () => withClient(dsn, (client) => slotStatus(client, names.slotName));

  const register = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await registerConnector({
          ...{ url: options.connectUrl, kafka: options.kafka, source: sourceOf(dsn), names, signal },
          topics: domainTopicSpecs,
        });
        isFed = true;
        return;
      } catch (error) {
        if (signal.aborted) return;
        // A connector that fails is the watch's affair, which tells alarms from what passes.
        if (error instanceof ConnectError && error.connectorFailed) return;
        logger.warn({ err: error }, 'the connector could not be registered yet');
        await delay(1_000, undefined, { signal }).catch(() => {});
      }
    }
  };

  const watch = async (signal: AbortSignal): Promise<void> => {
    await watchConnector({
      ...{ ...address, slotName: names.slotName, readSlot, everyMs: watchEveryMs, signal },
      onLook: (_health, seen) => {
        slot = seen;
      },
      onRestart: ({ detail }) => {
        logger.warn({ detail }, 'the connector failed and is started again');
        options.onRestart();
      },
      onProblem: (error) => logger.debug({ err: error }, 'the connector or its slot could not be looked at'),
      onAlarm: (alarm) => logger.error({ err: alarm, reason: alarm.reason }, 'the connector is stopped'),
    });
  };

  const feed = async (signal: AbortSignal): Promise<void> => {
    // Watched from the beginning: a slot that was moved while nobody looked must not be read on from.
    const guarded = async (): Promise<void> => {
      try {
        await watch(signal);
      } catch (error) {
        if (!(error instanceof CdcAlarm) || options.onLostSlot !== 'reload') throw error;
        logger.warn({ reason: error.reason }, 'loading the outbox again, as CDC_ON_LOST_SLOT asks for');
        await reloadConnector(address, () => dropSlot(dsn, names.slotName));
        await watch(signal);
      }
    };
    await Promise.all([register(signal), guarded()]);
  };

  return {
    run: async (signal) => {
      const ending = new AbortController();
      const both = AbortSignal.any([signal, ending.signal]);
      const parts = [feed(both), engine.run(both)];
      try {
        await Promise.all(parts);
      } finally {
        ending.abort(new Error('the engine stops'));
        await Promise.allSettled(parts);
      }
    },
    status: () => ({
      ...engine.status(),
      // Topics that nobody fills can be read without a hitch.
      ...(!isFed && engine.status().state === 'streaming' && { state: 'starting' as const }),
      ...(slot && { lagBytes: slot.lagBytes, walStatus: slot.walStatus }),
      ...(slot?.confirmedLsn && { confirmedLsn: formatLsn(slot.confirmedLsn) }),
    }),
  };
}

/** The connector's task may need a moment to let go of the slot. */
async function dropSlot(dsn: string, slotName: string): Promise<void> {
  await withClient(dsn, async (client) => {
    for (let attempt = 1; ; attempt += 1) {
      const slot = await slotStatus(client, slotName);
      if (!slot) return;
      if (!slot.active) break;
      if (attempt === 100) throw new Error(`Slot ${slotName} is still being read.`);
      await delay(100);
    }
    await client.query('select pg_drop_replication_slot($1)', [slotName]);
  });
}

async function withClient<T>(dsn: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: dsn, connectionTimeoutMillis: 5_000, query_timeout: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
