import { z } from 'zod';
import { partitionIntervals } from '../topology.ts';
import type { Environment } from './environment.ts';
import { brokerList, listOf, postgresUrl } from './fields.ts';
import { loadConfig } from './load.ts';

const password = z.string().min(16, 'must have at least 16 characters');

const migrateShape = {
  /** Of the superuser; the server is waited for. */
  DATABASE_URL: postgresUrl,
  LAB_API_PASSWORD: password,
  LAB_READER_PASSWORD: password,
  LAB_CDC_PASSWORD: password,
  LAB_GRAFANA_PASSWORD: password,
  LAB_EXPORTER_PASSWORD: password,
  /** Hosts of the servers that hold the shards, for a topology that has them. */
  CITUS_WORKERS: listOf(z.string()).default([]),
  /** How long partitions are from now on; left as they are without it. */
  PARTITIONS: z.enum(partitionIntervals).optional(),
  /** Where the services read what the topology decides. */
  TOPOLOGY_FILE: z.string(),
};

/** Settings of the one-shot migration under compose. @throws ConfigError that lists every wrong variable. */
export function loadMigrateConfig(environment: Environment) {
  return loadConfig(migrateShape, environment);
}

/** Settings of the one-shot creation of topics under compose. @throws ConfigError that lists every wrong variable. */
export function loadTopicsConfig(environment: Environment) {
  return loadConfig({ KAFKA_BROKERS: brokerList }, environment);
}
