import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { statement } from '../../kernel/postgres/statement.ts';
import type { Batcher } from '../batcher.ts';
import { outboxColumns, toSinkEvent } from './outbox-event.ts';
import { boundLoad, endLoad, type Position } from './positions.ts';

const loadPage = statement(new URL('./sql/load_page.sql', import.meta.url));

export interface LoadOptions {
  client: Client;
  slotName: string;
  position: Position;
  batcher: Batcher<string | undefined>;
  /** Resolves when the batcher takes events again; rejects when it failed. */
  room(): Promise<void>;
  logger: Logger;
  signal: AbortSignal;
  nowMs(): number;
  /** Told of each event before it goes into the batcher, so that `capture` can name the last one. */
  reached(eventId: string): void;
}

const pageRows = 2_000;
const smallestUuid = '00000000-0000-0000-0000-000000000000';

/**
 * Reads what was committed before the slot's consistent point, and perhaps some of what came after, which the stream
 * brings again and the sink recognises. Goes on where it stopped after a restart: every page is a snapshot of its own,
 * and each of them sees what the slot does not send.
 */
export async function loadOutbox(options: LoadOptions): Promise<void> {
  const { client, slotName, position, batcher, logger, signal } = options;
  let until = position.loadUntil;
  if (until === null) {
    await untilVisible(client, logger, signal);
    until = await boundLoad(client, slotName);
  }
  let loaded = 0;
  let after = position.loadAfter ?? smallestUuid;
  while (until !== null && !signal.aborted) {
    const { rows } = await loadPage<Record<string, string>>(client, [after, until, pageRows]);
    for (const row of rows) {
      const text = outboxColumns.map((column) => row[column]!);
      after = row.event_id!;
      options.reached(after);
      // No commit time: these waited for the load and say nothing about the pipeline's lag.
      batcher.add(toSinkEvent(text, { readAtMs: options.nowMs() }), sizeOf(row));
    }
    loaded += rows.length;
    await options.room();
    if (rows.length < pageRows) break;
  }
  signal.throwIfAborted();
  await batcher.flush();
  await options.room();
  await endLoad(client, slotName);
  logger.info({ slot: slotName, events: loaded }, 'initial load done');
}

/**
 * Waits until every transaction that runs now has ended. Whoever wrote its COMMIT before the slot's consistent point
 * may still be on its way out of the list of running transactions, and so long no snapshot shows its rows: they would
 * be neither in the load nor in the stream. (Ids of transactions do not wrap in xid8.)
 */
async function untilVisible(client: Client, logger: Logger, signal: AbortSignal): Promise<void> {
  const { rows } = await client.query<{ next: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as next');
  const next = rows[0]!.next;
  for (let round = 0; ; round += 1) {
    const answer = await client.query<{ done: boolean }>(
      'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as done',
      [next],
    );
    if (answer.rows[0]!.done) return;
    if (round === 100) logger.warn({ next }, 'the initial load waits for transactions older than the slot to end');
    await delay(20, undefined, { signal });
  }
}

function sizeOf(row: Record<string, string>): number {
  return 200 + row.payload!.length;
}
