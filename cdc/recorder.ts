import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Metrics } from '../kernel/metrics.ts';
import type { AlarmReason } from '../stream/alarm.ts';
import type { EngineStatus } from '../stream/engine.ts';
import type { SinkEvent } from '../stream/sink.ts';
import { type StageName, StageWindows, sample, stageDurations } from './stages.ts';

const sampledEvents = 500;

/** The process's own measurements: Prometheus series, and recent percentiles for `GET /status`. */
export class Recorder {
  readonly #nowMs: () => number;
  readonly #metrics: Metrics;
  readonly #windows: StageWindows;
  readonly #series: ReturnType<typeof createSeries>;
  #events = 0;
  #newestSunkCommitMs: number | undefined;

  constructor(options: { metrics: Metrics; nowMs: () => number; status: () => EngineStatus }) {
    this.#nowMs = options.nowMs;
    this.#metrics = options.metrics;
    this.#windows = new StageWindows(60_000, options.nowMs);
    this.#series = createSeries(options.metrics, {
      lagSeconds: () => this.#lagMs(options.status()) / 1000,
      freshnessSeconds: () => (this.freshnessMs ?? 0) / 1000,
      newestCommitSeconds: () => (this.#newestSunkCommitMs ?? 0) / 1000,
      status: options.status,
    });
  }

  /** Events that the sink has taken since the start. */
  get events(): number {
    return this.#events;
  }

  /** Now minus the newest commit that is in the sink; it grows while nothing is written. Undefined before the first one. */
  get freshnessMs(): number | undefined {
    return this.#newestSunkCommitMs === undefined ? undefined : Math.max(0, this.#nowMs() - this.#newestSunkCommitMs);
  }

  get newestSunkCommitMs(): number | undefined {
    return this.#newestSunkCommitMs;
  }

  stages() {
    return this.#windows.summary();
  }

  sunk(batch: readonly SinkEvent[], sunkAtMs: number): void {
    if (batch.length === 0) return;
    this.#events += batch.length;
    this.#series.events.inc(batch.length);
    this.#series.batchSize.observe(batch.length);
    for (const { times } of sample(batch, sampledEvents)) {
      for (const [stage, durationMs] of Object.entries(stageDurations(times, sunkAtMs))) {
        this.#windows.record(stage as StageName, durationMs);
        this.#metrics.stageDuration.observe({ stage }, durationMs / 1000);
      }
      if (times.committedAtMs !== undefined && times.committedAtMs > (this.#newestSunkCommitMs ?? 0)) {
        this.#newestSunkCommitMs = times.committedAtMs;
      }
    }
  }

  refused(reason: string): void {
    this.#series.refused.inc({ reason });
  }

  restarted(): void {
    this.#series.restarts.inc();
  }

  alarm(reason: AlarmReason): void {
    this.#series.alarm.set({ reason }, 1);
  }

  #lagMs(status: EngineStatus): number {
    return status.oldestPendingMs === undefined ? 0 : Math.max(0, this.#nowMs() - status.oldestPendingMs);
  }
}

const walStates = ['reserved', 'extended', 'unreserved', 'lost'];

/** What the gauges read whenever the metrics are asked for. */
interface Readings {
  lagSeconds(): number;
  freshnessSeconds(): number;
  newestCommitSeconds(): number;
  status(): EngineStatus;
}

function createSeries(metrics: Metrics, readings: Readings) {
  const registers = [metrics.registry];
  followReadings(registers, readings);
  return {
    events: new Counter({ name: 'cdc_events_total', help: 'Events that the sink has taken.', registers }),
    batchSize: new Histogram({
      name: 'cdc_batch_size',
      help: 'Events of one write to the sink.',
      buckets: [1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000, 100_000],
      registers,
    }),
    refused: new Counter({
      name: 'cdc_refused_total',
      help: 'Events put aside because they cannot be read or the sink refuses them.',
      labelNames: ['reason'],
      registers,
    }),
    restarts: new Counter({ name: 'cdc_restarts_total', help: 'New beginnings after a lost connection.', registers }),
    alarm: new Gauge({
      name: 'cdc_alarm',
      help: '1 once the engine refuses to run on, by the reason.',
      labelNames: ['reason'],
      registers,
    }),
  };
}

function followReadings(registers: Registry[], read: Readings): void {
  const gauge = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge(
    'cdc_lag_seconds',
    'Age of the oldest event that was read and is not in the sink; 0 without one.',
    read.lagSeconds,
  );
  gauge(
    'cdc_freshness_seconds',
    'Now minus the newest commit in the sink. Grows while nothing is written.',
    read.freshnessSeconds,
  );
  gauge(
    'cdc_newest_sunk_commit_timestamp_seconds',
    'Commit time of the newest event in the sink.',
    read.newestCommitSeconds,
  );
  gauge('cdc_slot_lag_bytes', 'WAL that the engine has not confirmed to its slot.', () => read.status().lagBytes ?? 0);
  new Gauge({
    name: 'cdc_slot_wal_status',
    help: '1 for the state in which the server keeps the WAL of the slot.',
    labelNames: ['wal_status'],
    registers,
    collect() {
      for (const state of walStates) this.set({ wal_status: state }, read.status().walStatus === state ? 1 : 0);
    },
  });
}
