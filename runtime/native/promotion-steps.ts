import type { PostgresServer } from './postgres.ts';

/** How servers are promoted, fenced and rebuilt: `replication/` knows, and the caller of `startSystem` brings it. */
export interface PromotionSteps {
  /** Afterwards the server takes no write, also when it is started again. */
  fence(server: PostgresServer): Promise<void>;
  /** The replica that lacks nothing that another one has; the first of equal ones. */
  mostAdvanced(replicas: readonly PostgresServer[], synchronous: boolean): Promise<PostgresServer>;
  promote(options: {
    candidate: PostgresServer;
    followers: readonly PostgresServer[];
    synchronous: boolean;
    failoverSlots: boolean;
  }): Promise<void>;
  /** Makes a server that is stopped a replica, at its old port. */
  rebuildAsReplica(former: PostgresServer, primary: PostgresServer): Promise<{ server: PostgresServer }>;
}
