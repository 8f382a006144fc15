import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dashboardNames, fileOf } from '../../grafana/generate.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import { findPostgresExporter, findPrometheus } from '../../runtime/native/prometheus-installation.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { send } from '../../simulator/delivery/send.ts';
import { type Dashboard, expressionsOf, readDashboard } from '../metrics/promql.ts';
import { describeIf } from '../skip.ts';

const [prometheus, exporter] = await Promise.all([findPrometheus(), findPostgresExporter()]);
const missing = prometheus ? undefined : 'Prometheus: apt install prometheus';
const dashboards: Dashboard[] = await Promise.all(dashboardNames.map((name) => readDashboard(fileOf(name))));

/** What a system in sync mode on one server and its replica can't show, however long one waits. */
const elsewhere = [
  // Kafka mode, which e2e tests of the pipeline start.
  'webhooks_total{service="ingest"',
  'kafka_produce_duration_seconds',
  'consumer_lag_messages',
  'consumer_messages_total',
  'sum by (topology, topic, reason) (consumer_dead_letters_total',
  // Nothing goes wrong here.
  'webhooks_rejected_total',
  'cdc_refused_total',
  // No client captures.
  'provider_request_duration_seconds',
  // Shards.
  'lab_shard_',
  // The tables are too small to speak of bloat.
  'lab_table_dead_rows',
  ...(exporter ? [] : ['lab_', 'pg_']),
  ...(missingChdb() ? ['cdc_', 'pipeline_stage_seconds'] : []),
];

describeIf('Prometheus scrapes a system', missing, () => {
  let system: RunningSystem;

  beforeAll(async () => {
    system = await startSystem({
      topology: 'replicated',
      prometheus: true,
      cdc: missingChdb() ? 'off' : 'native',
    });
  });
  afterAll(() => system?.stop());

  const ask = async (path: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${system.urls.prometheus}/api/v1/${path}`);
    const { data, error } = (await response.json()) as { data?: Record<string, unknown>; error?: string };
    if (!data) throw new Error(`${path}: ${error}`);
    return data;
  };
  type Series = { metric: Record<string, string>; value: [number, string] };
  const query = async (text: string): Promise<Series[]> =>
    (await ask(`query?query=${encodeURIComponent(text)}`)).result as Series[];

  test('after webhooks were sent, every panel has something to show', { timeout: 120_000 }, async () => {
    const expressions = dashboards
      .flatMap(expressionsOf)
      .filter(({ text }) => !elsewhere.some((part) => text.includes(part)));
    expect(expressions.length).toBeGreaterThan(exporter ? 60 : 30);
    let empty: string[] = [];
    const shown = async () => {
      // Again and again: a rate needs two scrapes with something between them.
      await sendSome();
      empty = [];
      for (const { where, text } of expressions) if ((await query(text)).length === 0) empty.push(`${where}: ${text}`);
      return empty.length === 0;
    };
    await waitUntil(shown, { timeoutMs: 90_000, intervalMs: 1_000 });
    expect(empty).toEqual([]);
  });

  test('every series says which topology it belongs to', async () => {
    const strangers = await query('count by (__name__) ({__name__!="", topology!="replicated"})');
    expect(strangers.map(({ metric }) => metric.__name__)).toEqual([]);
    const jobs = await query('up');
    expect(new Set(jobs.map(({ metric }) => metric.job))).toContain('api');
    expect(jobs.filter(({ value }) => value[1] !== '1')).toEqual([]);
  });

  test('the alert rules are loaded, and none fires on a healthy system', async () => {
    type Rule = { name: string; health: string; state: string };
    const { groups } = (await ask('rules')) as { groups: { rules: Rule[] }[] };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });

  let seed = 0;
  async function sendSome(): Promise<void> {
    seed += 1;
    await send({
      url: system.urls.ingest ?? system.urls.api,
      secrets: system.secrets,
      token: await operatorToken(system),
      record: path.join(system.runDirectory, 'records', `${seed}.jsonl`),
      count: 300,
      rate: 300,
      seed,
      duplicates: 0.1,
      late: 0.05,
      provider: 'mixed',
      concurrency: 8,
    });
  }
});
