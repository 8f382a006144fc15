/** How often a message is tried before it becomes a dead letter. */
export const maxAttempts = 5;

const firstPauseMs = 1_000;
/** No message is told to wait for longer. */
export const longestPauseMs = 30_000;
/** The pauses between five attempts then go from the first to the longest: 1 s, 3.1 s, 9.7 s, 30 s. */
const factor = (longestPauseMs / firstPauseMs) ** (1 / (maxAttempts - 2));

/**
 * Pause after the given number of failed attempts, in milliseconds. A fifth of it is jitter, so that messages that
 * failed together don't return together.
 * @param random Uniform in [0, 1).
 */
export function retryPauseMs(failedAttempts: number, random: () => number): number {
  const full = Math.min(longestPauseMs, firstPauseMs * factor ** (failedAttempts - 1));
  return full * (0.8 + random() / 5);
}
