import type { Pool, PoolClient } from 'pg';
import Cursor from 'pg-cursor';
import { toJson } from '../../kernel/http/envelope.ts';
import type { QueryBuilder } from '../../kernel/postgres/query-builder.ts';
import { eventsQuery, toEvent } from './query.ts';
import type { EventFilters } from './schemas.ts';
import type { EventStore } from './store/event-store.ts';

/** Rows that are in memory at once, per export. */
const batchRows = 250;

/**
 * Longest time of one export. The pool's statement time-out cannot be kept: for the server a cursor is one statement,
 * and its time runs while it waits for a slow reader.
 */
const exportTimeoutMs = 30 * 60_000;

/** An opened export. It holds a connection until its lines have ended or were abandoned, or it is closed. */
export interface EventExport {
  /** NDJSON text, a batch of lines at a time. May be read once. */
  lines(): AsyncGenerator<string, void, undefined>;
  /** Frees the connection of an export whose lines no reader has begun to take. */
  close(): Promise<void>;
}

/**
 * Opens a server-side cursor over all events that the filters let through and reads its first batch, so that a query
 * that fails does so before an answer has begun. The pool must not be in pipeline mode, which pg-cursor cannot use.
 */
export async function openExport(
  { builder, events }: { builder: QueryBuilder; events: EventStore },
  pool: Pool,
  filters: EventFilters,
): Promise<EventExport> {
  const query = eventsQuery(builder, filters, { places: await events.places(pool, filters) });
  if (!query) return { async *lines() {}, close: async () => {} };
  const { sql, parameters } = query.compile();
  const reader = new CursorReader(await pool.connect());
  const first = await reader.open(sql, [...parameters]);
  let begun = false;
  return {
    async *lines() {
      begun = true;
      try {
        for (let rows = first; rows.length > 0; rows = await reader.read()) {
          yield rows.map((row) => `${toJson(toEvent(row))}\n`).join('');
        }
      } finally {
        await reader.end();
      }
    },
    close: async () => {
      if (!begun) await reader.end();
    },
  };
}

/** A cursor that owns its connection, and gives it back in a usable state or not at all. */
class CursorReader {
  readonly #client: PoolClient;
  readonly #connectionLost: Promise<void>;
  #cursor: Cursor<Record<string, unknown>> | undefined;
  #failure: Error | undefined;
  #onError = (_error: Error): void => {};
  #ended = false;

  constructor(client: PoolClient) {
    this.#client = client;
    // A lost connection emits `error` on the client, and without a listener that would end the process.
    this.#connectionLost = new Promise((resolve) => {
      this.#onError = (error) => {
        this.#failure = error;
        resolve();
      };
      client.on('error', this.#onError);
    });
  }

  /** The first rows. A cursor without a transaction would keep the session's time-outs. */
  async open(text: string, values: unknown[]): Promise<Record<string, unknown>[]> {
    return this.#guarded(async () => {
      await this.#client.query(`begin read only; set local statement_timeout = ${exportTimeoutMs}`);
      // A cursor does not take over the connection's own parsers, and int8 would arrive as text.
      const types = { getTypeParser: this.#client.getTypeParser.bind(this.#client) };
      this.#cursor = this.#client.query(new Cursor<Record<string, unknown>>(text, values, { types }));
      return this.#cursor.read(batchRows);
    });
  }

  /** The next rows; none when there are no more. */
  async read(): Promise<Record<string, unknown>[]> {
    return this.#guarded(() => this.#cursor!.read(batchRows));
  }

  /** After an error the connection is thrown away: where its protocol stands would have to be guessed. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#failure = error as Error;
      await this.end();
      throw error;
    }
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    // Closing waits for the server, which a lost connection would never answer.
    if (!this.#failure) await Promise.race([this.#close(), this.#connectionLost]);
    this.#client.removeListener('error', this.#onError);
    this.#client.release(this.#failure);
  }

  async #close(): Promise<void> {
    try {
      await this.#cursor?.close();
      await this.#client.query('commit');
    } catch (error) {
      this.#failure = error as Error;
    }
  }
}
