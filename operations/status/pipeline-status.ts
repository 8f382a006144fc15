import { retryGroup, retryTopics, sourceTopics } from '../../kernel/contract/topics.ts';
import { within } from '../../kernel/wait.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { readDeadLetters } from '../dead-letters/dead-letters.ts';
import { consumerGroup, createLabKafka } from './drain.ts';

/** The way from the gateway to ClickHouse; null for what the system does not have or what does not answer. */
export interface PipelineStatus {
  mode: SystemDescription['mode'];
  cdc: SystemDescription['cdc'];
  /** Messages that the API has not processed, by `topic/partition`. */
  consumerLag: Record<string, number> | null;
  retriesWaiting: number | null;
  /** Those that were not replayed; null where they could not be read in time. */
  deadLetters: number | null;
  /** As `GET /status` of the cdc process says it. */
  capture: CaptureStatus | null;
  /** Latencies by stage over the last minute or two, in milliseconds. */
  stages: Record<string, { p50Ms: number; p99Ms: number }>;
  /** Where events lose most of their time now; null while nothing moves. */
  slowStage: string | null;
}

interface CaptureStatus {
  engine: string;
  state: string;
  alarm: string | null;
  events: number;
  lagMs: number;
  freshnessMs: number | null;
  slotLagBytes: number | null;
  slotWalStatus: string | null;
  consumerLag: Record<string, number> | null;
}

/** Undefined for a system in sync mode without change data capture. Never throws because a part is down. */
export async function readPipeline(run: SystemDescription): Promise<PipelineStatus | undefined> {
  if (run.mode === 'sync' && !run.urls.cdc) return undefined;
  const [queues, capture] = await Promise.all([readQueues(run), readCapture(run.urls.cdc)]);
  const stages = capture?.stages ?? {};
  return {
    mode: run.mode,
    cdc: run.cdc,
    ...queues,
    capture: capture?.status ?? null,
    stages,
    slowStage: slowest(queues.consumerLag, capture),
  };
}

/** A backlog in front of the API is felt before its events show up in any latency. */
const backlogMessages = 1_000;

function slowest(consumerLag: Record<string, number> | null, capture: Capture | undefined): string | null {
  const waiting = Object.values(consumerLag ?? {}).reduce((sum, lag) => sum + lag, 0);
  if (waiting > backlogMessages) return 'accepted_to_committed';
  const stages = Object.entries(capture?.stages ?? {}).filter(([name]) => !notToBlame.includes(name));
  return stages.sort(([, a], [, b]) => b.p99Ms - a.p99Ms)[0]?.[0] ?? null;
}

/** The provider's own delay before it delivers, and the sum of the stages after COMMIT. */
const notToBlame = ['sent_to_accepted', 'committed_to_sunk'];

async function readQueues(
  run: SystemDescription,
): Promise<Pick<PipelineStatus, 'consumerLag' | 'retriesWaiting' | 'deadLetters'>> {
  const none = { consumerLag: null, retriesWaiting: null, deadLetters: null };
  if (run.mode !== 'kafka' || !run.kafka) return none;
  const kafka = createLabKafka(run.kafka.brokers);
  const look = async () => {
    const [lag, retries, deadLetters] = await Promise.all([
      kafka.groupLag(consumerGroup, sourceTopics),
      kafka.groupLag(retryGroup(consumerGroup), retryTopics),
      readDeadLetters(kafka, undefined, 4_000).catch(() => null),
    ]);
    return {
      consumerLag: Object.fromEntries(lag.map((row) => [`${row.topic}/${row.partition}`, Number(row.lag)])),
      retriesWaiting: retries.reduce((sum, row) => sum + Number(row.lag), 0),
      deadLetters: deadLetters?.filter(({ replayedAtMs }) => replayedAtMs === null).length ?? null,
    };
  };
  try {
    return await within(5_000, look());
  } catch {
    return none;
  } finally {
    void kafka.close().catch(() => {});
  }
}

interface Capture {
  status: CaptureStatus;
  stages: PipelineStatus['stages'];
}

/** What the process that captures changes answers; an older or a newer one may leave parts out. */
interface CaptureAnswer {
  engine: CaptureStatus['engine'];
  state: CaptureStatus['state'];
  alarm: CaptureStatus['alarm'];
  events: CaptureStatus['events'];
  lag_ms: CaptureStatus['lagMs'];
  freshness_ms: CaptureStatus['freshnessMs'];
  slot_lag_bytes: CaptureStatus['slotLagBytes'];
  slot_wal_status: CaptureStatus['slotWalStatus'];
  consumer_lag: CaptureStatus['consumerLag'];
  stages?: Record<string, { p50_ms: number; p99_ms: number }>;
}

async function readCapture(url: string | undefined): Promise<Capture | undefined> {
  if (!url) return undefined;
  try {
    const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(3_000) });
    const { data } = (await response.json()) as { data: CaptureAnswer };
    const stages = Object.entries(data.stages ?? {});
    return {
      status: {
        engine: data.engine,
        state: data.state,
        alarm: data.alarm,
        events: data.events,
        lagMs: data.lag_ms,
        freshnessMs: data.freshness_ms,
        slotLagBytes: data.slot_lag_bytes,
        slotWalStatus: data.slot_wal_status,
        consumerLag: data.consumer_lag,
      },
      stages: Object.fromEntries(stages.map(([name, { p50_ms, p99_ms }]) => [name, { p50Ms: p50_ms, p99Ms: p99_ms }])),
    };
  } catch {
    return undefined;
  }
}
