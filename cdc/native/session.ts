import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { serializeEnvelopeText } from '../../kernel/contract/envelope.ts';
import type { Lsn } from '../../kernel/postgres/lsn.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import { Batcher, type BatcherOptions } from '../batcher.ts';
import type { EngineState } from '../engine.ts';
import { loadOutbox } from './initial-load.ts';
import type { NativeOptions } from './native-engine.ts';
import { advanceLoad, type Position, readPosition } from './positions.ts';
import { createSlot, prepareSlot, readSystemIdentifier, type SlotStatus } from './slot.ts';
import { streamOutbox } from './stream.ts';

const insertDeadLetter = statement(new URL('./sql/insert_dead_letter.sql', import.meta.url));

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
  options: NativeOptions;
  state: SessionState;
  /** For everything but the stream: positions, slot status, load. */
  control: Client;
  /** The engine is to stop. */
  signal: AbortSignal;
  /** Resolves when it is; rejects when the session has ended before. */
  stopped: Promise<unknown>;
  /** Ends the session with this error; the first one counts. */
  fail(error: unknown): void;
  /** Rejects once the session has failed. */
  failed: Promise<never>;
  /** A batcher that ends with the session. */
  batcher<Mark>(own: OwnOptions<Mark>): Batcher<Mark>;
}

type OwnOptions<Mark> = Pick<BatcherOptions<Mark>, 'capture' | 'sunk' | 'drained'>;

/** One try: from the connection to its loss. Resolves when the signal aborted and what was in hand is sunk. */
export async function runSession(
  options: NativeOptions,
  state: SessionState,
  { reload, signal }: { reload: boolean; signal: AbortSignal },
): Promise<void> {
  const ending = new AbortController();
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const control = await connectControl(options, fail);
  const stopped = once(signal, 'abort', { signal: ending.signal });
  stopped.catch(() => {});
  const session: Session = {
    ...{ options, state, control, signal, stopped, fail, failed },
    batcher: (own) => createBatcher(session, ending.signal, own),
  };
  try {
    await Promise.race([work(session, reload), failed]);
  } finally {
    ending.abort(new Error('The session has ended.'));
    state.oldestPendingMs = undefined;
    await control.end().catch(() => {});
  }
}

async function work(session: Session, reload: boolean): Promise<void> {
  const { state, signal } = session;
  // What comes before the stream may wait for others for as long as they like, and may simply be left.
  const leave = session.stopped.then(() => Promise.reject(signal.reason));
  const startLsn = await Promise.race([prepare(session, reload), leave]);
  state.phase = 'streaming';
  await streamOutbox(session, startLsn);
}

/** Waits for its turn, makes slot and initial load where they are missing. @returns where the stream begins. */
async function prepare(session: Session, reload: boolean): Promise<Lsn> {
  const { options, state, control, signal } = session;
  signal.throwIfAborted();
  await takeTurn(session);
  const position = reload
    ? await createSlot(control, options.slotName, await readSystemIdentifier(control))
    : await prepareSlot(control, options, state.confirmedLsn);
  // A new slot begins a new count; what the former one had confirmed says nothing about it.
  if (position.state === 'loading') state.confirmedLsn = position.confirmedLsn!;
  signal.throwIfAborted();
  if (position.state === 'loading') await load(session, position);
  const current = await readPosition(control, options.slotName);
  return { ...position, ...current }.confirmedLsn!;
}

async function load(session: Session, position: Position): Promise<void> {
  const { options, state, control, failed, signal } = session;
  state.phase = 'loading';
  let last: string | undefined;
  let wake: () => void = () => {};
  const batcher = session.batcher<string | undefined>({
    capture: () => last,
    sunk: async (loadAfter, batch, sunkAtMs) => {
      if (loadAfter !== undefined) await advanceLoad(control, options.slotName, loadAfter);
      options.onSunk(batch, sunkAtMs);
    },
    drained: () => wake(),
  });
  const room = async (): Promise<void> => {
    while (batcher.full) {
      const drained = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([drained, failed]);
    }
    // Also where nothing is full any more because the batcher has ended.
    await Promise.race([failed, Promise.resolve()]);
  };
  await loadOutbox({
    ...{ client: control, slotName: options.slotName, position, batcher, room, logger: options.logger, signal },
    nowMs: options.nowMs,
    reached: (eventId) => {
      last = eventId;
    },
  });
}

function createBatcher<Mark>(session: Session, signal: AbortSignal, own: OwnOptions<Mark>): Batcher<Mark> {
  const { options, control, fail } = session;
  const batcher = new Batcher<Mark>({
    ...options.limits,
    ...own,
    ...{ sink: options.sink, name: options.slotName, signal, nowMs: options.nowMs },
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

/** One reader at a time, also while it loads and the slot itself is not held. The others wait to take over. */
async function takeTurn({ control, options, signal, state }: Session): Promise<void> {
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

async function connectControl({ dsn, queryTimeoutMs }: NativeOptions, fail: (error: unknown) => void): Promise<Client> {
  const client = new Client({
    connectionString: dsn,
    application_name: 'lab-cdc',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    query_timeout: queryTimeoutMs,
    options: '-c timezone=UTC -c datestyle=ISO',
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
