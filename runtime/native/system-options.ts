import type { PartitionInterval, TopologyName } from '../../kernel/topology.ts';
import type { CdcEngine, WebhookMode } from '../system-description.ts';
import type { PromotionSteps } from './promotion-steps.ts';

export interface SystemOptions {
  topology: TopologyName;
  /** How webhooks arrive: at the API, or at the gateway and through Kafka; `sync` unless told otherwise. */
  mode?: WebhookMode;
  /** What carries the outbox to ClickHouse; `off` unless told otherwise. */
  cdc?: CdcEngine;
  /** Users are notified: mails and webhooks go to an inbox of the run. */
  notifications?: boolean;
  /** How long partitions are; a day unless told otherwise. */
  partitions?: PartitionInterval;
  /** Streaming replicas; one on a topology that reads from them, else none. */
  replicas?: number;
  /** Commits wait for a replica. */
  synchronous?: boolean;
  postgres?: 'embedded' | 'installed';
  /** The API reaches its database through pgbouncer in transaction mode. */
  pgbouncer?: boolean;
  /** Prometheus scrapes the system, with an exporter for each server where one is installed. */
  prometheus?: boolean;
  /** Whether the API takes 3000 and the gateway 3001 when they are free: for a system that a person talks to. */
  wellKnownPorts?: boolean;
  /** Ports that must be used. */
  ports?: { api?: number; provider?: number; ingest?: number };
  /** PostgreSQL settings beyond the lab's own. */
  settings?: Record<string, string>;
  apiEnvironment?: Record<string, string>;
  ingestEnvironment?: Record<string, string>;
  cdcEnvironment?: Record<string, string>;
  /** As `apiEnvironment`, for the payment worker. */
  paymentsEnvironment?: Record<string, string>;
  notificationsEnvironment?: Record<string, string>;
  /** A part that dies is started again. Without, its end is only reported, as a drill or a fault test wants it. */
  restarts?: boolean;
  /** How a replica is promoted; without, the system refuses to. */
  promotion?: PromotionSteps;
  progress?: (line: string) => void;
  /** Stops a start that is under way; what was started is cleaned up. */
  signal?: AbortSignal;
}
