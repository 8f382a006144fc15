import { maxLocksPerTransaction } from './lock-table.ts';

const maxConnections = 100;

/**
 * What every server of the lab runs with, whatever the topology, so that a comparison compares topologies only.
 * Durable on purpose: a payment that was acknowledged has to survive a power cut.
 */
export const durableSettings: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  wal_level: 'logical',
  max_connections: String(maxConnections),
  max_locks_per_transaction: String(maxLocksPerTransaction(maxConnections)),
  max_wal_senders: '20',
  max_replication_slots: '20',
  // A reader that is gone for good must not fill the disk: beyond this its slot is given up, and the reader says so.
  max_slot_wal_keep_size: '4GB',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  // Old WAL files up to this are written over. Each new one costs a commit the time to fill 16 MiB with zeros.
  min_wal_size: '1GB',
  checkpoint_timeout: '15min',
  shared_preload_libraries: 'pg_stat_statements',
  // A replica that has lost its primary looks for it again after this; by default after 5 s, and synchronous commits wait.
  wal_retrieve_retry_interval: '500ms',
};

/** For servers whose data is not needed after a crash: the ones that tests clone their databases on. */
export const throwawaySettings: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '128MB',
  autovacuum_naptime: '1d',
};

/** Settings that say where a server is and how it is found; no caller may override them. */
export function placeSettings(place: { port: number; clusterName: string }): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1',
    port: String(place.port),
    // A socket file would need a short path that both we and the server's user can reach.
    unix_socket_directories: '',
    cluster_name: place.clusterName,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%a ',
    logging_collector: 'off',
    log_destination: 'stderr',
  };
}

/** As arguments for `postgres`. */
export function asArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
