/** How long an engine is measured. */
export interface FreshnessPace {
  /** The highest rate is searched as `ingest` does, or estimated by a closed loop of so long. */
  closedMs: number | null;
  steadyMs: number;
  backlogEvents: number;
}

/** What `lab bench freshness` takes its time for. */
export const thorough: FreshnessPace = { closedMs: null, steadyMs: 12_000, backlogEvents: 200_000 };
/** What the tour has time for. */
export const brief: FreshnessPace = { closedMs: 4_000, steadyMs: 5_000, backlogEvents: 80_000 };
/** What the tour has time for where the machine is slow or others use it. */
export const hasty: FreshnessPace = { closedMs: 3_000, steadyMs: 4_000, backlogEvents: 40_000 };
