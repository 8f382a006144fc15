import os from 'node:os';
import { calibrate } from '../../benchmarks/conditions/calibrate.ts';
import { brief, type FreshnessPace, hasty } from '../../benchmarks/scenarios/freshness/pace.ts';

/** How much the tour measures, so that it ends within its five minutes. */
export interface TourSizes {
  /** Relative to `lab compare --quick`. */
  scale: number;
  pace: FreshnessPace;
  /** Why it is less than usual; undefined where it is not. */
  reason?: string;
}

/** The arithmetic takes 3 ms on the slow side of the machines that the usual sizes were tried on. */
const slowSpinMs = 5;
/** Load per core above which others use the machine as well. */
const busyLoad = 0.5;

/** After a first look at the machine. */
export async function chooseSizes(): Promise<TourSizes> {
  const { spinMs } = await calibrate(os.tmpdir());
  return sizesFor(spinMs, os.loadavg()[0]! / os.availableParallelism());
}

export function sizesFor(spinMs: number, loadPerCore: number): TourSizes {
  const busy = loadPerCore > busyLoad;
  if (!busy && spinMs <= slowSpinMs) return { scale: 0.7, pace: brief };
  const reason = busy
    ? `other programs keep this machine busy (load ${loadPerCore.toFixed(1)} a core)`
    : `this machine is slow (${spinMs.toFixed(1)} ms for what takes others 3)`;
  return { scale: 0.5, pace: hasty, reason };
}
