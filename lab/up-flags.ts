import type { PartitionInterval } from '../kernel/topology.ts';

/** What `lab up` takes from the command line. */
export interface UpFlags {
  mode: 'sync' | 'kafka';
  cdc?: 'native' | 'debezium' | 'off';
  runtime: 'native' | 'docker';
  postgres: 'embedded' | 'installed';
  partitions?: PartitionInterval;
  replicas?: number;
  sync?: boolean;
  pgbouncer?: boolean;
  prometheus?: boolean;
  notifications?: boolean;
  ha?: boolean;
  small?: boolean;
  grafana?: boolean;
  apiPort?: number;
  ingestPort?: number;
  setting?: Record<string, string>;
  /** False with --no-restart. */
  restart: boolean;
  detach?: boolean;
  json?: boolean;
  supervisor?: boolean;
}
