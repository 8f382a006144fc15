import { aborted } from 'node:util';
import type { Lsn } from '../../kernel/postgres/lsn.ts';
import { repeat } from '../../kernel/repeat.ts';
import { within } from '../../kernel/wait.ts';
import type { Batcher } from '../batcher.ts';
import { openStream, type ReplicationStream } from './connection.ts';
import { OutboxDecoder } from './outbox-decoder.ts';
import { storePosition } from './positions.ts';
import type { Session } from './session.ts';
import { checkSlot, expectPublication, maxLsn, slotStatus } from './slot.ts';
import { xLogDataHeader } from './wire.ts';

/**
 * Streams from `startLsn` until the session ends. The order is always: sink, position, slot. So the slot never stands
 * behind anything that the sink lacks, and a slot that is ahead of the position was moved by another process.
 */
export async function streamOutbox(session: Session, startLsn: Lsn): Promise<void> {
  const reader = new OutboxReader(session, startLsn);
  await reader.open();
  try {
    await reader.trustSlot();
    await reader.watchUntilStopped();
    await reader.writeRest();
  } finally {
    await reader.close();
  }
}

/** From the replication stream to the batcher, and from what the sink has back to the position and the slot. */
class OutboxReader {
  readonly #session: Session;
  readonly #startLsn: Lsn;
  readonly #batcher: Batcher<Lsn>;
  readonly #decoder: OutboxDecoder;
  readonly #trusted = Promise.withResolvers<void>();
  #stream: ReplicationStream | undefined;
  /** Behind the last transaction of which all rows went into a batch. */
  #lastCommitLsn: Lsn;
  #inTransaction = false;
  /** What the server says it has sent, or has found to be nothing for us. */
  #serverLsn: Lsn;
  /** What is stored as position; the process may know of more, on a history that a failover has cut off. */
  #confirmedLsn: Lsn;

  constructor(session: Session, startLsn: Lsn) {
    this.#session = session;
    this.#startLsn = startLsn;
    this.#lastCommitLsn = startLsn;
    this.#serverLsn = startLsn;
    this.#confirmedLsn = startLsn;
    this.#batcher = this.#createBatcher();
    this.#decoder = this.#createDecoder();
    session.state.oldestPendingMs = () => this.#batcher.oldestMs;
  }

  async open(): Promise<void> {
    const { options, fail } = this.#session;
    this.#stream = await openStream({
      dsn: options.dsn,
      slotName: options.slotName,
      publication: options.publication,
      startLsn: this.#startLsn,
      nowMs: options.nowMs,
      onData: (message) => {
        this.#decoder.decode(message, xLogDataHeader);
        if (this.#batcher.full) this.#stream?.pause();
      },
      onKeepalive: ({ walEnd, replyRequested }) => {
        if (walEnd > this.#serverLsn) this.#serverLsn = walEnd;
        if (replyRequested) this.#stream?.confirm(this.#confirmedLsn);
      },
    });
    this.#stream.ended.catch(fail);
  }

  /** Checks the slot. Nothing is confirmed before. @throws CdcAlarm */
  async trustSlot(): Promise<void> {
    const { options, state, control } = this.#session;
    // Only now no other process can move the slot, so what it says now is what the server streams from.
    const slot = await slotStatus(control, options.slotName);
    const knownLsn = maxLsn(this.#startLsn, state.confirmedLsn);
    // The slot's copy may be ahead of a position that a failover rolled back; what lies between is in the sink.
    await this.#store(maxLsn(this.#startLsn, checkSlot(options.slotName, slot, knownLsn)));
    state.slot = slot;
    this.#trusted.resolve();
    options.logger.info({ slot: options.slotName, lag_bytes: slot?.lagBytes }, 'streaming');
  }

  /** Resolves when the engine is to stop. @throws what the session failed with. */
  async watchUntilStopped(): Promise<void> {
    const { options, signal, fail, failed } = this.#session;
    const watching = new AbortController();
    const watch = (): Promise<void> => this.#watch();
    repeat(watch, { pauseMs: options.watchEveryMs, pauseFirst: true, signal: watching.signal }).catch(fail);
    try {
      await Promise.race([aborted(signal, this), failed]);
    } finally {
      watching.abort();
    }
  }

  /** Writes what is in hand, as far as that does not take too long. */
  async writeRest(): Promise<void> {
    const { options, failed } = this.#session;
    this.#stream?.pause();
    const tooLate = new Error('The sink did not take the last batch in time.');
    try {
      await within(options.graceMs, Promise.race([this.#batcher.flush(), failed]), () => tooLate);
    } catch (error) {
      if (error !== tooLate) throw error;
      options.logger.warn('the sink did not take the last batch in time; it comes again after the next start');
    }
  }

  async close(): Promise<void> {
    this.#batcher.end();
    await this.#stream?.close();
  }

  #createBatcher(): Batcher<Lsn> {
    return this.#session.batcher<Lsn>({
      capture: () => this.#lastCommitLsn,
      sunk: async (lsn, batch, sunkAtMs) => {
        this.#session.options.onSunk(batch, sunkAtMs);
        await this.#confirm(lsn);
      },
      drained: () => {
        if (!this.#batcher.full) this.#stream?.resume();
      },
    });
  }

  #createDecoder(): OutboxDecoder {
    return new OutboxDecoder(
      {
        begin: () => {
          this.#inTransaction = true;
        },
        event: (event, bytes) => this.#batcher.add(event, bytes),
        commit: (endLsn) => {
          this.#inTransaction = false;
          this.#lastCommitLsn = endLsn;
          // Its rows may all be in a batch that was closed before this message came.
          this.#batcher.touch();
        },
      },
      this.#session.options.nowMs,
    );
  }

  async #store(lsn: Lsn): Promise<void> {
    const { options, state, control } = this.#session;
    await storePosition(control, options.slotName, lsn);
    if (lsn > this.#confirmedLsn) this.#confirmedLsn = lsn;
    state.confirmedLsn = this.#confirmedLsn;
  }

  async #confirm(lsn: Lsn): Promise<void> {
    await this.#trusted.promise;
    if (lsn <= this.#confirmedLsn) return;
    await this.#store(lsn);
    this.#stream?.confirm(this.#confirmedLsn);
  }

  async #watch(): Promise<void> {
    const { options, state, control } = this.#session;
    this.#stream?.confirm(this.#confirmedLsn);
    const idle = !this.#batcher.busy && !this.#inTransaction && this.#lastCommitLsn <= this.#confirmedLsn;
    // Others write too: an outbox without news must not make the server keep their WAL.
    const passedBy = this.#serverLsn - this.#confirmedLsn;
    if (idle && passedBy > BigInt(options.idleAdvanceBytes)) await this.#confirm(this.#serverLsn);
    // Without it the server says nothing, and sends nothing.
    await expectPublication(control, options.publication);
    const slot = await slotStatus(control, options.slotName);
    if (slot?.walStatus === 'unreserved' && state.slot?.walStatus !== 'unreserved') {
      options.logger.error(
        { slot },
        'the slot is about to be given up: the sink must catch up, or the limit must grow',
      );
    }
    state.slot = slot;
    checkSlot(options.slotName, slot, this.#confirmedLsn);
  }
}
