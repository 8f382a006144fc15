import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { page, topologyVariable } from '../page.ts';
import { lines, number } from '../panels.ts';

const here = 'topology=~"$topology"';
const stage = (q: number, matcher: string): string =>
  `histogram_quantile(${q}, sum by (topology, stage, le) (rate(pipeline_stage_seconds_bucket{${here}, ${matcher}}[$__rate_interval])))`;
/** The provider's own delay and the sum of the stages after COMMIT are not the fault of any stage. */
const blamable = 'stage!~"sent_to_accepted|committed_to_sunk"';

/** From the gateway through Kafka and the outbox to ClickHouse: where events wait, and what was put aside. */
export const dashboard = page({
  uid: 'lab-pipeline',
  title: 'Pipeline',
  description: 'Lag by stage, the slow stage, consumers, dead letters, change data capture.',
})
  .withVariable(topologyVariable())
  .withPanel(
    number({
      title: 'Slow stage',
      description: 'The stage with the longest p99 now: begin there.',
      unit: 's',
      size: 'third',
      series: [{ expression: `topk(1, ${stage(0.99, blamable)})`, legend: '{{stage}}' }],
    }),
  )
  .withPanel(
    number({
      title: 'Freshness p99',
      description: 'From COMMIT until visible in ClickHouse. The target is 1 s native, 3 s through Debezium.',
      unit: 's',
      warnAt: 1,
      alarmAt: 3,
      size: 'third',
      series: [{ expression: stage(0.99, 'stage="committed_to_sunk"'), legend: '{{topology}}' }],
    }),
  )
  .withPanel(
    number({
      title: 'Dead letters',
      description:
        'Messages that could not be applied, since the start: `lab dlq list` shows them, `lab dlq replay` tries again.',
      unit: 'short',
      alarmAt: 1,
      size: 'third',
      series: [
        {
          expression: `sum by (topology) (consumer_dead_letters_total{${here}}) or 0 * sum by (topology) (process_start_time_seconds{service="api", ${here}})`,
          legend: '{{topology}}',
        },
      ],
    }),
  )
  .withRow(new RowBuilder('Lag by stage'))
  .withPanel(
    lines({
      title: 'p99 by stage',
      description: 'Each stage from one hand-over to the next; an engine has those of which it knows both ends.',
      unit: 's',
      series: [{ expression: stage(0.99, 'stage!="committed_to_sunk"'), legend: '{{topology}} {{stage}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'p50 by stage',
      description: 'Where the ordinary event spends its time.',
      unit: 's',
      stacked: true,
      series: [{ expression: stage(0.5, blamable), legend: '{{topology}} {{stage}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Freshness',
      description: 'From COMMIT to ClickHouse, p50 and p99.',
      unit: 's',
      warnAt: 1,
      alarmAt: 3,
      series: [
        { expression: stage(0.5, 'stage="committed_to_sunk"'), legend: '{{topology}} p50' },
        { expression: stage(0.99, 'stage="committed_to_sunk"'), legend: '{{topology}} p99' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Oldest event on its way',
      description: 'Age of the oldest event that was read and is not in ClickHouse. It grows while the sink is away.',
      unit: 's',
      warnAt: 10,
      alarmAt: 300,
      series: [{ expression: `cdc_lag_seconds{service="cdc", ${here}}`, legend: '{{topology}}' }],
    }),
  )
  .withRow(new RowBuilder('Kafka'))
  .withPanel(
    lines({
      title: 'Published by the gateway',
      description: 'Webhooks that the broker has stored.',
      unit: 'ops',
      series: [
        {
          expression: `sum by (topology, provider) (rate(webhooks_total{service="ingest", ${here}}[$__rate_interval]))`,
          legend: '{{topology}} {{provider}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Consumer lag',
      description: 'Messages that the API has not processed, by topic. Topics with “retry” wait on purpose.',
      unit: 'short',
      warnAt: 1000,
      series: [
        {
          // Every instance of the API reports the lag of the whole group.
          expression: `sum by (topology, topic) (max by (topology, topic, partition) (consumer_lag_messages{${here}}))`,
          legend: '{{topology}} {{topic}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Consumed by outcome',
      description: 'applied, put into a retry topic, or put into the dead-letter topic.',
      unit: 'ops',
      stacked: true,
      series: [
        {
          expression: `sum by (topology, outcome) (rate(consumer_messages_total{${here}}[$__rate_interval]))`,
          legend: '{{topology}} {{outcome}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Dead letters by reason',
      description: 'Since the consumers started.',
      unit: 'short',
      alarmAt: 1,
      series: [
        {
          expression: `sum by (topology, topic, reason) (consumer_dead_letters_total{${here}})`,
          legend: '{{topology}} {{topic}} {{reason}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Consumers paused',
      description: '1 while they wait for the database; nothing is consumed then and nothing is lost.',
      unit: 'none',
      series: [{ expression: `consumer_paused{service="api", ${here}}`, legend: '{{topology}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Publishing p99',
      description: 'The gateway’s acknowledgement waits for it.',
      unit: 's',
      warnAt: 0.1,
      series: [
        {
          expression: `histogram_quantile(0.99, sum by (topology, le) (rate(kafka_produce_duration_seconds_bucket{service="ingest", ${here}}[$__rate_interval])))`,
          legend: '{{topology}}',
        },
      ],
    }),
  )
  .withRow(new RowBuilder('Change data capture'))
  .withPanel(
    lines({
      title: 'Events into ClickHouse',
      description: 'Taken by the sink.',
      unit: 'ops',
      series: [{ expression: `rate(cdc_events_total{${here}}[$__rate_interval])`, legend: '{{topology}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Events per write',
      description: 'Large batches are cheap, small ones fresh.',
      unit: 'short',
      series: [
        {
          expression: `rate(cdc_batch_size_sum{${here}}[$__rate_interval]) / rate(cdc_batch_size_count{${here}}[$__rate_interval])`,
          legend: '{{topology}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'WAL not confirmed',
      description: 'What the engine still has to read or to write, as its slot shows it.',
      unit: 'bytes',
      series: [{ expression: `cdc_slot_lag_bytes{service="cdc", ${here}}`, legend: '{{topology}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'State of the slot',
      description:
        '1 for the state in which the server keeps its WAL; lost means events are gone, and the engine stops.',
      unit: 'none',
      series: [{ expression: `cdc_slot_wal_status{service="cdc", ${here}}`, legend: '{{topology}} {{wal_status}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Refused events and new beginnings',
      description: 'Events put aside because they can’t be read or stored, and reconnections, since the start.',
      unit: 'short',
      series: [
        {
          expression: `sum by (topology, reason) (cdc_refused_total{${here}})`,
          legend: '{{topology}} {{reason}}',
        },
        { expression: `cdc_restarts_total{${here}}`, legend: '{{topology}} restarts' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Newest commit in ClickHouse',
      description: 'Its age. It grows while nothing is written, too.',
      unit: 's',
      series: [
        { expression: `time() - (cdc_newest_sunk_commit_timestamp_seconds{${here}} > 0)`, legend: '{{topology}}' },
      ],
    }),
  );
