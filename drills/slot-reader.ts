import { setTimeout as delay } from 'node:timers/promises';
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication';
import { addressOf } from '../kernel/postgres/hosts.ts';
import { formatLsn, parseLsn } from '../kernel/postgres/lsn.ts';
import { createPrimaryFinder, type PrimaryFinder } from '../kernel/postgres/primary-finder.ts';

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
  return new ReconnectingReader(options);
}

class ReconnectingReader implements SlotReader {
  readonly eventIds = new Set<string>();
  repeated = 0;
  readonly #options: SlotReaderOptions;
  readonly #finder: PrimaryFinder;
  readonly #running: Promise<void>;
  #connects = 0;
  #stopped = false;
  #service: LogicalReplicationService | undefined;

  constructor(options: SlotReaderOptions) {
    this.#options = options;
    this.#finder = createPrimaryFinder({ dsns: options.dsns, timeoutMs: 1_000 });
    this.#running = this.#run();
  }

  get reconnects(): number {
    return Math.max(0, this.#connects - 1);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#service?.destroy().catch(() => {});
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // The promise settles when the connection ends, in whichever way.
      await this.#read().catch(() => {});
      await this.#service?.destroy().catch(() => {});
      if (!this.#stopped) await delay(pauseMs);
    }
  }

  async #read(): Promise<void> {
    const { dsns, slotName, publication } = this.#options;
    const address = await this.#finder.find();
    const url = new URL(dsns.find((dsn) => addressOf(dsn).port === address.port)!);
    const service = new LogicalReplicationService(
      { connectionString: url.href, connectionTimeoutMillis: 2_000 },
      // Confirmed by hand, at the end of each transaction.
      { acknowledge: { auto: false, timeoutSeconds: 0 } },
    );
    this.#service = service;
    const confirm = (lsn: string | null) => confirmUpTo(service, lsn);
    service.on('error', () => {});
    service.on('data', (_lsn, message: Pgoutput.Message) => {
      if (message.tag === 'insert' && message.relation.name === 'outbox') this.#take(String(message.new.event_id));
      if (message.tag === 'commit') confirm(message.commitEndLsn);
    });
    // Everything before it has been taken: the messages are handled as they come.
    service.on('heartbeat', confirm);
    this.#connects += 1;
    await service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] }), slotName);
  }

  #take(eventId: string): void {
    if (this.eventIds.has(eventId)) this.repeated += 1;
    this.eventIds.add(eventId);
  }
}

/**
 * The library confirms one byte more than it is told. No standby ever has that byte of an idle primary, and none copies
 * a slot that is ahead of it.
 */
function confirmUpTo(service: LogicalReplicationService, lsn: string | null): void {
  const position = lsn === null ? undefined : parseLsn(lsn);
  if (position) service.acknowledge(formatLsn(position - 1n)).catch(() => {});
}
