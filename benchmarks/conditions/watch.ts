import os from 'node:os';
import { calibrate } from './calibrate.ts';
import type { Conditions, Durability } from './conditions.ts';
import { type MachineSample, sampleMachine } from './machine.ts';

export interface WatchOptions {
  /** The lab's processes by name, beside this one. Asked anew at both ends: parts may be started again. */
  processes(): Readonly<Record<string, number>>;
  /** On the disk that the servers write to. */
  directory: string;
  /** As the service's own session has it; undefined where no service is measured. */
  durability?(): Promise<Durability>;
}

/** Begins to watch a turn. @returns what ends it */
export async function watchTurn(options: WatchOptions): Promise<() => Promise<Conditions>> {
  const before = await calibrate(options.directory);
  const atStart = await options.durability?.();
  const parts = options.processes();
  const start = await sampleMachine([process.pid, ...Object.values(parts)]);
  return async () => {
    const partsNow = options.processes();
    const end = await sampleMachine([process.pid, ...Object.values(partsNow)]);
    const after = await calibrate(options.directory);
    const atEnd = await options.durability?.();
    return {
      ...compareSamples(start, end),
      restarted: Object.keys(parts).filter((name) => partsNow[name] !== parts[name]),
      spinMs: { before: before.spinMs, after: after.spinMs },
      syncMs: { before: before.syncMs, after: after.syncMs },
      durability: atStart && atEnd ? { atStart, atEnd } : null,
    };
  };
}

/** What happened between two samples. */
export function compareSamples(
  start: MachineSample,
  end: MachineSample,
  cores = os.availableParallelism(),
): Omit<Conditions, 'spinMs' | 'syncMs' | 'durability' | 'restarted'> {
  const durationS = (end.atMs - start.atMs) / 1e3;
  const mean = (seconds: number) => seconds / Math.max(durationS, 0.001);
  const share = (from: number | null, to: number | null) =>
    from === null || to === null ? null : Math.min(1, mean(to - from));
  const lab = end.labS - start.labS;
  return {
    durationS,
    cores,
    labCores: mean(lab),
    outsideCores: start.busyS === null || end.busyS === null ? null : Math.max(0, mean(end.busyS - start.busyS - lab)),
    stolenCores: mean(end.stolenS - start.stolenS),
    cpuPressure: share(start.cpuPressureS, end.cpuPressureS),
    ioPressure: share(start.ioPressureS, end.ioPressureS),
    clockStepMs: end.wallMs - start.wallMs - (end.atMs - start.atMs),
  };
}
