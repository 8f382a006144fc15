/**
 * The one place that says what a topology can do. Code asks for a capability and never for a topology's name, so a
 * new topology is one more row here and one more folder in `sql/topologies`.
 */
export const topologyNames = ['plain', 'partitioned', 'citus', 'replicated'] as const;
export type TopologyName = (typeof topologyNames)[number];

/** What the other topologies are compared with. */
export const controlTopology: TopologyName = 'plain';
/** What is started where a command needs one system and the operator named no topology. */
export const defaultTopology: TopologyName = 'partitioned';
/** PostgreSQL extension that spreads tables over the servers of a cluster. */
export const shardingExtension = 'citus';

/** How a running system gets another topology, by what happens to its rows. */
export const conversions = {
  /** The tables become partitioned ones of the same database. */
  inPlace: { from: 'plain', to: 'partitioned' },
  /** The rows are copied to a cluster that is started beside the database. */
  toCluster: { from: 'partitioned', to: 'citus' },
} as const satisfies Record<string, { from: TopologyName; to: TopologyName }>;
export type ConversionKind = keyof typeof conversions;

/** How long the partitions of a partitioned table may be. */
export const partitionIntervals = ['daily', 'weekly', 'monthly'] as const;
export type PartitionInterval = (typeof partitionIntervals)[number];

export interface Capabilities {
  /** Folder below `sql/topologies` that completes `sql/base`. */
  readonly schema: 'plain' | 'partitioned' | 'citus';
  /** Tables that are split into range partitions by time, of a day unless told otherwise; empty where none is. */
  readonly partitionedTables: readonly string[];
  /** Where a provider event's uniqueness lives: on the delivery itself or in `webhook_keys`. */
  readonly dedupe: 'natural_key' | 'key_table';
  /** Whether reads may go to a streaming replica. */
  readonly readsFromReplica: boolean;
  /** Streaming replicas beside the primary: not possible, as asked for, or at least one. */
  readonly replicas: 'none' | 'optional' | 'required';
  /** How old rows leave. */
  readonly retention: 'delete' | 'drop_partition';
  /** Column by which rows are spread over servers; null where one server has all of them. */
  readonly shardKey: 'user_id' | null;
  /** Which form of each store the services use. The sharded one leads every statement to the shards of its users. */
  readonly stores: 'one_server' | 'sharded';
  /** Servers that hold the shards, beside a coordinator; 0 where one server has all rows. */
  readonly workers: number;
  /** PostgreSQL extension without which the topology cannot exist, if any; only an installed server can have it. */
  readonly requiredExtension: typeof shardingExtension | null;
  /** PostgreSQL extension that is used where the server has it, if any. */
  readonly optionalExtension: 'pg_partman' | null;
  /** What can carry the outbox to ClickHouse. */
  readonly cdcEngines: readonly ('native' | 'debezium')[];
  /** The servers that have the replication slots of change data capture. */
  readonly slotsOn: 'primary' | 'workers';
  /** Whether a pooler may stand between the API and its database. */
  readonly pooler: boolean;
  /** Profile of docker-compose.yml whose servers promote one of themselves when the primary fails, if there is one. */
  readonly composeFailoverProfile: string | null;
}

const dailyTables = ['order_events', 'dispute_events', 'webhook_deliveries', 'outbox'] as const;

const table: Readonly<Record<TopologyName, Capabilities>> = {
  plain: {
    schema: 'plain',
    partitionedTables: [],
    dedupe: 'natural_key',
    readsFromReplica: false,
    replicas: 'optional',
    retention: 'delete',
    shardKey: null,
    stores: 'one_server',
    workers: 0,
    requiredExtension: null,
    optionalExtension: null,
    cdcEngines: ['native', 'debezium'],
    slotsOn: 'primary',
    pooler: true,
    composeFailoverProfile: null,
  },
  partitioned: {
    schema: 'partitioned',
    partitionedTables: dailyTables,
    dedupe: 'key_table',
    readsFromReplica: false,
    replicas: 'optional',
    retention: 'drop_partition',
    shardKey: null,
    stores: 'one_server',
    workers: 0,
    requiredExtension: null,
    optionalExtension: 'pg_partman',
    cdcEngines: ['native', 'debezium'],
    slotsOn: 'primary',
    pooler: true,
    composeFailoverProfile: null,
  },
  citus: {
    schema: 'citus',
    partitionedTables: dailyTables,
    dedupe: 'key_table',
    readsFromReplica: false,
    replicas: 'none',
    retention: 'drop_partition',
    shardKey: 'user_id',
    stores: 'sharded',
    workers: 2,
    requiredExtension: shardingExtension,
    optionalExtension: 'pg_partman',
    cdcEngines: ['native'],
    slotsOn: 'workers',
    pooler: false,
    composeFailoverProfile: null,
  },
  replicated: {
    schema: 'partitioned',
    partitionedTables: dailyTables,
    dedupe: 'key_table',
    readsFromReplica: true,
    replicas: 'required',
    retention: 'drop_partition',
    shardKey: null,
    stores: 'one_server',
    workers: 0,
    requiredExtension: null,
    optionalExtension: 'pg_partman',
    cdcEngines: ['native', 'debezium'],
    slotsOn: 'primary',
    pooler: true,
    composeFailoverProfile: 'replicated-ha',
  },
};

/** What the named topology can do. */
export function capabilities(name: TopologyName): Capabilities {
  return table[name];
}

/**
 * The first topology that has what is asked for, as for a measurement that needs a replica.
 * @throws Error when none has.
 */
export function topologyWith(has: (can: Capabilities) => boolean): TopologyName {
  const found = topologyNames.find((name) => has(table[name]));
  if (found) return found;
  throw new Error('No topology can do what is asked for.');
}

/** The extensions that topologies require or use. */
export function topologyExtensions(): string[] {
  const named = topologyNames.flatMap((name) => [table[name].requiredExtension, table[name].optionalExtension]);
  return [...new Set(named.filter((extension) => extension !== null))];
}

/** Narrows free text, such as a command line argument, to a topology's name. */
export function isTopologyName(value: string): value is TopologyName {
  return (topologyNames as readonly string[]).includes(value);
}
