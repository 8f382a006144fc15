import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient, QueryResult } from 'pg';
import { isReadOnly, isRetryable } from './errors.ts';
import { type Position, parseLsn, positionOf, timelineOf } from './lsn.ts';

export interface TransactionOptions {
  /** How often the work is tried when it meets a deadlock, a serialization failure or a lock time-out. */
  attempts?: number;
  /** Uniform in [0, 1): spreads the retries of several losers of one conflict. */
  random?: () => number;
}

export interface Committed<T> {
  result: T;
  /** WAL position taken after COMMIT on the same connection: everything up to it includes this transaction. */
  commitLsn: Position;
}

/**
 * Runs `work` between BEGIN and COMMIT on one connection of the pool, and repeats it as a whole, with a growing
 * jittered pause, when the server asked for that. Effects of `work` outside the database would be repeated too, so it
 * must have none.
 *
 * When the connection is lost during COMMIT the outcome is unknown; the error then satisfies `isStoreUnavailable`,
 * and the caller's own dedupe key must make a repetition safe.
 */
export async function withTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<Committed<T>> {
  return repeatOnConflict(() => withConnection(pool, (client) => once(client, work)), options);
}

/** What a pipelined transaction writes: its result, and the statements, sent and not awaited. */
export interface PipelinedWrite<T> {
  result: T;
  statements: readonly Promise<unknown>[];
}

/**
 * As `withTransaction`, with fewer round trips, on a connection in pipeline mode: BEGIN leaves together with the first
 * statements of `load`, and COMMIT together with what `write` sends. `load` may lock but must not write, since a
 * statement behind a BEGIN that failed would stand alone; `write` is called once BEGIN has succeeded.
 *
 * When statements of `write` fail, the first one's error is thrown: the others only fail because of it.
 */
export async function withPipelinedTransaction<L, T>(
  pool: Pool,
  load: (client: PoolClient) => Promise<L>,
  write: (client: PoolClient, loaded: L) => PipelinedWrite<T>,
  options: TransactionOptions = {},
): Promise<Committed<T>> {
  return repeatOnConflict(() => withConnection(pool, (client) => oncePipelined(client, load, write)), options);
}

async function repeatOnConflict<T>(run: () => Promise<T>, options: TransactionOptions): Promise<T> {
  const { attempts = 5, random = Math.random } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error;
      await sleep(random() * 10 * 2 ** attempt);
    }
  }
}

/**
 * Lends one connection to `work`. A connection that broke meanwhile, or leads to a server that takes no writes any
 * more, is thrown away instead of going back to the pool.
 */
async function withConnection<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A lost connection also emits `error` on the client, and without a listener that would end the process.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    if (error instanceof BrokenConnection) {
      broken = error;
      throw error.cause;
    }
    // A primary that became a replica keeps its connections: the next one has to look for the new primary.
    if (isReadOnly(error)) broken = error as Error;
    throw error;
  } finally {
    client.removeListener('error', onError);
    client.release(broken);
  }
}

/** Says that the connection must not be used again; its cause is what the caller gets to see. */
class BrokenConnection extends Error {}

async function once<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>): Promise<Committed<T>> {
  try {
    await client.query('begin');
    const result = await work(client);
    return { result, commitLsn: await commit(client) };
  } catch (error) {
    await rollback(client, error);
    throw error;
  }
}

async function rollback(client: PoolClient, reason: unknown): Promise<void> {
  await client.query('rollback').catch(() => {
    throw new BrokenConnection('rollback failed', { cause: reason });
  });
}

async function oncePipelined<L, T>(
  client: PoolClient,
  load: (client: PoolClient) => Promise<L>,
  write: (client: PoolClient, loaded: L) => PipelinedWrite<T>,
): Promise<Committed<T>> {
  try {
    const begun = client.query('begin');
    const loading = load(client);
    await allSettled([begun, loading]);
    const { result, statements } = write(client, await loading);
    const committing = commit(client);
    await allSettled([...statements, committing]);
    return { result, commitLsn: await committing };
  } catch (error) {
    await rollback(client, error);
    throw error;
  }
}

/** Waits until all have ended, since a connection must not go back while it still works; throws the first one's error. */
async function allSettled(promises: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((entry) => entry.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Two statements in one message save a round trip; PostgreSQL ends the transaction before it runs the second. */
async function commit(client: PoolClient): Promise<Position> {
  const answer: unknown = await client.query(
    'commit; select lsn::text, pg_walfile_name(lsn) as file from pg_current_wal_insert_lsn() lsn',
  );
  const [end, position] = answer as [QueryResult, QueryResult<{ lsn: string; file: string }>];
  // COMMIT of a transaction in which a statement failed answers ROLLBACK and raises no error.
  if (end.command !== 'COMMIT') throw new Error('the transaction was rolled back because a statement in it failed');
  const { lsn: text, file } = position.rows[0]!;
  const lsn = parseLsn(text);
  if (lsn === undefined) throw new Error('the server did not report a WAL position');
  return positionOf(timelineOf(file), lsn);
}
