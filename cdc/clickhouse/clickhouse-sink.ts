import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { orAborted } from '../../kernel/wait.ts';
import { type Sink, SinkError } from '../../stream/sink.ts';
import { migrateClickhouse } from './migrate.ts';
import { createRollups, touchedMinutes } from './rollups.ts';
import { encodeRows, eventColumns } from './row.ts';

export interface ClickhouseSinkOptions {
  client: ClickHouseClient;
  /** Told of every failed attempt that will be repeated. */
  onRetry?(error: unknown, attempt: number, delayMs: number): void;
  /** Between the first and the second attempt; it doubles up to `maxDelayMs`. */
  firstDelayMs?: number;
  maxDelayMs?: number;
}

/**
 * The sink over ClickHouse. A write is one insert, whose token makes a repetition a no-op, and a rebuild of the
 * roll-ups that it touched, which may be repeated anyway. The schema is brought up to date before the first write.
 */
export function createClickhouseSink(options: ClickhouseSinkOptions): Sink {
  const { client, onRetry, firstDelayMs = 100, maxDelayMs = 10_000 } = options;
  const rollups = createRollups(client);
  let migrated: Promise<unknown> | undefined;

  const migrateOnce = async () => {
    migrated ??= migrateClickhouse(client);
    await migrated.catch((error) => {
      migrated = undefined;
      throw error;
    });
  };

  return {
    write: async (batch, token, signal) => {
      if (batch.length === 0) return;
      // Made once: repetitions must be equal byte for byte, or the token would lie.
      const rows = encodeRows(batch);
      const policy = retry(handleWhen(mayPass), {
        maxAttempts: Number.MAX_SAFE_INTEGER,
        backoff: new ExponentialBackoff({ initialDelay: firstDelayMs, maxDelay: maxDelayMs }),
      });
      let failure: unknown;
      policy.onFailure(({ reason }) => {
        if ('error' in reason) failure = reason.error;
      });
      policy.onRetry(({ attempt, delay }) => onRetry?.(failure, attempt, delay));
      try {
        const attempts = policy.execute(async () => {
          signal?.throwIfAborted();
          await migrateOnce();
          await insert(client, rows, token, signal);
          await rollups.rebuild(touchedMinutes(batch), signal);
        }, signal);
        // The policy's own pauses would sleep through the signal.
        await orAborted(attempts, signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw isAboutData(error) ? new SinkError(error.message, { cause: error }) : error;
      }
    },
    close: () => client.close(),
  };
}

const insertQuery = `insert into events_in (${eventColumns.join(', ')}) format RowBinary`;

async function insert(
  client: ClickHouseClient,
  rows: Buffer,
  token: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // `exec` and not `insert`, which would encode every row again.
  const { stream } = await client.exec({
    query: insertQuery,
    values: Readable.from([rows], { objectMode: false }),
    clickhouse_settings: {
      insert_deduplication_token: token,
      // Without it a repetition that finds the events stored would skip orders_latest and disputes_latest, which the
      // first attempt may not have reached.
      deduplicate_blocks_in_dependent_materialized_views: 1,
      async_insert: 0,
      // One block and one part a batch.
      max_insert_block_size: '1000000',
      min_insert_block_size_rows: '1000000',
    },
    ...(signal && { abort_signal: signal }),
  });
  stream.resume();
  await finished(stream);
}

/**
 * Codes of ClickHouse that say that the rows are wrong: TYPE_MISMATCH, CANNOT_PARSE_*, INCORRECT_DATA and the like.
 * https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const dataCodes = new Set([
  '6',
  '25',
  '26',
  '27',
  '33',
  '38',
  '41',
  '53',
  '69',
  '70',
  '72',
  '117',
  '130',
  '131',
  '376',
]);

function isAboutData(error: unknown): error is ClickHouseError {
  return error instanceof ClickHouseError && dataCodes.has(error.code);
}

/**
 * What the server says, but for wrong rows: a missing table or a full disk is for the operator to mend, and until then the
 * source waits. And what the connection does. Mistakes in our own code are none of these.
 */
function mayPass(error: unknown): boolean {
  if (error instanceof ClickHouseError) return !isAboutData(error);
  if (!(error instanceof Error) || error.name === 'AbortError') return false;
  return typeof (error as NodeJS.ErrnoException).code === 'string' || /time-?out|socket/i.test(error.message);
}
