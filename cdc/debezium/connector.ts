import { readFileSync } from 'node:fs';
import type { TopicSpec } from '../../kernel/kafka/port.ts';

/** Where the connector finds the database. Its password is `CDC_DATABASE_PASSWORD` in Connect's own environment. */
export interface ConnectorSource {
  host: string;
  port: number;
  database: string;
  /** A login with the rights of `lab_cdc` and REPLICATION. */
  user: string;
}

export interface ConnectorNames {
  /** Of the connector in Connect; begins the names of its own topics too. */
  name: string;
  slotName: string;
}

export const defaultNames: ConnectorNames = { name: 'lab', slotName: 'lab_debezium' };

/**
 * The connector's configuration: `connector.json` and what differs from place to place.
 * https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-connector-properties
 */
export function connectorConfig(source: ConnectorSource, names = defaultNames): Record<string, string> {
  const fixed = JSON.parse(readFileSync(new URL('./connector.json', import.meta.url), 'utf8')) as Record<
    string,
    string
  >;
  return {
    ...fixed,
    name: names.name,
    'topic.prefix': names.name,
    'slot.name': names.slotName,
    'database.hostname': source.host,
    'database.port': String(source.port),
    'database.dbname': source.database,
    'database.user': source.user,
  };
}

/** The source that a connection URL names. */
export function sourceOf(dsn: string): ConnectorSource {
  const url = new URL(dsn);
  return {
    host: url.hostname,
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
  };
}

/** Topics that the connector writes besides the domain's: its heartbeats, of which the last one is enough. */
export function connectorTopics({ name } = defaultNames): TopicSpec[] {
  const settings = { 'cleanup.policy': 'delete', 'retention.ms': '600000', 'segment.ms': '600000' };
  return [{ name: `__debezium-heartbeat.${name}`, partitions: 1, settings }];
}
