import { capabilities, conversions, type TopologyName } from '../../kernel/topology.ts';
import { startCitus } from './citus.ts';
import type { Database } from './database.ts';
import { type Deployment, serversOf } from './deployment.ts';
import type { Part } from './part.ts';
import type { Prometheus } from './prometheus.ts';
import { stopServers } from './stop-servers.ts';
import type { SupervisorRequest } from './supervisor-request.ts';

type ConversionRequest = Exclude<
  SupervisorRequest,
  { type: 'restart_part' | 'stop_part' | 'promote' | 'rebuild_part' }
>;

export interface SystemConversionDeps {
  deployment: Deployment;
  runDirectory: string;
  settings: Record<string, string> | undefined;
  api: Part;
  payments: Part;
  /** The processes that read the outbox. */
  readers: readonly (Part | undefined)[];
  prometheus: Prometheus | undefined;
  progress: (line: string) => void;
}

/** What a conversion needs of a running system. Each request may come again after it was done. */
export class SystemConversion {
  readonly #deps: SystemConversionDeps;

  constructor(deps: SystemConversionDeps) {
    this.#deps = deps;
  }

  async handle(request: ConversionRequest): Promise<void> {
    switch (request.type) {
      case 'switch_topology':
        return this.#switchTopology(request.topology);
      case 'start_cluster':
        return this.#startCluster();
      case 'discard_cluster':
        return this.#discardCluster();
      case 'restart_cdc':
        for (const reader of this.#deps.readers) await reader?.restart();
        return;
      case 'end_conversion':
        return this.#end();
    }
  }

  async #switchTopology(wanted: TopologyName): Promise<void> {
    const { deployment, progress } = this.#deps;
    if (wanted === deployment.topology) return;
    const { topology: before, database: left } = deployment;
    const target = capabilities(wanted).workers > 0 ? deployment.beside : left;
    if (!target) throw new Error(`there is no cluster to run ${wanted} on`);
    await this.#restartApi(wanted, target).catch(async (error) => {
      // Better the API as it was than none.
      await this.#restartApi(before, left);
      throw error;
    });
    if (target !== left) deployment.beside = left;
    await this.#deps.payments.restart();
    progress(`the API was restarted as ${wanted}`);
  }

  async #restartApi(topology: TopologyName, database: Database): Promise<void> {
    const { deployment, api, prometheus } = this.#deps;
    deployment.topology = topology;
    deployment.database = database;
    await prometheus?.setTopology(topology);
    await api.restart();
  }

  async #startCluster(): Promise<void> {
    const { deployment, runDirectory, settings, progress } = this.#deps;
    if (deployment.conversion) return;
    const cluster = await startCitus({
      runDirectory,
      topology: conversions.toCluster.to,
      coordinatorName: 'coordinator',
      settings,
      progress,
    });
    deployment.beside = cluster;
    deployment.conversion = { source: deployment.database.dsn.admin, target: cluster.dsn.admin };
  }

  /** Not once the rows are there: the cluster is the database then. */
  async #discardCluster(): Promise<void> {
    const { deployment } = this.#deps;
    const { beside, conversion } = deployment;
    if (!beside || conversion?.source !== deployment.database.dsn.admin) return;
    await stopServers([beside.primary, ...beside.workers]);
    deployment.beside = undefined;
    deployment.conversion = undefined;
  }

  async #end(): Promise<void> {
    const { deployment, prometheus } = this.#deps;
    if (!deployment.conversion) return;
    await prometheus?.watch(serversOf(deployment.database));
    deployment.conversion = undefined;
  }
}
