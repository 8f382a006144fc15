import type { TopologyName } from '../../kernel/topology.ts';
import type { SystemDescription } from '../system-description.ts';
import type { Database } from './database.ts';
import type { PostgresServer } from './postgres.ts';

/**
 * The topology that runs and the database that it runs on: what the services of a system are told at their next start.
 * A conversion changes both.
 */
export class Deployment {
  topology: TopologyName;
  /** During a conversion to a cluster the cluster that is filled, after it the database that was left. */
  beside: Database | undefined;
  conversion: SystemDescription['conversion'];
  /** Servers that a promotion has left behind: stopped, and never started again as they are. */
  fenced: PostgresServer[] = [];
  #database: Database | undefined;

  constructor(topology: TopologyName) {
    this.topology = topology;
  }

  get database(): Database {
    if (!this.#database) throw new Error('The database has not been started.');
    return this.#database;
  }

  set database(database: Database) {
    this.#database = database;
  }

  /** Every server of both databases. */
  get servers(): PostgresServer[] {
    return [this.database, this.beside].flatMap((one) => (one ? serversOf(one) : []));
  }
}

/** All of them: a cluster's slots and rows are on its workers. */
export function serversOf({ primary, replicas, workers }: Database): PostgresServer[] {
  return [primary, ...replicas, ...workers];
}
