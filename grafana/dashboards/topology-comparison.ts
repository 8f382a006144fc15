import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { page, topologyVariable } from '../page.ts';
import { lines, number } from '../panels.ts';

const webhooks = 'sum by (topology) (rate(webhooks_total{service="api", topology=~"$topology"}[$__rate_interval]))';
const responseBuckets =
  'sum by (topology, le) (rate(http_request_duration_seconds_bucket{route=~"/webhooks/.+", topology=~"$topology"}[$__rate_interval]))';
const responses =
  'sum by (topology) (rate(http_request_duration_seconds_count{route=~"/webhooks/.+", topology=~"$topology"}[$__rate_interval]))';

const perTopology = '{{topology}}';

/** One line per topology, each panel one question of the comparison. */
export const dashboard = page({
  uid: 'lab-topologies',
  title: 'Topology comparison',
  description:
    'The same workload on each topology. Compare what ran on the same machine under the same load only: the marks show ' +
    'which benchmark ran when. A verdict needs `lab compare`, which repeats, audits and counts the noise.',
})
  .withVariable(topologyVariable())
  .withRow(new RowBuilder('Throughput and latency'))
  .withPanel(
    lines({
      title: 'Webhooks per second',
      description: 'Webhooks that reached a verdict in the database.',
      unit: 'ops',
      series: [{ expression: webhooks, legend: perTopology }],
    }),
  )
  .withPanel(
    lines({
      title: 'Webhook response p99',
      description: 'From the request to the end of its response, as the service measures it. The target is 100 ms.',
      unit: 's',
      warnAt: 0.1,
      series: [{ expression: `histogram_quantile(0.99, ${responseBuckets})`, legend: perTopology }],
    }),
  )
  .withPanel(
    lines({
      title: 'Webhook response p50',
      description: 'Half of the responses are faster.',
      unit: 's',
      series: [{ expression: `histogram_quantile(0.5, ${responseBuckets})`, legend: perTopology }],
    }),
  )
  .withPanel(
    lines({
      title: 'Responses later than 100 ms',
      description: 'Share of webhook responses that missed the target.',
      unit: 'percentunit',
      alarmAt: 0.01,
      series: [
        {
          expression:
            '1 - sum by (topology) (rate(http_request_duration_seconds_bucket{route=~"/webhooks/.+", le="0.1", ' +
            `topology=~"$topology"}[$__rate_interval])) / ${responses}`,
          legend: perTopology,
        },
      ],
    }),
  )
  .withRow(new RowBuilder('Price of a webhook'))
  .withPanel(
    lines({
      title: 'CPU of the API per webhook',
      description: 'CPU time of the API process by the webhooks that it applied. The database’s CPU is in the report.',
      unit: 's',
      series: [
        {
          expression: `sum by (topology) (rate(process_cpu_seconds_total{service="api", topology=~"$topology"}[$__rate_interval])) / (${webhooks} > 0)`,
          legend: perTopology,
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'WAL per webhook',
      description: 'WAL bytes of all servers but replicas by the webhooks applied. Needs postgres_exporter.',
      unit: 'bytes',
      series: [
        {
          expression: `sum by (topology) (rate(lab_server_wal_bytes_total{topology=~"$topology"}[$__rate_interval]) and lab_server_in_recovery == 0) / (${webhooks} > 0)`,
          legend: perTopology,
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Webhooks per transaction',
      description: 'How many webhooks the group commit applies at once: it grows with the time that a commit takes.',
      unit: 'none',
      series: [
        {
          expression:
            'sum by (topology) (rate(webhook_batch_size_sum{service="api", topology=~"$topology"}[$__rate_interval])) / ' +
            'sum by (topology) (rate(webhook_batch_size_count{service="api", topology=~"$topology"}[$__rate_interval]))',
          legend: perTopology,
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Transaction p99',
      description: 'One applyWebhooks transaction with its COMMIT.',
      unit: 's',
      series: [
        {
          expression:
            'histogram_quantile(0.99, sum by (topology, le) (rate(webhook_batch_duration_seconds_bucket{service="api", topology=~"$topology"}[$__rate_interval])))',
          legend: perTopology,
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Resident memory',
      description: 'Of each service. The target is 200 MiB under load, flat over an hour.',
      unit: 'bytes',
      warnAt: 209715200,
      series: [
        {
          expression: 'process_resident_memory_bytes{service!="", topology=~"$topology"}',
          legend: '{{topology}} {{service}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Database size',
      description: 'Of all servers but replicas. Needs postgres_exporter.',
      unit: 'bytes',
      series: [
        {
          expression:
            'sum by (topology) (lab_server_database_bytes{topology=~"$topology"} and lab_server_in_recovery == 0)',
          legend: perTopology,
        },
      ],
    }),
  )
  .withRow(new RowBuilder('Reads and freshness'))
  .withPanel(
    lines({
      title: 'Reads by node',
      description: 'Who answered, and why that node was chosen. What replicas take, the primary is spared.',
      unit: 'ops',
      stacked: true,
      series: [
        {
          expression: 'sum by (topology, node, reason) (rate(reads_total{topology=~"$topology"}[$__rate_interval]))',
          legend: '{{topology}} {{node}} ({{reason}})',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Freshness p99',
      description:
        'From COMMIT until the event is visible in ClickHouse. The target is 1 s native, 3 s through Debezium.',
      unit: 's',
      warnAt: 1,
      alarmAt: 3,
      series: [
        {
          expression:
            'histogram_quantile(0.99, sum by (topology, le) (rate(pipeline_stage_seconds_bucket{stage="committed_to_sunk", topology=~"$topology"}[$__rate_interval])))',
          legend: perTopology,
        },
      ],
    }),
  )
  .withPanel(
    number({
      title: 'Webhooks so far',
      description: 'Since the API started.',
      unit: 'short',
      size: 'third',
      series: [
        { expression: 'sum by (topology) (webhooks_total{service="api", topology=~"$topology"})', legend: perTopology },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Duplicates and late webhooks',
      description:
        'Share of webhooks that changed nothing, because they had come before or were older than what is known.',
      unit: 'percentunit',
      series: [
        {
          expression: `sum by (topology, verdict) (rate(webhooks_total{service="api", verdict=~"duplicate|stale", topology=~"$topology"}[$__rate_interval])) / on (topology) group_left () (${webhooks} > 0)`,
          legend: '{{topology}} {{verdict}}',
        },
      ],
    }),
  );
