import { createHistogram, type Histogram, mergeHistograms, percentiles } from './histogram.ts';

/** One second of a run, by the second in which its requests were meant to start. */
export interface LoadWindow {
  /** Since the start of the run. */
  startMs: number;
  /** Requests meant to start in this second. */
  offered: number;
  /** Of these, the ones that were answered, whatever the status. */
  answered: number;
  /** Of these, the ones without an answer or with a status of 400 or more. */
  failed: number;
  /** Answers that arrived in this second, whenever their requests started. */
  completed: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

interface Window {
  offered: number;
  answered: number;
  failed: number;
  completed: number;
  latency: Histogram;
}

/** Counts and latencies per second of a run. Times are in milliseconds since its start. */
export interface Windows {
  offered(intendedMs: number): void;
  answered(intendedMs: number, endMs: number, status: number): void;
  lost(intendedMs: number): void;
  /** Latencies of all answers in microseconds. */
  merged(): Histogram;
  list(): LoadWindow[];
}

export function createWindows(windowMs = 1_000): Windows {
  const windows: Window[] = [];
  const at = (ms: number): Window => {
    const index = Math.max(0, Math.floor(ms / windowMs));
    while (windows.length <= index) {
      windows.push({ offered: 0, answered: 0, failed: 0, completed: 0, latency: createHistogram() });
    }
    return windows[index]!;
  };
  return {
    offered: (intendedMs) => {
      at(intendedMs).offered += 1;
    },
    answered: (intendedMs, endMs, status) => {
      const window = at(intendedMs);
      window.answered += 1;
      if (status >= 400) window.failed += 1;
      window.latency.recordValue(Math.max(1, Math.round((endMs - intendedMs) * 1_000)));
      at(endMs).completed += 1;
    },
    lost: (intendedMs) => {
      at(intendedMs).failed += 1;
    },
    merged: () => mergeHistograms(windows.map(({ latency }) => latency)),
    list: () =>
      windows.map(({ latency, ...counts }, index) => {
        const { p50Ms, p99Ms, maxMs } = percentiles(latency);
        return { startMs: index * windowMs, ...counts, p50Ms, p99Ms, maxMs };
      }),
  };
}
