import type { Capabilities, TopologyName } from '../kernel/topology.ts';

export type WebhookMode = 'sync' | 'kafka';
export type CdcEngine = Capabilities['cdcEngines'][number] | 'off';

/** A process of a system, and what its supervisor knows of it. */
export interface ProcessDescription {
  name: string;
  /** Of the last process, where none runs. */
  pid: number;
  /** `stopped` by an operator; `down`: it died, and is not started again; `fenced`: a primary that was replaced. */
  state: 'running' | 'restarting' | 'stopped' | 'down' | 'fenced';
  /** How often it was started again after it had died. */
  restarts: number;
  /** While it is not running: how it ended within the last minute, as in `signal SIGKILL`, oldest first. */
  ends?: string[];
  /** The last lines of its log, once it stays down. */
  log?: string;
}

/** What is known about a running system; stored as run.json in its directory. */
export interface SystemDescription {
  id: string;
  topology: TopologyName;
  mode: WebhookMode;
  cdc: CdcEngine;
  runDirectory: string;
  supervisorPid: number;
  /** RFC 3339, UTC. */
  startedAt: string;
  urls: {
    api: string;
    provider: string;
    /** Health and metrics of the payment worker. */
    payments?: string | undefined;
    /** Where webhooks go in kafka mode. */
    ingest?: string | undefined;
    /** With user, password and database, as `CLICKHOUSE_URL` takes it. */
    clickhouse?: string | undefined;
    /** Kafka Connect's REST interface. */
    connect?: string | undefined;
    /** Health and metrics of the process that fills ClickHouse. */
    cdc?: string | undefined;
    prometheus?: string | undefined;
    /** Health, metrics and state of the process that notifies. */
    notifications?: string | undefined;
    /** A page with the mails and webhooks that were sent here. */
    inbox?: string | undefined;
  };
  dsn: { admin: string; api: string; reader: string; cdc: string; notifications?: string; replicas: string[] };
  /** While the rows are moved to a cluster: `dsn.admin` of both, from its start until the end of the conversion. */
  conversion?: { source: string; target: string } | undefined;
  /** The pooler between the API and its database; `dsn` leads past it. */
  pooler?: { version: string; dsn: string; preparedStatements: boolean } | undefined;
  kafka?: { brokers: string[] } | undefined;
  /** By the provider that signs with it; `accessTokens` signs those of the API, and
   * `wallet` confirmations of payments, where the system has a payment worker. */
  secrets: { silvergate: string; stripe: string; adyen: string; accessTokens: string; wallet?: string };
  /** `primary` is the name of the server that takes writes, where the lab's supervisor runs it. */
  postgres: { kind: 'embedded' | 'installed'; version: string; primary?: string };
  /** Where the data lies; in memory, a commit costs too little. */
  storage: { fileSystem: string; inMemory: boolean };
  processes: ProcessDescription[];
  /** The project of a system under docker compose, which the Docker daemon looks after: `supervisorPid` is 0 then. */
  compose?: { name: string; environmentFiles: string[] };
}
