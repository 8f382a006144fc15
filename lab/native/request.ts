import { capabilities, isTopologyName, topologyNames } from '../../kernel/topology.ts';
import { UsageError } from '../output.ts';
import { MissingPartError } from './missing-part.ts';
import type { SystemOptions } from './system.ts';

export interface Request {
  mode: 'sync' | 'kafka';
  runtime: 'native' | 'docker';
  postgres: 'embedded' | 'installed';
  replicas?: number;
  sync?: boolean;
  apiPort?: number;
  setting?: Record<string, string>;
}

/**
 * What the user asked for as options of `startSystem`.
 * @throws UsageError when it makes no sense, MissingPartError when the lab can't do it here.
 */
export function checkRequest(topology: string, request: Request): SystemOptions {
  if (!isTopologyName(topology)) {
    throw new UsageError(`There is no topology ${topology}. Choose one of ${topologyNames.join(', ')}.`);
  }
  const { requiredExtension, readsFromReplica } = capabilities(topology);
  if (requiredExtension) {
    throw new MissingPartError(
      `PostgreSQL with ${requiredExtension}`,
      `the lab does not start ${topology} yet; use ${topologyNames.filter((name) => name !== topology).join(', ')}`,
    );
  }
  if (request.mode === 'kafka') {
    throw new MissingPartError('Kafka', 'the lab does not start it yet; use --mode sync');
  }
  if (request.runtime === 'docker') {
    throw new MissingPartError('the Docker runtime', 'there are no compose files yet; use --runtime native');
  }
  if (request.replicas === 0 && (readsFromReplica || request.sync)) {
    throw new UsageError(`${request.sync ? '--sync' : topology} needs at least one replica.`);
  }
  if ((request.replicas ?? 0) > 8) throw new UsageError('More than eight replicas exceed the primary’s WAL senders.');
  return {
    topology,
    postgres: request.postgres,
    ...(request.replicas !== undefined && { replicas: request.replicas }),
    ...(request.sync && { synchronous: true }),
    ...(request.apiPort !== undefined && { ports: { api: request.apiPort } }),
    ...(request.setting && { settings: request.setting }),
  };
}
