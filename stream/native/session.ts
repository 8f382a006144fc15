import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { serializeEnvelopeText } from '../../kernel/contract/envelope.ts';
import type { Lsn } from '../../kernel/postgres/lsn.ts';
import { pinnedSession } from '../../kernel/postgres/session-settings.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import { Batcher, type BatcherOptions, type BatchLimits } from '../batcher.ts';
import type { EngineState } from '../engine.ts';
import type { Sink, SinkEvent } from '../sink.ts';
import type { SlotStatus } from './slot.ts';

const insertDeadLetter = statement(new URL('./sql/insert_dead_letter.sql', import.meta.url));

export interface SessionOptions {
  /** Of a role with REPLICATION and the rights of lab_cdc, on one server. Not through a pooler. */
  dsn: string;
  slotName: string;
  publication: string;
  sink: Sink;
  limits: BatchLimits;
  logger: Logger;
  nowMs(): number;
  /** Pause between two looks at the slot, which are heartbeats too. Well below the server's wal_sender_timeout. */
  watchEveryMs: number;
  /** WAL of others that may go by before an idle reader confirms it. Above what confirming writes itself. */
  idleAdvanceBytes: number;
  /** How long the batches in hand may take at the end. */
  graceMs: number;
  /** For a server that neither answers nor goes away. Making a slot has a time of its own. */
  queryTimeoutMs: number;
  onSunk(batch: readonly SinkEvent[], sunkAtMs: number): void;
  onRefused(reason: string): void;
}

/** What outlives a session, and what the outside sees of one. */
export interface SessionState {
  phase: EngineState;
  /** The furthest position that this process has stored. */
  confirmedLsn: Lsn;
  slot?: SlotStatus | undefined;
  oldestPendingMs?: (() => number | undefined) | undefined;
}

/** What the parts of a session share. */
export interface Session {
  options: SessionOptions;
  state: SessionState;
  /** For everything but the stream: positions, slot status, load. */
  control: Client;
  /** The engine is to stop. */
  signal: AbortSignal;
  /** Ends the session with this error; the first one counts. */
  fail(error: unknown): void;
  /** Rejects once the session has failed. */
  failed: Promise<never>;
  /** A batcher that ends with the session. */
  batcher<Mark>(own: OwnOptions<Mark>): Batcher<Mark>;
  end(): Promise<void>;
}

type OwnOptions<Mark> = Pick<BatcherOptions<Mark>, 'capture' | 'sunk' | 'drained'>;

/** Connects to one server, which a session never leaves: a connection that is lost fails it. */
export async function openSession(options: SessionOptions, state: SessionState, signal: AbortSignal): Promise<Session> {
  const ending = new AbortController();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const control = await connectControl(options, fail);
  const session: Session = {
    options,
    state,
    control,
    signal,
    fail,
    failed,
    batcher: (own) => createBatcher(session, ending.signal, own),
    end: async () => {
      ending.abort(new Error('The session has ended.'));
      state.oldestPendingMs = undefined;
      await control.end().catch(() => {});
    },
  };
  return session;
}

/** One reader at a time, also while it loads and the slot itself is not held. The others wait to take over. */
export async function takeTurn({ control, options, signal, state }: Session): Promise<void> {
  for (let round = 0; ; round += 1) {
    const { rows } = await control.query<{ mine: boolean }>(
      `select pg_try_advisory_lock(hashtextextended('lab-cdc ' || $1, 0)) as mine`,
      [options.slotName],
    );
    if (rows[0]!.mine) return;
    if (round === 0) options.logger.info({ slot: options.slotName }, 'another process reads this slot; standing by');
    state.phase = 'waiting';
    await delay(250, undefined, { signal });
  }
}

function createBatcher<Mark>(session: Session, signal: AbortSignal, own: OwnOptions<Mark>): Batcher<Mark> {
  const { options, control, fail } = session;
  const batcher = new Batcher<Mark>({
    ...options.limits,
    ...own,
    sink: options.sink,
    name: options.slotName,
    signal,
    nowMs: options.nowMs,
    refused: async ({ envelope }, error) => {
      const { event_id } = envelope;
      options.logger.error({ event_id, err: error }, 'the sink refuses an event; it was put aside');
      const values = [options.slotName, event_id, error.message.slice(0, 500), serializeEnvelopeText(envelope)];
      await insertDeadLetter(control, values);
      options.onRefused('sink_refused');
    },
    failed: fail,
  });
  signal.addEventListener('abort', () => batcher.end());
  return batcher;
}

async function connectControl(
  { dsn, queryTimeoutMs }: SessionOptions,
  fail: (error: unknown) => void,
): Promise<Client> {
  const client = new Client({
    ...pinnedSession(dsn),
    application_name: 'lab-cdc',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    query_timeout: queryTimeoutMs,
  });
  client.on('error', fail);
  client.on('end', () => fail(new Error('Connection terminated: the database closed the control connection.')));
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  return client;
}
