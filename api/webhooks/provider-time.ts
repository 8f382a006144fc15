/** How far a provider's clock may be ahead of ours; also what a time zone that was left out amounts to. */
const toleranceMs = 86_400_000;

/**
 * The time by which an event is ordered among others: the provider's, in milliseconds, and the time of its receipt where
 * the provider's lies more than a day behind that. A year 9999 that is a typing error would else make every later event
 * stale for ever.
 */
export function rulingTime(providerTime: Date, receivedAt: Date): Date {
  return providerTime.getTime() > receivedAt.getTime() + toleranceMs ? receivedAt : providerTime;
}
