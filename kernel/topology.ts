/**
 * The one place that says what a topology can do. Code asks for a capability and never for a topology's name, so a
 * new topology is one more row here and one more folder in `sql/topologies`.
 */
export const topologyNames = ['plain', 'partitioned', 'citus', 'replicated'] as const;
export type TopologyName = (typeof topologyNames)[number];

export interface Capabilities {
  /** Folder below `sql/topologies` that completes `sql/base`. */
  readonly schema: 'plain' | 'partitioned' | 'citus';
  /** Tables that are split into daily range partitions; empty where none is. */
  readonly partitionedTables: readonly string[];
  /** Where a provider event's uniqueness lives: on the delivery itself or in `webhook_keys`. */
  readonly dedupe: 'natural_key' | 'key_table';
  /** Whether reads may go to a streaming replica. */
  readonly readsFromReplica: boolean;
  /** How old rows leave. */
  readonly retention: 'delete' | 'drop_partition';
  /** Column by which rows are spread over servers; null where one server has all of them. */
  readonly shardKey: 'user_id' | null;
  /** PostgreSQL extension without which the topology cannot exist, if any. */
  readonly requiredExtension: 'citus' | null;
}

const dailyTables = ['order_events', 'dispute_events', 'webhook_deliveries', 'outbox'] as const;

const table: Readonly<Record<TopologyName, Capabilities>> = {
  plain: {
    schema: 'plain',
    partitionedTables: [],
    dedupe: 'natural_key',
    readsFromReplica: false,
    retention: 'delete',
    shardKey: null,
    requiredExtension: null,
  },
  partitioned: {
    schema: 'partitioned',
    partitionedTables: dailyTables,
    dedupe: 'key_table',
    readsFromReplica: false,
    retention: 'drop_partition',
    shardKey: null,
    requiredExtension: null,
  },
  citus: {
    schema: 'citus',
    partitionedTables: dailyTables,
    dedupe: 'key_table',
    readsFromReplica: false,
    retention: 'drop_partition',
    shardKey: 'user_id',
    requiredExtension: 'citus',
  },
  replicated: {
    schema: 'partitioned',
    partitionedTables: dailyTables,
    dedupe: 'key_table',
    readsFromReplica: true,
    retention: 'drop_partition',
    shardKey: null,
    requiredExtension: null,
  },
};

/** What the named topology can do. */
export function capabilities(name: TopologyName): Capabilities {
  return table[name];
}

/** Narrows free text, such as a command line argument, to a topology's name. */
export function isTopologyName(value: string): value is TopologyName {
  return (topologyNames as readonly string[]).includes(value);
}
