import { readFile } from 'node:fs/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ClientBase } from 'pg';

/** What is compared row by row. */
export const subjects = ['events', 'orders', 'disputes', 'accounts'] as const;
export type Subject = (typeof subjects)[number];

/** Count, sum and an order-independent hash of the rows of one day, type and currency. Decimal digits throughout. */
export interface Bucket {
  day: string;
  type: string;
  currency: string;
  events: string;
  amount_minor: string;
  hash: string;
}

export interface Row {
  id: string;
  hash: string;
}

/** A part of a bucket, by the first two hexadecimal digits of the id's MD5. */
export interface Part {
  part: string;
  events: string;
  hash: string;
}

type Place = Pick<Bucket, 'day' | 'type' | 'currency'>;

/** One of the two stores that are compared; both compute the same figures in their own SQL. */
export interface Side {
  buckets(subject: Subject): Promise<Bucket[]>;
  parts(subject: Subject, place: Place): Promise<Part[]>;
  rows(subject: Subject, place: Place, part: string): Promise<Row[]>;
}

const sql = (name: string) => readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');

/** The first day of which the outbox has every event, as in `2026-01-31`. */
export async function sourceSince(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ since: string }>(await sql('source_since'));
  return rows[0]!.since;
}

/** PostgreSQL: the outbox, and the rows of orders, disputes and accounts. */
export function sourceSide(client: ClientBase, since: string): Side {
  const query = async <R extends object>(text: string, more: string[] = []) =>
    (await client.query<R>(text, [since, ...more])).rows;
  const place = 'day = $2 and type = $3 and currency = $4';
  const part = 'substr(md5(id), 1, 2)';
  return {
    buckets: async (subject) =>
      query<Bucket>(`select day, type, currency, count(*)::text as events, sum(amount)::text as amount_minor,
                       sum(hash)::text as hash
                     from (${await sql(`source_${subject}`)}) as r group by day, type, currency`),
    parts: async (subject, { day, type, currency }) =>
      query<Part>(
        `select ${part} as part, count(*)::text as events, sum(hash)::text as hash
         from (${await sql(`source_${subject}`)}) as r where ${place} group by 1`,
        [day, type, currency],
      ),
    rows: async (subject, { day, type, currency }, wanted) =>
      query<Row>(
        `select id, hash::text as hash from (${await sql(`source_${subject}`)}) as r where ${place} and ${part} = $5`,
        [day, type, currency, wanted],
      ),
  };
}

/** ClickHouse: the deduplicated events and the newest states. */
export function analyticsSide(client: ClickHouseClient, since: string): Side {
  const query = async <R>(text: string, more: Record<string, string> = {}) => {
    const answer = await client.query({ query: text, query_params: { since, ...more }, format: 'JSONEachRow' });
    return answer.json<R>();
  };
  const place = 'day = {day: String} and type = {type: String} and currency = {currency: String}';
  const part = 'lower(substring(hex(MD5(id)), 1, 2))';
  return {
    buckets: async (subject) =>
      query<Bucket>(`select day, type, currency, toString(count()) as events, toString(sum(r.amount)) as amount_minor,
                       toString(sum(r.hash)) as hash
                     from (${await sql(`analytics_${subject}`)}) as r group by day, type, currency`),
    parts: async (subject, { day, type, currency }) =>
      query<Part>(
        `select ${part} as part, toString(count()) as events, toString(sum(r.hash)) as hash
         from (${await sql(`analytics_${subject}`)}) as r where ${place} group by part`,
        { day, type, currency },
      ),
    rows: async (subject, { day, type, currency }, wanted) =>
      query<Row>(
        `select id, toString(r.hash) as hash
         from (${await sql(`analytics_${subject}`)}) as r where ${place} and ${part} = {part: String}`,
        { day, type, currency, part: wanted },
      ),
  };
}

/** Count and sum of both roll-ups per day, type and currency; `id` names the roll-up. */
export async function rollupBuckets(
  client: ClickHouseClient,
  since: string,
): Promise<(Omit<Bucket, 'hash'> & { id: string })[]> {
  const answer = await client.query({
    query: await sql('analytics_rollups'),
    query_params: { since },
    format: 'JSONEachRow',
  });
  return answer.json();
}

/** Parts of the roll-ups that are not what the events of ClickHouse add up to; `id` names the roll-up. */
export async function wrongRollups(client: ClickHouseClient, since: string): Promise<(Place & { id: string })[]> {
  const answer = await client.query({
    query: await sql('analytics_rollup_parts'),
    query_params: { since },
    format: 'JSONEachRow',
  });
  return answer.json();
}
