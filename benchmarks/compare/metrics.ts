import { turnKinds } from '../scenarios/registry.ts';
import type { Measurement } from '../schema/turn.ts';

/** The numbers of one measurement by metric; empty for one without data. */
export function metricsOf({ scenario, data }: Measurement): Record<string, number> {
  const kind = turnKinds.find(({ name }) => name === scenario);
  return kind && data !== null ? kind.metrics(data) : {};
}
