import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { labelVariable, page, topologyVariable } from '../page.ts';
import { lines, number, rows } from '../panels.ts';

const chosen = 'topology=~"$topology", service=~"$service"';
const requests = (by: string, matchers = ''): string =>
  `sum by (${by}) (rate(http_request_duration_seconds_count{${chosen}${matchers}}[$__rate_interval]))`;
const quantile = (q: number, by: string): string =>
  `histogram_quantile(${q}, sum by (${by}, le) (rate(http_request_duration_seconds_bucket{${chosen}}[$__rate_interval])))`;

/** Rate, errors and duration of every service, then what a slow one may be waiting for. */
export const dashboard = page({
  uid: 'lab-services',
  title: 'Service health',
  description: 'Rate, errors, duration of API, gateway and change data capture, and what they wait for.',
})
  .withVariable(topologyVariable())
  .withVariable(labelVariable('service', 'Service', 'label_values(process_start_time_seconds, service)'))
  .withPanel(
    number({
      title: 'Answering',
      description: '1 for each target that Prometheus could read at its last try.',
      unit: 'none',
      series: [{ expression: 'up{topology=~"$topology"}', legend: '{{job}}' }],
      size: 'third',
    }),
  )
  .withPanel(
    number({
      title: 'Errors',
      description: 'Share of requests that ended with 5xx. A refused webhook (4xx) is the sender’s error.',
      unit: 'percentunit',
      warnAt: 0.001,
      alarmAt: 0.01,
      size: 'third',
      series: [
        {
          expression: `(${requests('service', ', status=~"5.."')} or 0 * ${requests('service')}) / ${requests('service')}`,
          legend: '{{service}}',
        },
      ],
    }),
  )
  .withPanel(
    number({
      title: 'Running for',
      description: 'Since the process started. A short time without a deployment is a crash.',
      unit: 's',
      size: 'third',
      series: [{ expression: `time() - process_start_time_seconds{${chosen}}`, legend: '{{service}}' }],
    }),
  )
  .withRow(new RowBuilder('Rate, errors, duration'))
  .withPanel(
    lines({
      title: 'Requests by route',
      description: 'Routes are patterns: an order’s id does not make a series.',
      unit: 'reqps',
      series: [{ expression: requests('service, method, route'), legend: '{{service}} {{method}} {{route}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Responses by status',
      description: '202 is a new webhook, 200 a duplicate, 503 a store that is away.',
      unit: 'reqps',
      stacked: true,
      series: [{ expression: requests('service, status'), legend: '{{service}} {{status}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Duration p99 by route',
      description: 'From the request to the end of its response.',
      unit: 's',
      warnAt: 0.1,
      alarmAt: 1,
      series: [{ expression: quantile(0.99, 'service, route'), legend: '{{service}} {{route}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Duration p50 by route',
      description: 'Half of the responses are faster.',
      unit: 's',
      series: [{ expression: quantile(0.5, 'service, route'), legend: '{{service}} {{route}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Refused webhooks',
      description:
        'By provider and error code. unauthorized after a change of secrets means that one side has the old one.',
      unit: 'ops',
      series: [
        {
          expression: `sum by (provider, code) (rate(webhooks_rejected_total{${chosen}}[$__rate_interval]))`,
          legend: '{{provider}} {{code}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Verdicts',
      description: 'What became of the webhooks. parked waits for its order, quarantined contradicts what is known.',
      unit: 'ops',
      stacked: true,
      series: [
        {
          expression: `sum by (service, verdict) (rate(webhooks_total{${chosen}}[$__rate_interval]))`,
          legend: '{{service}} {{verdict}}',
        },
      ],
    }),
  )
  .withRow(new RowBuilder('What they wait for'))
  .withPanel(
    lines({
      title: 'Webhooks in the queue',
      description: 'Waiting for the next transaction, or in the gateway for the broker. A full queue answers 503.',
      unit: 'short',
      series: [
        { expression: `webhook_queue_length{${chosen}, service=~"api|ingest"}`, legend: '{{topology}} {{service}}' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Parked webhooks',
      description: 'They wait for their order. A number that only grows means orders that never come.',
      unit: 'short',
      series: [{ expression: 'webhooks_parked{service="api", topology=~"$topology"}', legend: '{{topology}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Calls to the payment provider, p99',
      description: 'By operation and outcome.',
      unit: 's',
      series: [
        {
          expression: `histogram_quantile(0.99, sum by (operation, outcome, le) (rate(provider_request_duration_seconds_bucket{${chosen}}[$__rate_interval])))`,
          legend: '{{operation}} {{outcome}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Publishing to Kafka, p99',
      description: 'Until the broker had stored the webhooks of a request, or until that was given up.',
      unit: 's',
      series: [
        {
          expression: `histogram_quantile(0.99, sum by (outcome, le) (rate(kafka_produce_duration_seconds_bucket{${chosen}}[$__rate_interval])))`,
          legend: '{{outcome}}',
        },
      ],
    }),
  )
  .withRow(new RowBuilder('Processes'))
  .withPanel(
    lines({
      title: 'CPU',
      description: '1 is one core: a Node process can’t use much more.',
      unit: 'none',
      warnAt: 0.9,
      series: [
        {
          expression: `rate(process_cpu_seconds_total{${chosen}}[$__rate_interval])`,
          legend: '{{topology}} {{service}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Event loop delay p99',
      description: 'How late timers are: every request waits at least that long.',
      unit: 's',
      warnAt: 0.05,
      series: [{ expression: `nodejs_eventloop_lag_p99_seconds{${chosen}}`, legend: '{{topology}} {{service}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Resident memory',
      description: 'The target is 200 MiB under load, flat over an hour.',
      unit: 'bytes',
      warnAt: 209715200,
      series: [{ expression: `process_resident_memory_bytes{${chosen}}`, legend: '{{topology}} {{service}}' }],
    }),
  )
  .withPanel(
    rows({
      title: 'Slowest routes now',
      description: 'The ten routes with the longest p99.',
      unit: 's',
      expression: `topk(10, ${quantile(0.99, 'topology, service, route')})`,
    }),
  );
