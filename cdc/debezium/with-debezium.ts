import type { Client } from 'pg';
import type { Logger } from 'pino';
import { domainTopicSpecs } from '../../kernel/contract/topics.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { atAddress, splitHosts } from '../../kernel/postgres/hosts.ts';
import { formatLsn } from '../../kernel/postgres/lsn.ts';
import { createPrimaryFinder } from '../../kernel/postgres/primary-finder.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { untilSuccess } from '../../kernel/repeat.ts';
import { pause, waitUntil } from '../../kernel/wait.ts';
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
  /**
   * Of a login with the rights of lab_cdc and REPLICATION; Connect knows its password as CDC_DATABASE_PASSWORD. Several
   * hosts: the connector reads whichever takes writes.
   */
  dsn: string;
  names?: ConnectorNames;
  onLostSlot: 'stop' | 'reload';
  logger: Logger;
  onRestart(): void;
}

const watchEveryMs = 1_000;
const findPrimaryMs = 1_000;
/** A server that neither answers nor goes away must not stop the watch. */
const clientLimits = { connectionTimeoutMillis: 5_000, query_timeout: 10_000 };

/**
 * The Kafka engine together with what fills its topics: registers the connector, watches it and its slot, and stops
 * with the same alarms as the native engine.
 */
export function withDebezium(options: DebeziumOptions): Engine {
  const { engine, logger, names = defaultNames } = options;
  const address = { url: options.connectUrl, name: names.name };
  const servers = splitHosts(options.dsn);
  const finder = servers.length > 1 ? createPrimaryFinder({ dsns: servers, timeoutMs: findPrimaryMs }) : undefined;
  let slot: SlotStatus | undefined;
  /** Whether the connector fills the topics, by the last look at it; undefined until it has for the first time. */
  let isFed: boolean | undefined;

  const register = async (dsn: string, signal: AbortSignal): Promise<void> => {
    const attempt = (): Promise<void> =>
      registerConnector({
        url: options.connectUrl,
        kafka: options.kafka,
        source: sourceOf(dsn),
        names,
        signal,
        topics: domainTopicSpecs,
      }).catch((error) => {
        // Of a connector that fails the watch takes care, which tells alarms from what passes.
        if (!(error instanceof ConnectError && error.connectorFailed)) throw error;
      });
    await untilSuccess(attempt, {
      pauseMs: 1_000,
      signal,
      onFailure: (error) => logger.warn({ err: error }, 'the connector could not be registered yet'),
    });
  };

  const watch = async (dsn: string, signal: AbortSignal): Promise<void> => {
    await watchConnector({
      ...address,
      slotName: names.slotName,
      everyMs: watchEveryMs,
      signal,
      readSlot: () => withClient(dsn, (client) => slotStatus(client, names.slotName), clientLimits),
      onLook: ({ state }, seen) => {
        slot = seen;
        if (state === 'running' || isFed) isFed = state === 'running';
      },
      onRestart: ({ detail }) => {
        logger.warn({ detail }, 'the connector failed and is started again');
        options.onRestart();
      },
      onProblem: (error) => {
        // Once, and not every second.
        logger[isFed ? 'warn' : 'debug']({ err: error }, 'the connector or its slot could not be looked at');
        if (isFed) isFed = false;
      },
      onAlarm: (alarm) => logger.error({ err: alarm, reason: alarm.reason }, 'the connector is stopped'),
    });
  };

  const guarded = async (dsn: string, signal: AbortSignal): Promise<void> => {
    try {
      await watch(dsn, signal);
    } catch (error) {
      if (!(error instanceof CdcAlarm) || options.onLostSlot !== 'reload') throw error;
      logger.warn({ reason: error.reason }, 'loading the outbox again, as CDC_ON_LOST_SLOT asks for');
      await reloadConnector(address, () => dropSlot(dsn, names.slotName));
      await watch(dsn, signal);
    }
  };

  const findPrimary = async (): Promise<string> => (finder ? atAddress(servers[0]!, await finder.find()) : options.dsn);

  /** Resolves once another server than this one takes writes, or at the end. */
  const promotion = async (dsn: string, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      if ((await findPrimary().catch(() => dsn)) !== dsn) return;
      await pause(watchEveryMs, signal);
    }
  };

  const feed = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const dsn = await findPrimary().catch((error) => {
        logger.warn({ err: error }, 'no server takes writes');
        return undefined;
      });
      if (dsn === undefined) {
        await pause(watchEveryMs, signal);
        continue;
      }
      const moved = new AbortController();
      const here = AbortSignal.any([signal, moved.signal]);
      const leaving = promotion(dsn, here).then(() => moved.abort(new Error('another server takes writes')));
      // Watched from the beginning: a slot that was moved unseen must not be read on from. A promotion
      // begins anew with the copy of the slot, of which nothing that was seen of the former one says anything.
      await Promise.all([register(dsn, here), guarded(dsn, here), leaving]);
      if (!signal.aborted) logger.warn('another server takes writes: the connector follows it');
      if (isFed) isFed = false;
      slot = undefined;
    }
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
      // Topics that no connector fills can be read without a hitch.
      ...(!isFed &&
        engine.status().state === 'streaming' && {
          state: isFed === undefined ? ('starting' as const) : ('waiting' as const),
        }),
      ...(slot && { lagBytes: slot.lagBytes, walStatus: slot.walStatus }),
      ...(slot?.confirmedLsn && { confirmedLsn: formatLsn(slot.confirmedLsn) }),
    }),
  };
}

/** The connector's task may need a moment to let go of the slot. */
async function dropSlot(dsn: string, slotName: string): Promise<void> {
  const drop = async (client: Client): Promise<void> => {
    let slot: SlotStatus | undefined;
    const isFree = async (): Promise<boolean> => {
      slot = await slotStatus(client, slotName);
      return !slot?.active;
    };
    if (!(await waitUntil(isFree, { timeoutMs: 10_000, intervalMs: 100 }))) {
      throw new Error(`Slot ${slotName} is still being read.`);
    }
    if (slot) await client.query('select pg_drop_replication_slot($1)', [slotName]);
  };
  await withClient(dsn, drop, clientLimits);
}
