import { formatLsn, type Lsn } from '../../kernel/postgres/lsn.ts';
import { CdcAlarm } from '../../stream/alarm.ts';
import type { SlotStatus } from '../../stream/native/slot.ts';

/** One look at both ends, the slot's first, so that an offset stored in between makes no slot seem ahead. */
export interface SlotLook {
  slot: SlotStatus | undefined;
  /** Up to where Kafka has the events, by Connect's stored offset; undefined when there is none or Connect is away. */
  storedLsn: Lsn | undefined;
  /** Whether Connect answered: only then does a missing offset mean that nothing was read yet. */
  offsetsKnown: boolean;
}

/**
 * Debezium 3.7.0 notices a slot that is gone, but not one that was moved: with `offset.mismatch.strategy=trust_offset`
 * it compares the two only where the stored offset is ahead, and runs on silently where the slot is, although the
 * server will never send what lies between. So both are looked at from outside, again and again:
 * - a slot ahead of the stored offset was moved, unless its reader did it: Connect stores what had been sent when a flush
 *   began, and the connector then confirms what the broker has taken meanwhile as well. So a reader that was seen behind
 *   the stored offset may be ahead of it until the next flush; a slot is moved by others only while it has no reader;
 * - the position of a slot without a reader does not change by itself, but for a step up to the stored offset.
 * A connector that read on behind a slot that was moved is found too, because Connect stores the first offset some looks
 * after its start (`offset.flush.interval.ms`). What escapes is a move that no look sees for as long; the audit finds it.
 */
export function createSlotGuard(slotName: string): { check(look: SlotLook): void } {
  let everStored: Lsn | undefined;
  let unread: Lsn | undefined;
  /** The reader that was seen behind the stored offset. */
  let reader: number | undefined;
  /** What that reader had confirmed at the last look. */
  let confirmedByReader: Lsn | undefined;
  return {
    check: ({ slot, storedLsn, offsetsKnown }) => {
      everStored = storedLsn ?? (offsetsKnown ? undefined : everStored);
      if (!slot) {
        unread = undefined;
        if (everStored === undefined) return;
        throw alarm('slot_missing', `Slot ${slotName} is gone; it had been read up to ${formatLsn(everStored)}.`);
      }
      if (slot.walStatus === 'lost' || slot.invalidationReason !== null) {
        throw alarm('slot_lost', `The server invalidated slot ${slotName} (${slot.invalidationReason ?? 'no WAL'}).`);
      }
      const confirmed = slot.confirmedLsn;
      if (confirmed === null) return;
      if (slot.activePid !== null && storedLsn !== undefined && confirmed <= storedLsn) reader = slot.activePid;
      if (slot.activePid !== null && slot.activePid === reader) confirmedByReader = confirmed;
      if (storedLsn !== undefined && confirmed > storedLsn && confirmed !== confirmedByReader) {
        const text = `Slot ${slotName} stands at ${formatLsn(confirmed)}, but Kafka has the events up to`;
        throw alarm('slot_moved', `${text} ${formatLsn(storedLsn)} only.`);
      }
      // Debezium itself moves a slot that is behind up to its stored offset, as a copy after a promotion: what lies
      // between is in Kafka.
      const movedOn = unread !== undefined && confirmed > unread && storedLsn !== undefined;
      if (!slot.active && unread !== undefined && confirmed !== unread && !movedOn) {
        const text = `Slot ${slotName} went from ${formatLsn(unread)} to ${formatLsn(confirmed)}`;
        throw alarm('slot_moved', `${text} while it had no reader.`);
      }
      unread = slot.active ? undefined : confirmed;
    },
  };
}

const remedy =
  'Events may be missing. Start once with CDC_ON_LOST_SLOT=reload: it takes a new slot and loads again what the outbox ' +
  'still holds. Then run the audit, which lists what the outbox no longer held.';

export function alarm(reason: CdcAlarm['reason'], message: string): CdcAlarm {
  return new CdcAlarm(reason, message, remedy);
}
