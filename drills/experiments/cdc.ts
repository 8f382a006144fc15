import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { auditRun } from '../../audit/audit.ts';
import { listShards, moveShard, rebalance } from '../../citus/shards.ts';
import { atAddress } from '../../kernel/postgres/hosts.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil, waitWhileShrinking } from '../../kernel/wait.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import type { RunningSystem } from '../../runtime/native/system.ts';
import { type SendResult, send } from '../../simulator/delivery/send.ts';
import { createNativeEngine } from '../../stream/native/native-engine.ts';
import { type Collector, createCollector } from './collector.ts';
import { openNames, readNames } from './relation-names.ts';

export interface CdcExperimentOptions {
  /** A running system of the citus topology, without traffic of its own. */
  system: RunningSystem;
  webhooks: number;
  perSecond: number;
  seed: number;
  /** Shards that are moved off the second worker under load, before the rebalance that brings as many back. */
  moves: number;
  /** Whether the second worker is killed under load, and started again. */
  killWorker: boolean;
  logger: Logger;
  progress(line: string): void;
}

export interface CdcExperimentResult {
  webhooks: {
    sent: number;
    perSecond: number;
    retries: Record<string, number>;
    p99Ms: number;
    maxMs: number;
  };
  steps: { what: string; startedAtSecond: number; seconds: number }[];
  /** Whether each step ended while webhooks were still being sent. */
  underLoad: boolean;
  outbox: number;
  lost: number;
  /** Without what was there before: each reader's initial load asks the whole cluster. */
  deliveredTwice: number;
  /** Of these, until the worker was killed. */
  deliveredTwiceByMoves: number;
  unknown: number;
  outOfOrder: number;
  /** Rows by the name under which the workers' slots sent them. */
  names: Record<string, number>;
  auditClean: boolean;
}

/**
 * Reads the outbox of every worker through a slot of its own while webhooks come in, shards move and, if asked for, a
 * worker dies; then holds what the readers delivered against what the outbox has.
 */
export async function runCdcExperiment(options: CdcExperimentOptions): Promise<CdcExperimentResult> {
  const { system } = options;
  const collector = createCollector();
  const stop = new AbortController();
  const { ended } = await startReaders(options, collector, stop.signal);
  const loaded = new Set(collector.deliveries.keys());
  const countTwice = () => [...collector.deliveries].filter(([id, count]) => count > 1 && !loaded.has(id)).length;
  const client = new Client({ connectionString: system.dsn.admin });
  await client.connect();
  try {
    const { steps, sent, underLoad, deliveredTwiceByMoves } = await disturbUnderLoad(options, client, countTwice);
    const outbox = await waitForOutbox(client, collector.deliveries);
    stop.abort();
    await ended;
    const names = await countNames(system);
    const audit = await auditRun({ dsn: system.dsn.admin, topology: system.topology, recordFiles: [sent.record] });
    return {
      webhooks: {
        sent: options.webhooks,
        perSecond: round(sent.perSecond),
        retries: sent.retries,
        p99Ms: round(sent.latencyMs.p99),
        maxMs: round(sent.latencyMs.max),
      },
      steps,
      underLoad,
      outbox: outbox.size,
      lost: [...outbox].filter((id) => !collector.deliveries.has(id)).length,
      deliveredTwice: countTwice(),
      deliveredTwiceByMoves: deliveredTwiceByMoves ?? countTwice(),
      unknown: [...collector.deliveries.keys()].filter((id) => !outbox.has(id)).length,
      outOfOrder: collector.outOfOrder,
      names,
      auditClean: audit.ok && sent.ok,
    };
  } finally {
    stop.abort();
    await client.end();
  }
}

/** A reader for each worker. Resolves once all of them stream, with the promise of their end. */
async function startReaders(
  { system, logger, progress }: CdcExperimentOptions,
  collector: Collector,
  signal: AbortSignal,
): Promise<{ ended: Promise<unknown> }> {
  for (const worker of system.workers) await withClient(worker.dsn('payments'), openNames);
  const readers = system.workers.map((worker, index) =>
    createNativeEngine({
      dsn: atAddress(system.dsn.cdc, worker),
      slotName: `lab_cdc_${index + 1}`,
      publication: 'lab_outbox',
      sink: collector.sink,
      limits: { maxEvents: 1_000, maxBytes: 1 << 22, maxWaitMs: 100 },
      logger,
      nowMs: () => Date.now(),
      onLostSlot: 'stop',
      watchEveryMs: 500,
      idleAdvanceBytes: 1 << 20,
      graceMs: 5_000,
      queryTimeoutMs: 15_000,
      onSunk: () => {},
      onRefused: () => {},
      onRestart: () => progress('a reader begins again'),
    }),
  );
  const ended = Promise.all(readers.map((reader) => reader.run(signal)));
  ended.catch((error) => progress(`a reader has stopped: ${error}`));
  const streaming = () => readers.every((reader) => reader.status().state === 'streaming');
  if (!(await waitUntil(streaming, { timeoutMs: 30_000, intervalMs: 50 }))) {
    throw new Error('the readers did not begin to stream');
  }
  return { ended };
}

interface Disturbed {
  steps: CdcExperimentResult['steps'];
  sent: SendResult;
  underLoad: boolean;
  /** Undefined where no worker was killed. */
  deliveredTwiceByMoves: number | undefined;
}

/** Moves shards and kills a worker while webhooks are sent; ends when all of them have been answered. */
async function disturbUnderLoad(
  options: CdcExperimentOptions,
  client: Client,
  countTwice: () => number,
): Promise<Disturbed> {
  const [first, second] = options.system.workers;
  if (!first || !second) throw new Error('The experiment needs two workers.');
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const steps: CdcExperimentResult['steps'] = [];
  const step = async (what: string, work: () => Promise<unknown>) => {
    const startedAtSecond = elapsed();
    await work();
    steps.push({ what, startedAtSecond: round(startedAtSecond), seconds: round(elapsed() - startedAtSecond) });
    options.progress(`${what}: ${(elapsed() - startedAtSecond).toFixed(1)} s`);
  };
  let sentAt = Number.POSITIVE_INFINITY;
  const sending = sendWebhooks(options).finally(() => {
    sentAt = elapsed();
  });
  await delay(2_000);
  const onSecond = (await listShards(client)).filter((shard) => shard.node.endsWith(`:${second.port}`));
  for (const { shardId } of onSecond.slice(0, options.moves)) {
    await step(`move shard ${shardId} to worker 1`, () => moveShard(client, shardId, `${first.host}:${first.port}`));
  }
  if (options.moves > 0) await step('rebalance', () => rebalance(client));
  const deliveredTwiceByMoves = options.killWorker ? countTwice() : undefined;
  if (options.killWorker) {
    await step('kill worker 2, start it again after two seconds', async () => {
      second.kill('SIGKILL');
      await delay(2_000);
      await second.restart();
    });
  }
  const lastStepAt = elapsed();
  const sent = await sending;
  return { steps, sent, underLoad: lastStepAt <= sentAt, deliveredTwiceByMoves };
}

async function sendWebhooks({ system, webhooks, perSecond, seed }: CdcExperimentOptions): Promise<SendResult> {
  return send({
    url: system.urls.api,
    secrets: system.secrets,
    token: await operatorToken(system),
    record: path.join(system.runDirectory, 'records', 'experiment.jsonl'),
    count: webhooks,
    rate: perSecond,
    seed,
    duplicates: 0.02,
    late: 0.01,
    provider: 'silvergate',
    concurrency: 64,
  });
}

/** Waits until everything in the outbox has come, or nothing more has come for ten seconds. @returns the outbox's ids. */
async function waitForOutbox(client: Client, deliveries: ReadonlyMap<string, number>): Promise<Set<string>> {
  const { rows } = await client.query<{ event_id: string }>('select event_id from outbox');
  const ids = new Set(rows.map((row) => row.event_id));
  const look = async () => ({ left: [...ids].filter((id) => !deliveries.has(id)).length });
  await waitWhileShrinking(look, { stallMs: 10_000, intervalMs: 200 });
  return ids;
}

/** Rows by the name under which the workers' slots sent them, over all workers. */
async function countNames(system: RunningSystem): Promise<Record<string, number>> {
  const names: Record<string, number> = {};
  for (const worker of system.workers) {
    for (const [name, count] of Object.entries(await withClient(worker.dsn('payments'), readNames))) {
      names[name] = (names[name] ?? 0) + count;
    }
  }
  return names;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
