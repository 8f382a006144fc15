/** Times from which and until which, both included, events may lie. */
export interface TimeRange {
  from: Date;
  to: Date;
}

/**
 * The time of an aggregate's next event: the clock's, but never before the event that came last. Clocks of several
 * processes differ, and one may be set back; `created_at … updated_at` of the aggregate's row hold all of its events all
 * the same, so that a read of its history may leave out every other partition.
 */
export function nextEventTime(now: Date, updatedAt: Date | undefined): Date {
  return updatedAt && updatedAt > now ? updatedAt : now;
}

/** More than a Date cuts off of a time, and than rows that were not written by the API may be out by. */
const marginMs = 5 * 60_000;

/** Where the events of an order or a dispute lie. An event that was written after its row was read may lie behind it. */
export function eventRange(row: { created_at: Date; updated_at: Date }): TimeRange {
  return { from: new Date(row.created_at.getTime() - marginMs), to: new Date(row.updated_at.getTime() + marginMs) };
}

/** The same times in ranges that neither overlap nor touch, by time. */
export function mergeRanges(ranges: readonly TimeRange[]): TimeRange[] {
  const merged: TimeRange[] = [];
  for (const { from, to } of ranges.toSorted((a, b) => a.from.getTime() - b.from.getTime())) {
    const last = merged.at(-1);
    if (!last || from > last.to) merged.push({ from, to });
    else if (to > last.to) last.to = to;
  }
  return merged;
}
