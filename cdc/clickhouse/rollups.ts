import { readFile } from 'node:fs/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { SinkEvent } from '../../stream/sink.ts';

export interface Rollups {
  /**
   * Counts these minutes, and the days that they belong to, again from the deduplicated events. May run at several
   * places at once: the rebuild that began last wins, and it has seen what every earlier one saw.
   * @param minutes As `2026-01-31 12:00:00` in UTC.
   */
  rebuild(minutes: readonly string[], signal?: AbortSignal): Promise<void>;
}

/** Most minutes that one statement takes: its parameters travel in the URL. */
const maxMinutes = 120;

export function createRollups(client: ClickHouseClient): Rollups {
  const run = async (name: string, parameters: Record<string, readonly string[]>, signal: AbortSignal | undefined) => {
    const query = await readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
    await client.command({ query, query_params: parameters, ...(signal && { abort_signal: signal }) });
  };
  return {
    rebuild: async (minutes, signal) => {
      for (let at = 0; at < minutes.length; at += maxMinutes) {
        await run('rebuild_minutes', { minutes: minutes.slice(at, at + maxMinutes) }, signal);
      }
      const days = [...new Set(minutes.map((minute) => minute.slice(0, 10)))];
      for (let at = 0; at < days.length; at += maxMinutes) {
        await run('rebuild_days', { days: days.slice(at, at + maxMinutes) }, signal);
      }
    },
  };
}

/** The minutes in which the events of a batch occurred, each once. */
export function touchedMinutes(batch: readonly SinkEvent[]): string[] {
  const minutes = new Set<string>();
  for (const { envelope } of batch) minutes.add(minuteOf(envelope.occurred_at));
  return [...minutes];
}

function minuteOf(occurredAt: string): string {
  // Engines write UTC; anything else takes the way through a date.
  const utc = occurredAt.endsWith('Z') ? occurredAt : new Date(occurredAt).toISOString();
  return `${utc.slice(0, 10)} ${utc.slice(11, 16)}:00`;
}
