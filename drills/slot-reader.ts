import { setTimeout as delay } from 'node:timers/promises';
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication';
import { addressOf } from '../kernel/postgres/hosts.ts';
import { formatLsn, parseLsn } from '../kernel/postgres/lsn.ts';
import { createPrimaryFinder } from '../kernel/postgres/primary-finder.ts';

/** A reader of the outbox through a slot that follows the primary, as change data capture does. */
export interface SlotReader {
  /** The outbox's event ids that it was sent, each once. */
  readonly eventIds: ReadonlySet<string>;
  /** Events that came more than once: a slot's copy may stand a little behind. */
  readonly repeated: number;
  /** How often it had to connect anew. */
  readonly reconnects: number;
  stop(): Promise<void>;
}

export interface SlotReaderOptions {
  /** URLs of the superuser on the database, one for each server. */
  dsns: readonly string[];
  slotName: string;
  publication: string;
}

const pauseMs = 100;

export function startSlotReader(options: SlotReaderOptions): SlotReader {
  const { dsns, slotName, publication } = options;
  const finder = createPrimaryFinder({ dsns, timeoutMs: 1_000 });
  const eventIds = new Set<string>();
  let repeated = 0;
  let connects = 0;
  let stopped = false;
  let service: LogicalReplicationService | undefined;

  async function read(): Promise<void> {
    const address = await finder.find();
    const url = new URL(dsns.find((dsn) => addressOf(dsn).port === address.port)!);
    const current = new LogicalReplicationService(
      { connectionString: url.href, connectionTimeoutMillis: 2_000 },
      // Confirmed by hand, at the end of each transaction.
      { acknowledge: { auto: false, timeoutSeconds: 0 } },
    );
    service = current;
    current.on('error', () => {});
    current.on('data', (_lsn, message: Pgoutput.Message) => {
      if (message.tag === 'insert' && message.relation.name === 'outbox') take(String(message.new.event_id));
      if (message.tag === 'commit') confirm(message.commitEndLsn);
    });
    // Everything before it has been taken: the messages are handled as they come.
    current.on('heartbeat', confirm);
    function confirm(lsn: string | null): void {
      const position = lsn === null ? undefined : parseLsn(lsn);
      // The library confirms one byte more than it is told. No standby ever has that byte of an idle primary, and none
      // copies a slot that is ahead of it.
      if (position) current.acknowledge(formatLsn(position - 1n)).catch(() => {});
    }
    connects += 1;
    await current.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] }), slotName);
  }

  function take(eventId: string): void {
    if (eventIds.has(eventId)) repeated += 1;
    eventIds.add(eventId);
  }

  const running = (async () => {
    while (!stopped) {
      // The promise settles when the connection ends, in whichever way.
      await read().catch(() => {});
      await service?.destroy().catch(() => {});
      if (!stopped) await delay(pauseMs);
    }
  })();

  return {
    eventIds,
    get repeated() {
      return repeated;
    },
    get reconnects() {
      return Math.max(0, connects - 1);
    },
    stop: async () => {
      stopped = true;
      await service?.destroy().catch(() => {});
      await running;
    },
  };
}
