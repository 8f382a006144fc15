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
import { CdcAlarm } from '../../stream/alarm.ts';
import type { Engine, EngineStatus } from '../../stream/engine.ts';
import { type SlotStatus, slotStatus } from '../../stream/native/slot.ts';
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
  const { engine } = options;
  const feed = new TopicFeed(options);
  return {
    run: async (signal) => {
      const ending = new AbortController();
      const both = AbortSignal.any([signal, ending.signal]);
      const parts = [feed.run(both), engine.run(both)];
      try {
        await Promise.all(parts);
      } finally {
        ending.abort(new Error('the engine stops'));
        await Promise.allSettled(parts);
      }
    },
    status: () => withFeed(engine.status(), feed),
  };
}

/** Topics that no connector fills can be read without a hitch, so the engine's own word is not enough. */
function withFeed(status: EngineStatus, { isFed, slot }: TopicFeed): EngineStatus {
  const unfed = isFed === undefined ? 'starting' : 'waiting';
  return {
    ...status,
    state: status.state === 'streaming' && !isFed ? unfed : status.state,
    ...(slot && { lagBytes: slot.lagBytes, walStatus: slot.walStatus }),
    ...(slot?.confirmedLsn && { confirmedLsn: formatLsn(slot.confirmedLsn) }),
  };
}

/** What fills the topics: the connector, its slot, and the server that they are on. */
class TopicFeed {
  readonly #options: DebeziumOptions;
  readonly #names: ConnectorNames;
  readonly #findPrimary: () => Promise<string>;
  /** The slot by the last look at it. */
  slot: SlotStatus | undefined;
  /** Whether the connector fills the topics, by the last look at it; undefined until it has for the first time. */
  isFed: boolean | undefined;

  constructor(options: DebeziumOptions) {
    this.#options = options;
    this.#names = options.names ?? defaultNames;
    const servers = splitHosts(options.dsn);
    const finder = servers.length > 1 ? createPrimaryFinder({ dsns: servers, timeoutMs: findPrimaryMs }) : undefined;
    this.#findPrimary = async () => (finder ? atAddress(servers[0]!, await finder.find()) : options.dsn);
  }

  /** Feeds the topics until the signal aborts, from whichever server takes writes. @throws CdcAlarm */
  async run(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const find = (): Promise<string> => this.#findPrimary();
    const onFailure = (error: unknown): void => logger.warn({ err: error }, 'no server takes writes');
    while (!signal.aborted) {
      const dsn = await untilSuccess(find, { pauseMs: watchEveryMs, signal, onFailure });
      if (dsn === undefined) return;
      const moved = new AbortController();
      const here = AbortSignal.any([signal, moved.signal]);
      const leaving = this.#promotion(dsn, here).then(() => moved.abort(new Error('another server takes writes')));
      // Watched from the beginning: a slot that was moved unseen must not be read on from. A promotion begins anew with
      // the copy of the slot, of which nothing that was seen of the former one says anything.
      await Promise.all([this.#register(dsn, here), this.#guard(dsn, here), leaving]);
      if (!signal.aborted) logger.warn('another server takes writes: the connector follows it');
      if (this.isFed) this.isFed = false;
      this.slot = undefined;
    }
  }

  /** Resolves once another server than this one takes writes, or at the end. */
  async #promotion(dsn: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if ((await this.#findPrimary().catch(() => dsn)) !== dsn) return;
      await pause(watchEveryMs, signal);
    }
  }

  async #register(dsn: string, signal: AbortSignal): Promise<void> {
    const { connectUrl, kafka, logger } = this.#options;
    const attempt = (): Promise<void> =>
      registerConnector({
        url: connectUrl,
        kafka,
        source: sourceOf(dsn),
        names: this.#names,
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
  }

  /** Watches, and after an alarm loads again where the configuration asks for it. @throws CdcAlarm */
  async #guard(dsn: string, signal: AbortSignal): Promise<void> {
    const { connectUrl, onLostSlot, logger } = this.#options;
    const { name, slotName } = this.#names;
    try {
      await this.#watch(dsn, signal);
    } catch (error) {
      if (!(error instanceof CdcAlarm) || onLostSlot !== 'reload') throw error;
      logger.warn({ reason: error.reason }, 'loading the outbox again, as CDC_ON_LOST_SLOT asks for');
      await reloadConnector({ url: connectUrl, name }, () => dropSlot(dsn, slotName));
      await this.#watch(dsn, signal);
    }
  }

  #watch(dsn: string, signal: AbortSignal): Promise<void> {
    const { connectUrl, logger, onRestart } = this.#options;
    const { name, slotName } = this.#names;
    return watchConnector({
      url: connectUrl,
      name,
      slotName,
      everyMs: watchEveryMs,
      signal,
      readSlot: () => withClient(dsn, (client) => slotStatus(client, slotName), clientLimits),
      onLook: ({ state }, seen) => {
        this.slot = seen;
        if (state === 'running' || this.isFed) this.isFed = state === 'running';
      },
      onRestart: ({ detail }) => {
        logger.warn({ detail }, 'the connector failed and is started again');
        onRestart();
      },
      onProblem: (error) => {
        // Once, and not every second.
        logger[this.isFed ? 'warn' : 'debug']({ err: error }, 'the connector or its slot could not be looked at');
        if (this.isFed) this.isFed = false;
      },
      onAlarm: (alarm) => logger.error({ err: alarm, reason: alarm.reason }, 'the connector is stopped'),
    });
  }
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
