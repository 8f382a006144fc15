import type { DeadLetter } from '../../operations/dead-letters/dead-letters.ts';

/** A dead letter in a JSON document, without its body. */
export function summaryOf(deadLetter: DeadLetter) {
  const { id, source, reason, detail, attempts, failedAtMs, replayedAtMs, value } = deadLetter;
  return {
    id,
    source,
    reason,
    detail,
    attempts,
    failedAt: timeOf(failedAtMs),
    replayedAt: replayedAtMs === null ? null : timeOf(replayedAtMs),
    bytes: value?.length ?? 0,
  };
}

/** RFC 3339, from Unix milliseconds. */
export function timeOf(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
