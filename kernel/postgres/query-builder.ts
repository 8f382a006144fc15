import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  sql,
} from 'kysely';
import type { Pool } from 'pg';
import type { DB } from './schema.ts';

export type QueryBuilder = Kysely<DB>;

/** Builds typed queries without a connection: which node runs them is only known when they are finished. */
export function createQueryBuilder(): QueryBuilder {
  return new Kysely<DB>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (database) => new PostgresIntrospector(database),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

/** Runs a built query on the pool. */
export async function runQuery<Row>(pool: Pool, query: Compilable<Row>): Promise<Row[]> {
  const { sql: text, parameters } = query.compile();
  return (await pool.query(text, [...parameters])).rows;
}

/**
 * A timestamptz as RFC 3339 text with all of its microseconds. A Date would cut them off, and a cursor made from it
 * would repeat or skip rows.
 */
export function exactTime(column: string): RawBuilder<string> {
  return sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Whether a row lies beyond a page's last row, in the direction of the sort by a time and then an id. */
export function beyondPosition(
  columns: { time: string; id: string },
  direction: 'asc' | 'desc',
  position: readonly string[],
): RawBuilder<boolean> {
  const operator = sql.raw(direction === 'asc' ? '>' : '<');
  const [time, id] = position;
  return sql<boolean>`(${sql.ref(columns.time)}, ${sql.ref(columns.id)}) ${operator} (${time}, ${id})`;
}
