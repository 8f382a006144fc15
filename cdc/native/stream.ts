import { setTimeout as delay } from 'node:timers/promises';
import type { Lsn } from '../../kernel/postgres/lsn.ts';
import { repeat } from '../../kernel/repeat.ts';
import { openStream, type ReplicationStream } from './connection.ts';
import { OutboxDecoder } from './outbox-decoder.ts';
import { storePosition } from './positions.ts';
import type { Session } from './session.ts';
import { checkSlot, expectPublication, maxLsn, slotStatus } from './slot.ts';
import { xLogDataHeader } from './wire.ts';

/**
 * Streams from `startLsn` until the session ends. The order is always: sink, position, slot. So the slot never stands
 * behind anything that the sink lacks, and a slot that is ahead of the position was moved by somebody else.
 */
export async function streamOutbox(session: Session, startLsn: Lsn): Promise<void> {
  const { options, state, control, signal, fail, failed } = session;
  let stream: ReplicationStream | undefined;
  let markTrusted: () => void = () => {};
  const trusted = new Promise<void>((resolve) => {
    markTrusted = resolve;
  });
  /** Behind the last transaction of which all rows went into a batch. */
  let lastCommitLsn = startLsn;
  let inTransaction = false;
  /** What the server says it has sent, or has found to be nothing for us. */
  let serverLsn = startLsn;
  /** What is stored as position; the process may know of more, on a history that a failover has cut off. */
  let confirmedLsn = startLsn;

  const store = async (lsn: Lsn): Promise<void> => {
    await storePosition(control, options.slotName, lsn);
    if (lsn > confirmedLsn) confirmedLsn = lsn;
    state.confirmedLsn = confirmedLsn;
  };
  const confirm = async (lsn: Lsn): Promise<void> => {
    await trusted;
    if (lsn <= confirmedLsn) return;
    await store(lsn);
    stream?.confirm(confirmedLsn);
  };

  const batcher = session.batcher<Lsn>({
    capture: () => lastCommitLsn,
    sunk: async (lsn, batch, sunkAtMs) => {
      options.onSunk(batch, sunkAtMs);
      await confirm(lsn);
    },
    drained: () => {
      if (!batcher.full) stream?.resume();
    },
  });
  state.oldestPendingMs = () => batcher.oldestMs;

  const decoder = new OutboxDecoder(
    {
      begin: () => {
        inTransaction = true;
      },
      event: (event, bytes) => batcher.add(event, bytes),
      commit: (endLsn) => {
        inTransaction = false;
        lastCommitLsn = endLsn;
        // Its rows may all be in a batch that was closed before this message came.
        batcher.touch();
      },
    },
    options.nowMs,
  );

  stream = await openStream({
    ...{ dsn: options.dsn, slotName: options.slotName, publication: options.publication, startLsn },
    nowMs: options.nowMs,
    onData: (message) => {
      decoder.decode(message, xLogDataHeader);
      if (batcher.full) stream?.pause();
    },
    onKeepalive: ({ walEnd, replyRequested }) => {
      if (walEnd > serverLsn) serverLsn = walEnd;
      if (replyRequested) stream?.confirm(confirmedLsn);
    },
  });
  stream.ended.catch(fail);

  const watch = async (): Promise<void> => {
    stream?.confirm(confirmedLsn);
    const idle = !batcher.busy && !inTransaction && lastCommitLsn <= confirmedLsn;
    // Others write too: an outbox without news must not make the server keep their WAL.
    if (idle && serverLsn - confirmedLsn > BigInt(options.idleAdvanceBytes)) await confirm(serverLsn);
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
    checkSlot(options.slotName, slot, confirmedLsn);
  };

  try {
    // Only now nobody else can move the slot, so what it says now is what the server streams from.
    const slot = await slotStatus(control, options.slotName);
    const knownLsn = maxLsn(startLsn, state.confirmedLsn);
    // The slot's copy may be ahead of a position that a failover rolled back; what lies between is in the sink.
    await store(maxLsn(startLsn, checkSlot(options.slotName, slot, knownLsn)));
    state.slot = slot;
    markTrusted();
    options.logger.info({ slot: options.slotName, lag_bytes: slot?.lagBytes }, 'streaming');
    const watching = new AbortController();
    repeat(watch, { pauseMs: options.watchEveryMs, pauseFirst: true, signal: watching.signal }).catch(fail);
    try {
      if (!signal.aborted) await Promise.race([session.stopped, failed]);
    } finally {
      watching.abort();
    }
    stream.pause();
    const grace = new AbortController();
    const late = delay(options.graceMs, undefined, { signal: grace.signal }).then(
      () => options.logger.warn('the sink did not take the last batch in time; it comes again after the next start'),
      () => {},
    );
    await Promise.race([batcher.flush(), late, failed]).finally(() => grace.abort());
  } finally {
    batcher.end();
    await stream.close();
  }
}
