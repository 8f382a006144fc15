import { loadMigrateConfig } from '../../../kernel/config/compose.ts';
import { processEnvironment } from '../../../kernel/config/environment.ts';
import { capabilities } from '../../../kernel/topology.ts';
import { migrate } from '../../../sql/migrate.ts';
import { setUpCluster, trustLogins } from '../../citus-cluster.ts';
import { announce } from './announce.ts';
import { setLogins } from './logins.ts';
import { askTopology } from './topology.ts';

/**
 * What happens once before the services start under compose: the schema of the topology that the database server was
 * started for, the roles' passwords, and the file from which the services learn the topology. Safe to run again.
 */
const config = loadMigrateConfig(processEnvironment());
const topology = await askTopology(config.DATABASE_URL);
const isCluster = capabilities(topology).workers > 0;

const nodeAt = (host: string) => {
  const url = new URL(config.DATABASE_URL);
  url.hostname = host;
  url.pathname = '/postgres';
  return { adminDsn: url.href, host, port: Number(url.port || 5432) };
};
const { hostname, pathname } = new URL(config.DATABASE_URL);
const cluster = {
  coordinator: nodeAt(hostname),
  workers: config.CITUS_WORKERS.map(nodeAt),
  database: pathname.slice(1),
  shardCount: 8,
};
if (isCluster) {
  process.stdout.write(`cluster: ${hostname} and ${config.CITUS_WORKERS.join(', ')}\n`);
  await setUpCluster(cluster);
}

const { applied } = await migrate({ dsn: config.DATABASE_URL, topology, partitions: config.PARTITIONS });
process.stdout.write(`${topology}: ${applied.length} migrations applied\n`);

const passwords = {
  lab_api: config.LAB_API_PASSWORD,
  lab_reader: config.LAB_READER_PASSWORD,
  lab_cdc: config.LAB_CDC_PASSWORD,
  lab_grafana: config.LAB_GRAFANA_PASSWORD,
};
await setLogins(config.DATABASE_URL, { ...passwords, lab_exporter: config.LAB_EXPORTER_PASSWORD });
if (isCluster) await trustLogins(cluster, passwords);

await announce({ topology, file: config.TOPOLOGY_FILE });
