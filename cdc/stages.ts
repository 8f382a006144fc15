import { build, type Histogram } from 'hdr-histogram-js';
import type { StageTimes } from '../kernel/contract/envelope.ts';
import type { SinkEvent } from '../stream/sink.ts';

/** Stages in the order in which an event passes them. An engine has those of which it knows both ends. */
export const stageNames = [
  'sent_to_accepted',
  'accepted_to_committed',
  'committed_to_read',
  'read_to_published',
  'committed_to_published',
  'read_to_sunk',
  'published_to_sunk',
  'committed_to_sunk',
] as const;
export type StageName = (typeof stageNames)[number];

/** The whole way from COMMIT to the sink, which is no stage to blame. */
export const freshnessStage: StageName = 'committed_to_sunk';

/** An event that was stored with the times of a past day, as by `lab send --since`, did not wait for COMMIT since then. */
const dayMs = 86_400_000;

/** How long an event took for each stage, in ms; a clock that is behind another one's counts as 0. */
export function stageDurations(times: StageTimes, sunkAtMs: number): Partial<Record<StageName, number>> {
  const { sentAtMs, acceptedAtMs, committedAtMs, readAtMs, publishedAtMs } = times;
  const durations: Partial<Record<StageName, number>> = {};
  const put = (name: StageName, from: number | undefined, to: number | undefined, belowMs = Infinity): void => {
    if (from !== undefined && to !== undefined && to - from < belowMs) durations[name] = Math.max(0, to - from);
  };
  put('sent_to_accepted', sentAtMs, acceptedAtMs, dayMs);
  put('accepted_to_committed', acceptedAtMs, committedAtMs, dayMs);
  // Rows of the initial load have no commit time: they waited for the load and say nothing about the pipeline.
  if (committedAtMs === undefined) return durations;
  put('committed_to_read', committedAtMs, readAtMs);
  if (publishedAtMs === undefined) {
    put('read_to_sunk', readAtMs, sunkAtMs);
  } else {
    if (readAtMs === undefined) put('committed_to_published', committedAtMs, publishedAtMs);
    else put('read_to_published', readAtMs, publishedAtMs);
    put('published_to_sunk', publishedAtMs, sunkAtMs);
  }
  put(freshnessStage, committedAtMs, sunkAtMs);
  return durations;
}

/**
 * At most `count` events of a batch, evenly spread, the oldest and the newest among them. Observing each of 50,000
 * events a second in six histograms would take more time than decoding them.
 */
export function sample(batch: readonly SinkEvent[], count: number): SinkEvent[] {
  if (batch.length <= count) return [...batch];
  const step = (batch.length - 1) / (count - 1);
  return Array.from({ length: count }, (_unused, index) => batch[Math.round(index * step)]!);
}

export interface StageSummary {
  count: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

/** Percentiles of each stage over the last one to two windows. */
export class StageWindows {
  readonly #windowMs: number;
  readonly #nowMs: () => number;
  #current = new Map<StageName, Histogram>();
  #former = new Map<StageName, Histogram>();
  #sinceMs: number;

  constructor(windowMs: number, nowMs: () => number) {
    this.#windowMs = windowMs;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  record(name: StageName, durationMs: number): void {
    this.#turn();
    let histogram = this.#current.get(name);
    if (!histogram) {
      histogram = newHistogram();
      this.#current.set(name, histogram);
    }
    histogram.recordValue(Math.round(durationMs));
  }

  summary(): Partial<Record<StageName, StageSummary>> {
    this.#turn();
    const summaries: Partial<Record<StageName, StageSummary>> = {};
    for (const name of stageNames) {
      const merged = newHistogram();
      for (const window of [this.#former, this.#current]) {
        const histogram = window.get(name);
        if (histogram) merged.add(histogram);
      }
      if (merged.totalCount === 0) continue;
      summaries[name] = {
        count: merged.totalCount,
        p50_ms: merged.getValueAtPercentile(50),
        p99_ms: merged.getValueAtPercentile(99),
        max_ms: merged.maxValue,
      };
    }
    return summaries;
  }

  #turn(): void {
    const now = this.#nowMs();
    const age = now - this.#sinceMs;
    // Below 0 the clock was set back, and without a turn the window would stay for as long as that.
    if (age >= 0 && age < this.#windowMs) return;
    this.#former = age < 2 * this.#windowMs ? this.#current : new Map();
    this.#current = new Map();
    this.#sinceMs = now;
  }
}

/** What lies before the service, and the whole way after COMMIT. */
const notToBlame: readonly StageName[] = ['sent_to_accepted', freshnessStage];

/** The stage with the largest p99 between the API and the sink; undefined while nothing was measured. */
export function slowestStage(summaries: Partial<Record<StageName, StageSummary>>): StageName | undefined {
  const stages = stageNames.filter((name) => !notToBlame.includes(name) && summaries[name]);
  return stages.sort((a, b) => summaries[b]!.p99_ms - summaries[a]!.p99_ms)[0];
}

function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 86_400_000, numberOfSignificantValueDigits: 2 });
}
