import { setTimeout as delay } from 'node:timers/promises';
import { statement } from '../../kernel/postgres/statement.ts';
import type { Batcher } from '../batcher.ts';
import { outboxColumns, toSinkEvent } from './outbox-event.ts';
import { advanceLoad, boundLoad, endLoad, type Position } from './positions.ts';
import type { Session } from './session.ts';

const loadPage = statement(new URL('./sql/load_page.sql', import.meta.url));

const pageRows = 2_000;
const smallestUuid = '00000000-0000-0000-0000-000000000000';

/**
 * Reads what was committed before the slot's consistent point, and perhaps some of what came after, which the stream
 * brings again and the sink recognises. Goes on where it stopped after a restart: every page is a snapshot of its own,
 * and each of them sees what the slot does not send.
 */
export async function loadOutbox(session: Session, position: Position): Promise<void> {
  const { options, state, control, signal } = session;
  const { slotName, logger, nowMs } = options;
  state.phase = 'loading';
  const target = new LoadTarget(session);
  let until = position.loadUntil;
  if (until === null) {
    await untilVisible(session);
    until = await boundLoad(control, slotName);
  }
  let loaded = 0;
  let after = position.loadAfter ?? smallestUuid;
  while (until !== null && !signal.aborted) {
    const { rows } = await loadPage<Record<string, string>>(control, [after, until, pageRows]);
    for (const row of rows) {
      const text = outboxColumns.map((column) => row[column]!);
      after = row.event_id!;
      target.reached = after;
      // No commit time: these waited for the load and say nothing about the pipeline's lag.
      target.batcher.add(toSinkEvent(text, { readAtMs: nowMs() }), sizeOf(row));
    }
    loaded += rows.length;
    await target.room();
    if (rows.length < pageRows) break;
  }
  signal.throwIfAborted();
  await target.batcher.flush();
  await target.room();
  await endLoad(control, slotName);
  logger.info({ slot: slotName, events: loaded }, 'initial load done');
}

/** The sink as the load sees it: each batch that it has taken moves the stored progress of the load. */
class LoadTarget {
  readonly batcher: Batcher<string | undefined>;
  /** Id of the last event that was handed to the batcher, or is about to be. */
  reached: string | undefined;
  readonly #failed: Promise<never>;
  #drained = Promise.withResolvers<void>();

  constructor({ options, control, failed, batcher }: Session) {
    this.#failed = failed;
    this.batcher = batcher({
      capture: () => this.reached,
      sunk: async (loadAfter, batch, sunkAtMs) => {
        if (loadAfter !== undefined) await advanceLoad(control, options.slotName, loadAfter);
        options.onSunk(batch, sunkAtMs);
      },
      drained: () => this.#drained.resolve(),
    });
  }

  /** Resolves when the batcher takes events again; rejects when the session failed. */
  async room(): Promise<void> {
    while (this.batcher.full) {
      this.#drained = Promise.withResolvers<void>();
      await Promise.race([this.#drained.promise, this.#failed]);
    }
    // Also where nothing is full any more because the batcher has ended.
    await Promise.race([this.#failed, Promise.resolve()]);
  }
}

/**
 * Waits until every transaction that runs now has ended. One that wrote its COMMIT before the slot's consistent point
 * may still be on its way out of the list of running transactions, and so long no snapshot shows its rows: they would
 * be neither in the load nor in the stream. (Ids of transactions do not wrap in xid8.)
 */
async function untilVisible({ control, options, signal }: Session): Promise<void> {
  const { rows } = await control.query<{ next: string }>(
    'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
  );
  const next = rows[0]!.next;
  for (let round = 0; ; round += 1) {
    const answer = await control.query<{ done: boolean }>(
      'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as done',
      [next],
    );
    if (answer.rows[0]!.done) return;
    if (round === 100) {
      options.logger.warn({ next }, 'the initial load waits for transactions older than the slot to end');
    }
    await delay(20, undefined, { signal });
  }
}

function sizeOf(row: Record<string, string>): number {
  return 200 + row.payload!.length;
}
