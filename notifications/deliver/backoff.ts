const longestSeconds = 3_600;

/** Seconds until the next try: four times as long after each one, up to an hour, and at random from half of it. */
export function pauseSeconds(attempts: number, firstMs: number, random: () => number): number {
  const whole = Math.min(longestSeconds, (firstMs / 1_000) * 4 ** attempts);
  return whole * (0.5 + random() / 2);
}
