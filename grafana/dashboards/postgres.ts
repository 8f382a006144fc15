import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { page, topologyVariable } from '../page.ts';
import { lines, number, rows } from '../panels.ts';

const here = 'topology=~"$topology"';

/** The servers: partitions, dead rows, replication, slots, and shards where the topology has them. */
export const dashboard = page({
  uid: 'lab-postgres',
  title: 'Postgres',
  description:
    'Partitions, dead rows, replication, slots and shards. Most of it comes from postgres_exporter with ' +
    'grafana/prometheus/postgres-queries.yml; what a topology does not have stays empty.',
})
  .withVariable(topologyVariable())
  .withPanel(
    number({
      title: 'Rows in default partitions',
      description: 'Above 0, premake fell behind: `lab partitions rescue` moves them to where they belong.',
      unit: 'short',
      alarmAt: 1,
      size: 'third',
      series: [{ expression: `sum by (topology) (default_partition_rows{${here}})`, legend: '{{topology}}' }],
    }),
  )
  .withPanel(
    number({
      title: 'Partitions reach into the future',
      description: 'The shortest reach of all tables. Rows that come after it land in the default partition.',
      unit: 's',
      size: 'third',
      series: [{ expression: `min by (topology) (lab_partition_ahead_seconds{${here}})`, legend: '{{topology}}' }],
    }),
  )
  .withPanel(
    number({
      title: 'WAL kept for slots',
      description: 'The most that one slot makes its server keep. A consumer that is gone fills the disk.',
      unit: 'bytes',
      warnAt: 1073741824,
      alarmAt: 3221225472,
      size: 'third',
      series: [{ expression: `max by (topology) (lab_slot_retained_bytes{${here}})`, legend: '{{topology}}' }],
    }),
  )
  .withRow(new RowBuilder('Partitions and tables'))
  .withPanel(
    lines({
      title: 'Partitions',
      description: 'Without the default one. It grows by one a day until retention drops one a day.',
      unit: 'short',
      series: [{ expression: `lab_partition_count{${here}}`, legend: '{{topology}} {{table}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Rows in default partitions by table',
      description: 'Has to be 0.',
      unit: 'short',
      alarmAt: 1,
      series: [{ expression: `default_partition_rows{${here}}`, legend: '{{topology}} {{table}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Size by table',
      description: 'With indexes; partitions are added up.',
      unit: 'bytes',
      stacked: true,
      series: [
        { expression: `lab_table_heap_bytes{${here}} + lab_table_index_bytes`, legend: '{{topology}} {{table}}' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Dead rows',
      description:
        'Share of rows that are dead and not yet removed: bloat. Where partitions are dropped, there is little to vacuum.',
      unit: 'percentunit',
      warnAt: 0.2,
      series: [
        {
          expression: `lab_table_dead_rows{${here}} / (lab_table_dead_rows + lab_table_live_rows > 1000)`,
          legend: '{{topology}} {{table}}',
        },
      ],
    }),
  )
  .withPanel(
    rows({
      title: 'Largest tables',
      description: 'Heap without indexes, newest values.',
      unit: 'bytes',
      size: 'half',
      expression: `topk(10, sum by (topology, table) (lab_table_heap_bytes{${here}}))`,
    }),
  )
  .withPanel(
    lines({
      title: 'Age of the oldest partition',
      description: 'Retention keeps it level.',
      unit: 's',
      series: [{ expression: `lab_partition_oldest_seconds{${here}}`, legend: '{{topology}} {{table}}' }],
    }),
  )
  .withRow(new RowBuilder('Replication'))
  .withPanel(
    lines({
      title: 'Lag of replicas, bytes',
      description: 'WAL written and not yet replayed, as the API sees it when it chooses a node for a read.',
      unit: 'bytes',
      series: [{ expression: `replica_lag_bytes{${here}}`, legend: '{{topology}} {{replica}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Lag of replicas, time',
      description: 'Age of the oldest write that the replica has not replayed.',
      unit: 's',
      warnAt: 1,
      series: [{ expression: `replica_lag_seconds{${here}}`, legend: '{{topology}} {{replica}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Replicas that get reads',
      description: '0 while a replica is gone or too far behind; reads go elsewhere then.',
      unit: 'none',
      series: [{ expression: `replica_healthy{${here}}`, legend: '{{topology}} {{replica}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Standbys as the primary sees them',
      description: 'WAL that each has not replayed.',
      unit: 'bytes',
      series: [{ expression: `lab_standby_replay_bytes{${here}}`, legend: '{{topology}} {{standby}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Replay delay as the primary learns it',
      description: 'From a commit to its replay there. With --sync, part of every commit.',
      unit: 's',
      series: [{ expression: `lab_standby_replay_seconds{${here}}`, legend: '{{topology}} {{standby}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Commits that wait for a standby',
      description: '1 for each standby that commits wait for.',
      unit: 'none',
      series: [
        { expression: `lab_standby_synchronous{${here}} * lab_standby_streaming`, legend: '{{topology}} {{standby}}' },
      ],
    }),
  )
  .withRow(new RowBuilder('Slots and WAL'))
  .withPanel(
    lines({
      title: 'WAL kept by slot',
      description: 'The server keeps it until the reader has confirmed, up to max_slot_wal_keep_size.',
      unit: 'bytes',
      series: [{ expression: `lab_slot_retained_bytes{${here}}`, legend: '{{topology}} {{slot_name}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Slots in use, slots in danger',
      description: 'active is 1 while a process reads. endangered is 1 once WAL of the slot is dropped or about to be.',
      unit: 'none',
      alarmAt: 1,
      series: [
        { expression: `lab_slot_active{${here}}`, legend: '{{topology}} {{slot_name}} active' },
        { expression: `lab_slot_endangered{${here}}`, legend: '{{topology}} {{slot_name}} endangered' },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'WAL written',
      description: 'By each server; a standby’s is what it replays.',
      unit: 'Bps',
      series: [
        {
          expression: `rate(lab_server_wal_bytes_total{${here}}[$__rate_interval])`,
          legend: '{{topology}} {{instance}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Transactions',
      description: 'Of the payments database, committed and rolled back.',
      unit: 'ops',
      series: [
        {
          expression: `sum by (topology, instance) (rate(pg_stat_database_xact_commit{${here}, datname!~"template.*|postgres|"}[$__rate_interval]))`,
          legend: '{{topology}} {{instance}} committed',
        },
        {
          expression: `sum by (topology, instance) (rate(pg_stat_database_xact_rollback{${here}, datname!~"template.*|postgres|"}[$__rate_interval]))`,
          legend: '{{topology}} {{instance}} rolled back',
        },
      ],
    }),
  )
  .withRow(new RowBuilder('Server'))
  .withPanel(
    lines({
      title: 'Connections by state',
      description: 'idle in transaction holds locks and keeps vacuum from working.',
      unit: 'short',
      stacked: true,
      series: [
        {
          expression: `sum by (topology, state) (pg_stat_activity_count{${here}, datname!~"template.*|postgres|"})`,
          legend: '{{topology}} {{state}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Pages found in the cache',
      description: 'Share of page reads that shared_buffers answered. Cold benchmarks start near 0.',
      unit: 'percentunit',
      series: [
        {
          expression:
            `sum by (topology) (rate(pg_stat_database_blks_hit{${here}}[$__rate_interval])) / ` +
            `(sum by (topology) (rate(pg_stat_database_blks_hit{${here}}[$__rate_interval])) + ` +
            `sum by (topology) (rate(pg_stat_database_blks_read{${here}}[$__rate_interval])))`,
          legend: '{{topology}}',
        },
      ],
    }),
  )
  .withPanel(
    lines({
      title: 'Longest open transaction',
      description: 'It keeps dead rows in every table.',
      unit: 's',
      warnAt: 60,
      series: [{ expression: `lab_server_longest_transaction_seconds{${here}}`, legend: '{{topology}} {{instance}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Deadlocks',
      description: 'Batches lock in one order, so there should be none.',
      unit: 'ops',
      series: [
        {
          expression: `sum by (topology) (rate(pg_stat_database_deadlocks{${here}}[$__rate_interval]))`,
          legend: '{{topology}}',
        },
      ],
    }),
  )
  .withRow(new RowBuilder('Shards (citus)'))
  .withPanel(
    lines({
      title: 'Size of the shards by worker',
      description: 'Skew shows as one line far above the others: `lab shards` rebalances and isolates.',
      unit: 'bytes',
      series: [{ expression: `lab_shard_bytes{${here}}`, legend: '{{topology}} {{node}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Shards by worker',
      description: 'A rebalance evens them out.',
      unit: 'short',
      series: [{ expression: `lab_shard_shards{${here}}`, legend: '{{topology}} {{node}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Prepared transactions',
      description: 'Two-phase commits in flight.',
      unit: 'short',
      series: [{ expression: `lab_server_prepared_transactions{${here}}`, legend: '{{topology}} {{instance}}' }],
    }),
  )
  .withPanel(
    lines({
      title: 'Oldest prepared transaction',
      description: 'Older than two minutes, a commit was left half done.',
      unit: 's',
      alarmAt: 120,
      series: [{ expression: `lab_server_oldest_prepared_seconds{${here}}`, legend: '{{topology}} {{instance}}' }],
    }),
  );
