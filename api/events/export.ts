import type { Pool, PoolClient } from 'pg';
import Cursor from 'pg-cursor';
import { toJson } from '../../kernel/http/envelope.ts';
import type { QueryBuilder } from '../../kernel/postgres/query-builder.ts';
import { eventsQuery, toEvent } from './query.ts';
import type { EventFilters } from './schemas.ts';

/** Rows that are in memory at once, per export. */
const batchRows = 250;

/** An opened export. It holds a connection until its lines have ended or were abandoned, or it is closed. */
export interface EventExport {
  /** NDJSON text, a batch of lines at a time. May be read once. */
  lines(): AsyncGenerator<string, void, undefined>;
  /** Frees the connection of an export whose lines nobody began to read. */
  close(): Promise<void>;
}

/**
 * Opens a server-side cursor over all events that the filters let through and reads its first batch, so that a query
 * that fails does so before an answer has begun. The pool must not be in pipeline mode, which pg-cursor cannot use.
 */
export async function openExport(builder: QueryBuilder, pool: Pool, filters: EventFilters): Promise<EventExport> {
  const query = eventsQuery(builder, filters, {});
  if (!query) return { async *lines() {}, close: async () => {} };
  const { sql, parameters } = query.compile();
  const reader = new CursorReader(await pool.connect(), sql, [...parameters]);
  const first = await reader.read();
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
  readonly #cursor: Cursor<Record<string, unknown>>;
  readonly #connectionLost: Promise<void>;
  #failure: Error | undefined;
  #onError = (_error: Error): void => {};
  #ended = false;

  constructor(client: PoolClient, text: string, values: unknown[]) {
    this.#client = client;
    // A lost connection emits `error` on the client, and without a listener that would end the process.
    this.#connectionLost = new Promise((resolve) => {
      this.#onError = (error) => {
        this.#failure = error;
        resolve();
      };
      client.on('error', this.#onError);
    });
    // A cursor does not take over the connection's own parsers, and int8 would arrive as text.
    const types = { getTypeParser: client.getTypeParser.bind(client) };
    this.#cursor = client.query(new Cursor<Record<string, unknown>>(text, values, { types }));
  }

  /** The next rows; none when there are no more. After an error the connection is thrown away. */
  async read(): Promise<Record<string, unknown>[]> {
    try {
      return await this.#cursor.read(batchRows);
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
    if (!this.#failure) await Promise.race([this.#cursor.close(), this.#connectionLost]);
    this.#client.removeListener('error', this.#onError);
    this.#client.release(this.#failure);
  }
}
