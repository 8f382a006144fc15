import {
  capabilities,
  isTopologyName,
  type PartitionInterval,
  type TopologyName,
  topologyNames,
} from '../kernel/topology.ts';
import { freePort } from '../runtime/native/free-port.ts';
import { missingForKafka } from '../runtime/native/kafka/missing.ts';
import { chdbRemedy, missingChdb } from '../runtime/native/missing-chdb.ts';
import { citusRemedy, missingCitus } from '../runtime/native/missing-citus.ts';
import { MissingPartError } from '../runtime/native/missing-part.ts';
import { findPgbouncer, missingPgbouncer } from '../runtime/native/pgbouncer-installation.ts';
import { findPrometheus, missingPrometheus } from '../runtime/native/prometheus-installation.ts';
import type { SystemOptions } from '../runtime/native/system-options.ts';
import type { CdcEngine } from '../runtime/system-description.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { noSuch } from './no-such.ts';

export interface Request {
  mode: 'sync' | 'kafka';
  /** Left out: native where ClickHouse can run here, else off. */
  cdc?: CdcEngine;
  postgres: 'embedded' | 'installed';
  partitions?: PartitionInterval;
  replicas?: number;
  sync?: boolean;
  pgbouncer?: boolean;
  prometheus?: boolean;
  notifications?: boolean;
  apiPort?: number;
  ingestPort?: number;
  setting?: Record<string, string>;
  /** Whether a part that dies is started again. */
  restart?: boolean;
}

/**
 * What the user asked for as options of `startSystem`.
 * @throws UsageError when it makes no sense, MissingPartError when the lab can't do it here.
 */
export async function checkRequest(topology: string, request: Request): Promise<SystemOptions> {
  if (!isTopologyName(topology)) throw noSuch('topology', topology, topologyNames);
  const { requiredExtension, replicas } = capabilities(topology);
  const noCitus = requiredExtension && (await missingCitus());
  if (noCitus) throw new MissingPartError(noCitus, citusRemedy);
  checkPossible(topology, request);
  if (request.replicas === 0 && (replicas === 'required' || request.sync)) {
    throw new UsageError(`${request.sync ? '--sync' : topology} needs at least one replica.`);
  }
  if (request.ingestPort !== undefined && request.mode !== 'kafka') {
    throw new UsageError('--ingest-port needs --mode kafka: in sync mode the API takes the webhooks.');
  }
  if (request.apiPort !== undefined && request.apiPort === request.ingestPort) {
    throw new UsageError('--api-port and --ingest-port are the same: API and gateway are two servers.');
  }
  await checkFree('--api-port', request.apiPort);
  await checkFree('--ingest-port', request.ingestPort);
  const cdc = request.cdc ?? (missingChdb() ? 'off' : 'native');
  await checkPipelineParts(request.mode, cdc);
  if (request.pgbouncer && !(await findPgbouncer())) throw missingPgbouncer();
  if (request.prometheus && !(await findPrometheus())) throw missingPrometheus();
  const ports = {
    ...(request.apiPort !== undefined && { api: request.apiPort }),
    ...(request.ingestPort !== undefined && { ingest: request.ingestPort }),
  };
  return {
    topology,
    mode: request.mode,
    cdc,
    ports,
    postgres: request.postgres,
    ...(request.partitions && { partitions: request.partitions }),
    ...(request.replicas !== undefined && { replicas: request.replicas }),
    ...(request.sync && { synchronous: true }),
    ...(request.pgbouncer && { pgbouncer: true }),
    ...(request.prometheus && { prometheus: true }),
    ...(request.notifications && { notifications: true }),
    ...(request.setting && { settings: request.setting }),
    ...(request.restart && { restarts: true }),
  };
}

/** Said before the servers are started that would be in vain. */
async function checkFree(option: string, port: number | undefined): Promise<void> {
  if (port === undefined || (await freePort(port)) === port) return;
  throw new Error(
    `${option} ${port} is taken by another program, or only root may use it. Choose another, or leave it out.`,
  );
}

/** What the topology can't do. @throws UsageError */
function checkPossible(topology: TopologyName, request: Request): void {
  const { replicas, pooler, cdcEngines } = capabilities(topology);
  if (replicas === 'none' && (request.sync || request.replicas)) {
    throw new UsageError(`${topology} has no replicas: leave --replicas and --sync out.`);
  }
  checkPartitions(topology, request.partitions);
  if (request.pgbouncer && !pooler) {
    throw new UsageError(`${topology} has no pooler in front: the API talks to each worker.`);
  }
  if (request.cdc && request.cdc !== 'off' && !cdcEngines.includes(request.cdc)) {
    throw new UsageError(`${topology} is read by --cdc ${cdcEngines.join(' or ')} only, on each worker.`);
  }
}

/** @throws UsageError where there is nothing that the length of partitions is about. */
export function checkPartitions(topology: TopologyName, partitions: PartitionInterval | undefined): void {
  if (partitions === undefined || capabilities(topology).partitionedTables.length > 0) return;
  throw new UsageError(`${topology} has no partitions: leave --partitions out.`);
}

/** Everything that is missing in one message, before anything is started. @throws MissingPartError */
async function checkPipelineParts(mode: Request['mode'], cdc: CdcEngine): Promise<void> {
  const wanted = `${mode === 'kafka' ? '--mode kafka' : ''} ${cdc === 'off' ? '' : `--cdc ${cdc}`}`.trim();
  const noKafka = mode === 'kafka' || cdc === 'debezium' ? await missingForKafka() : undefined;
  const noClickhouse = cdc === 'off' ? undefined : missingChdb();
  const without = [noKafka && '--mode sync', (noClickhouse || (noKafka && cdc === 'debezium')) && '--cdc off'];
  const missing = [noKafka, noClickhouse && `${noClickhouse}: ${chdbRemedy}`].filter(Boolean);
  if (missing.length === 0) return;
  throw new MissingPartError(
    `what ${wanted} needs (${missing.join('; ')})`,
    `install it, or use ${without.filter(Boolean).join(' ')}`,
  );
}
