export interface Backoff {
  firstMs: number;
  longestMs: number;
}

/** Pause after an attempt, in ms: it doubles up to the longest one, less a jitter of up to a half. */
export function backoffMs(attempt: number, { firstMs, longestMs }: Backoff, random: () => number): number {
  const full = Math.min(longestMs, firstMs * 2 ** (attempt - 1));
  return Math.round(full * (1 - random() / 2));
}
