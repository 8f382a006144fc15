import { atEach } from '../../kernel/postgres/hosts.ts';
import type { PartitionInterval, TopologyName } from '../../kernel/topology.ts';
import { enableLogins } from './credentials.ts';
import type { PostgresServer } from './postgres.ts';

export interface DatabaseOptions {
  topology: TopologyName;
  runDirectory: string;
  /** How long partitions are; a day unless told otherwise. */
  partitions?: PartitionInterval;
  replicas?: number;
  synchronous?: boolean;
  postgres?: 'embedded' | 'installed';
  settings?: Record<string, string>;
  progress(line: string): void;
  signal?: AbortSignal;
}

export interface Database {
  primary: PostgresServer;
  replicas: PostgresServer[];
  /** The servers that hold the shards, where the topology has them; `primary` is their coordinator then. */
  workers: PostgresServer[];
  /** `admin` is the superuser, `api` and `reader` the roles of these names; `cdc` may replicate; `notifications` sends them; `replicas` is the reader on each. */
  dsn: { admin: string; api: string; reader: string; cdc: string; notifications: string; replicas: string[] };
}

export const databaseName = 'payments';

export type Passwords = Readonly<Record<'lab_api' | 'lab_reader' | 'lab_cdc' | 'lab_notifications', string>>;

/** Lets the services' roles log in to the migrated database. @returns their passwords. */
export function enableServiceLogins(admin: string): Promise<Passwords> {
  return enableLogins(admin, ['lab_api', 'lab_reader', 'lab_cdc', 'lab_notifications']);
}

/** The URLs by which a database is reached, once its roles can log in. */
export function databaseUrls(
  primary: PostgresServer,
  replicas: readonly PostgresServer[],
  passwords: Passwords,
): Database['dsn'] {
  const reader = (server: PostgresServer) => server.dsn(databaseName, 'lab_reader', passwords.lab_reader);
  return {
    admin: primary.dsn(databaseName),
    api: primary.dsn(databaseName, 'lab_api', passwords.lab_api),
    reader: reader(primary),
    cdc: primary.dsn(databaseName, 'lab_cdc', passwords.lab_cdc),
    notifications: primary.dsn(databaseName, 'lab_notifications', passwords.lab_notifications),
    replicas: replicas.map(reader),
  };
}

/** The same database, with the same roles, on other servers. */
export function movedTo(primary: PostgresServer, replicas: readonly PostgresServer[], before: Database): Database {
  const { dsn } = before;
  const atPrimary = (url: string): string => atEach(url, [primary])[0]!;
  return {
    primary,
    replicas: [...replicas],
    workers: [],
    dsn: {
      admin: atPrimary(dsn.admin),
      api: atPrimary(dsn.api),
      reader: atPrimary(dsn.reader),
      cdc: atPrimary(dsn.cdc),
      notifications: atPrimary(dsn.notifications),
      replicas: atEach(dsn.reader, replicas),
    },
  };
}
