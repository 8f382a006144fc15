import type { Pool } from 'pg';
import type { Cursors } from '../../kernel/http/cursor.ts';
import type { Page } from '../../kernel/http/envelope.ts';
import { toPage } from '../../kernel/http/page.ts';
import { type QueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import { type EventRow, eventsQuery, toEvent } from './query.ts';
import type { EventFilters } from './schemas.ts';
import type { EventStore } from './store/event-store.ts';

export interface EventPage {
  limit: number;
  cursor: string | undefined;
}

/** A page of events of orders and disputes by time, then by id. */
export async function listEvents(
  { builder, cursors, events }: { builder: QueryBuilder; cursors: Cursors; events: EventStore },
  pool: Pool,
  filters: EventFilters,
  { limit, cursor }: EventPage,
): Promise<{ rows: EventRow[]; page: Page }> {
  const position = cursor === undefined ? undefined : cursors.decode('events', filters, cursor);
  const places = await events.places(pool, filters);
  const query = eventsQuery(builder, filters, { places, position, limit: limit + 1 });
  const found = query ? (await runQuery<Record<string, unknown>>(pool, query)).map(toEvent) : [];
  return toPage(found, limit, (last) => cursors.encode('events', filters, [last.created_at, last.event_id]));
}
