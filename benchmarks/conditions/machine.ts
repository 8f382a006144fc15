import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { sampleTree } from '../measure/process-cpu.ts';

/** Counters of the machine that only grow; the difference of two samples is what happened in between. */
export interface MachineSample {
  /** Monotonic, in milliseconds. */
  atMs: number;
  /** Wall clock, Unix ms. */
  wallMs: number;
  /** CPU seconds of all processes together; null where the platform does not tell. */
  busyS: number | null;
  /** CPU seconds that the hypervisor gave to other guests. */
  stolenS: number;
  /** CPU seconds of the lab's own processes. */
  labS: number;
  /** Seconds in which at least one process waited for a core, and in which all of them waited for a disk. */
  cpuPressureS: number | null;
  ioPressureS: number | null;
}

/** @param pids roots of the lab's own processes, this one among them */
export async function sampleMachine(pids: readonly number[]): Promise<MachineSample> {
  const [stat, cpuPressureS, ioPressureS, labS] = await Promise.all([
    read('/proc/stat'),
    read('/proc/pressure/cpu').then((text) => pressureOf(text, 'some')),
    read('/proc/pressure/io').then((text) => pressureOf(text, 'full')),
    sampleTree(pids),
  ]);
  const cpu = stat === undefined ? { busyS: busyByNode(), stolenS: 0 } : parseCpu(stat);
  return { atMs: performance.now(), wallMs: Date.now(), ...cpu, labS, cpuPressureS, ioPressureS };
}

/**
 * Times of all cores from /proc/stat (proc(5)), in hundredths of a second. Interrupts are left out: those of the lab's
 * own requests belong to no process.
 */
export function parseCpu(text: string): { busyS: number | null; stolenS: number } {
  const fields = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').map(Number);
  if (!fields || fields.length < 4) return { busyS: null, stolenS: 0 };
  const [user, nice, system, , , , , steal = 0] = fields as [number, number, number, ...number[]];
  return { busyS: (user + nice + system) / 100, stolenS: steal / 100 };
}

/** The total of one line of /proc/pressure, in seconds; null where the kernel does not tell. */
export function pressureOf(text: string | undefined, line: 'some' | 'full'): number | null {
  const total = new RegExp(`^${line} .*total=(\\d+)`, 'm').exec(text ?? '')?.[1];
  return total === undefined ? null : Number(total) / 1e6;
}

function busyByNode(): number {
  return os.cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys, 0) / 1e3;
}

function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
