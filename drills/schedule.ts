import type { Random } from '../simulator/workload/random.ts';

/** How the primary goes: killed, ended at once as by an operator in a hurry, or frozen until it is fenced. */
export const faults = ['SIGKILL', 'SIGQUIT', 'SIGSTOP'] as const;
export type Fault = (typeof faults)[number];

export interface PlannedPromotion {
  fault: Fault;
  /** Acknowledgements under load before the fault. */
  acksBefore: number;
}

/** The plan of a failover drill: the same for the same random source. */
export function planPromotions(count: number, random: Random): PlannedPromotion[] {
  return Array.from({ length: count }, () => ({
    fault: faults[Math.floor(random.next() * faults.length)]!,
    acksBefore: 50 + Math.floor(random.next() * 250),
  }));
}
