import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Answer } from '../../../simulator/driver/connections.ts';
import { createHistogram, type Histogram } from '../../../simulator/driver/histogram.ts';
import type { PreparedWebhook } from '../../../simulator/driver/prepare.ts';

export interface VisibilityProbe {
  /** Takes every so-manieth acknowledged order event as a sample. Called for each answer, so it is quick. */
  answered(request: PreparedWebhook, answer: Answer): void;
  /** Microseconds from the client's acknowledgement to the moment when a query found the event. */
  readonly latency: Histogram;
  /** Every sample: when it was acknowledged on `clock`, and how long it took. */
  readonly samples: readonly { acknowledgedAtMs: number; latencyMs: number }[];
  /** Waits until every sample was seen, at most `timeoutMs`. @returns how many never were. */
  finish(timeoutMs: number): Promise<number>;
}

interface Sample {
  orderId: string;
  sequence: number;
  acknowledgedAtMs: number;
}

export interface VisibilityOptions {
  client: ClickHouseClient;
  /** One of so many acknowledged events is a sample. */
  every: number;
  /** Pause between two looks; a latency is too long by at most this and the query's own time. */
  pauseMs: number;
  /** Monotonic, in milliseconds. */
  clock: () => number;
}

/**
 * Measures from outside, as a user of the analytics would: an event is visible when a query returns it. Nothing that
 * the pipeline says about itself goes into the figure.
 */
export function startVisibilityProbe(options: VisibilityOptions): VisibilityProbe {
  const { client, every, pauseMs, clock } = options;
  const latency = createHistogram();
  const samples: { acknowledgedAtMs: number; latencyMs: number }[] = [];
  let waiting: Sample[] = [];
  let count = 0;
  let stopped = false;

  const look = async (): Promise<void> => {
    const asked = waiting;
    const seen = await visibleSequences(client, [...new Set(asked.map(({ orderId }) => orderId))]);
    const at = clock();
    const found = new Set<Sample>();
    for (const sample of asked) {
      if ((seen.get(sample.orderId) ?? 0) < sample.sequence) continue;
      latency.recordValue(Math.max(1, Math.round((at - sample.acknowledgedAtMs) * 1_000)));
      samples.push({ acknowledgedAtMs: sample.acknowledgedAtMs, latencyMs: at - sample.acknowledgedAtMs });
      found.add(sample);
    }
    waiting = waiting.filter((sample) => !found.has(sample));
  };
  const looking = (async () => {
    while (!stopped) {
      if (waiting.length > 0) await look();
      await delay(pauseMs);
    }
  })();
  looking.catch(() => {});

  return {
    latency,
    samples,
    answered: (request, answer) => {
      const { orderId, disputeId } = request.webhook;
      if (orderId === null || disputeId !== null || answer.status !== 202) return;
      count += 1;
      if (count % every !== 0) return;
      const sequence = Number(/"sequence":"?(\d+)"?/.exec(answer.body)?.[1] ?? 0);
      if (sequence > 0) waiting.push({ orderId, sequence, acknowledgedAtMs: clock() });
    },
    finish: async (timeoutMs) => {
      const deadline = clock() + timeoutMs;
      while (waiting.length > 0 && clock() < deadline) await Promise.race([delay(10), looking]);
      stopped = true;
      await looking;
      return waiting.length;
    },
  };
}

/** By primary key, from the table that holds the newest state of every order. */
async function visibleSequences(client: ClickHouseClient, orderIds: string[]): Promise<Map<string, number>> {
  const result = await client.query({
    query: `select order_id, toUInt64(max(sequence)) as sequence from orders_latest
            where order_id in ({ids: Array(String)}) group by order_id`,
    query_params: { ids: orderIds },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ order_id: string; sequence: string }>();
  return new Map(rows.map((row) => [row.order_id, Number(row.sequence)]));
}
