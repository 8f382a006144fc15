import { withClient } from '../kernel/postgres/with-client.ts';

/** One server of the cluster, as its operator reaches it and as the other servers do. */
export interface ClusterNode {
  /** postgresql:// URL of a superuser on the maintenance database `postgres`. */
  adminDsn: string;
  /** Where the other nodes find it. */
  host: string;
  port: number;
}

export interface ClusterOptions {
  coordinator: ClusterNode;
  workers: readonly ClusterNode[];
  /** Database that is made on each node. */
  database: string;
  /** Shards of a table; twice the workers that one ever expects is little, a hundred times as many is much. */
  shardCount: number;
}

/**
 * Makes the database on every node, tells the nodes of each other, and lets their superusers in. Everything is done
 * only where it is missing, so that it may run at each start. The settings that need a restart (`clusterSettings`) have
 * to be there already.
 * @throws Error of the server, as when a node lacks the extension.
 */
export async function setUpCluster(options: ClusterOptions): Promise<void> {
  const { coordinator, workers, database, shardCount } = options;
  for (const node of [coordinator, ...workers]) {
    await withClient(node.adminDsn, async (client) => {
      const known = await client.query('select from pg_database where datname = $1', [database]);
      if (known.rowCount === 0) await client.query(`create database ${database}`);
      await client.query(`alter database ${database} set citus.shard_count = ${shardCount}`);
    });
    await withClient(dsnOf(node, database), async (client) => {
      await client.query('create extension if not exists citus');
      await client.query('create extension if not exists pg_stat_statements');
    });
  }
  await trustLogins(options, passwordsOf(coordinator));
  await withClient(dsnOf(coordinator, database), async (client) => {
    await client.query('select citus_set_coordinator_host($1, $2)', [coordinator.host, coordinator.port]);
    for (const { host, port } of workers) {
      const known = await client.query('select from pg_dist_node where nodename = $1 and nodeport = $2', [host, port]);
      if (known.rowCount === 0) await client.query('select citus_add_node($1, $2)', [host, port]);
    }
  });
}

/**
 * Tells every node the passwords with which roles of the other nodes' log in to it: a node that runs a query of
 * `lab_api` on another one connects there as `lab_api`.
 */
export async function trustLogins(
  options: Pick<ClusterOptions, 'coordinator' | 'workers' | 'database'>,
  passwords: Readonly<Record<string, string>>,
): Promise<void> {
  for (const node of [options.coordinator, ...options.workers]) {
    await withClient(dsnOf(node, options.database), async (client) => {
      for (const [role, password] of Object.entries(passwords)) {
        await client.query('delete from pg_dist_authinfo where nodeid = 0 and rolename = $1', [role]);
        await client.query('insert into pg_dist_authinfo (nodeid, rolename, authinfo) values (0, $1, $2)', [
          role,
          `password=${password}`,
        ]);
      }
    });
  }
}

/** What every node has to be started with. */
export const clusterSettings: Readonly<Record<string, string>> = {
  // Citus has to stand first in this list.
  shared_preload_libraries: 'citus,pg_stat_statements',
  wal_level: 'logical',
  // An effect in two shards is a prepared transaction until it is committed on both.
  max_prepared_transactions: '200',
  max_replication_slots: '30',
  max_wal_senders: '30',
  max_worker_processes: '32',
  max_logical_replication_workers: '16',
  // Change data capture sees a shard's rows under the name of its table.
  'citus.enable_change_data_capture': 'on',
  // Prepared transactions of a node that was away are settled after this time, in ms.
  'citus.recover_2pc_interval': '5s',
  // The nodes of a lab share one machine; what they say to each other carries passwords only as SCRAM proofs.
  'citus.node_conninfo': 'sslmode=prefer',
};

function passwordsOf(node: ClusterNode): Record<string, string> {
  const url = new URL(node.adminDsn);
  return { [decodeURIComponent(url.username)]: decodeURIComponent(url.password) };
}

/** The node's superuser on another of its databases. */
export function dsnOf(node: ClusterNode, database: string): string {
  const url = new URL(node.adminDsn);
  url.pathname = `/${database}`;
  return url.href;
}
